#ifndef EXAMPLES_REPLAY_MAKE_TRACE_FLAGS_H_
#define EXAMPLES_REPLAY_MAKE_TRACE_FLAGS_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "examples/replay/trace_maker.h"
#include "examples/replay/trace_writer.h"

namespace replay {

/// What the command line of make_trace asks for.
struct MakeTraceFlags {
  bool city = false;
  std::size_t users = 2000;  ///< Of the city.
  std::string gowalla;       ///< A directory.
  std::string geolife;
  std::string friends;  ///< Empty: not written.
  std::string trace;    ///< Empty: not written.
  TraceOptions options;
  TraceWriter::TimeFormat time_format = TraceWriter::TimeFormat::kSeconds;
  bool help = false;
};

/// Reads the arguments, the program's name not among them: "--name value" or "--name=value". The
/// last of several wins. `InvalidArgument` says what is wrong. If help is asked for, nothing else
/// is checked.
absl::StatusOr<MakeTraceFlags> ParseMakeTraceFlags(absl::Span<const char* const> arguments);

/// What --help prints.
extern const char kMakeTraceHelp[];

}  // namespace replay

#endif  // EXAMPLES_REPLAY_MAKE_TRACE_FLAGS_H_
