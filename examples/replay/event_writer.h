#ifndef EXAMPLES_REPLAY_EVENT_WRITER_H_
#define EXAMPLES_REPLAY_EVENT_WRITER_H_

#include <cstddef>

#include "examples/replay/output_file.h"
#include "nearby/effects.h"

namespace replay {

/// The longest event line, its end included.
inline constexpr std::size_t kMaxEventBytes = 128;

/// Writes the event as a line "time_ms subscriber friend kind distance_m", separated by tabs, and
/// returns the end of what it wrote. Requires room for kMaxEventBytes, and that `event` is not a
/// reset.
char* FormatEvent(const nearby::Delivery& event, char* out);

/// Writes it to a file.
inline void WriteEvent(const nearby::Delivery& event, OutputFile* file) {
  file->Advance(FormatEvent(event, file->Reserve(kMaxEventBytes)));
}

}  // namespace replay

#endif  // EXAMPLES_REPLAY_EVENT_WRITER_H_
