#ifndef EXAMPLES_REPLAY_FLAGS_H_
#define EXAMPLES_REPLAY_FLAGS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "examples/replay/replayer.h"

namespace replay {

/// What the command line of nearby_replay asks for.
struct Flags {
  std::string friends;
  std::string trace;
  std::string events;  ///< Empty: not written.
  std::string stats;   ///< Empty: a summary on standard error instead.
  Replayer::Options replay;
  bool live = false;
  double pace = 60;  ///< Seconds of the trace in one second of live table.
  bool help = false;
};

/// Reads the arguments, the program's name not among them: "--name value" or "--name=value". The
/// last of several wins. `InvalidArgument` says what is wrong. If help is asked for, nothing else
/// is checked.
absl::StatusOr<Flags> ParseFlags(absl::Span<const char* const> arguments);

/// What --help prints.
extern const char kHelp[];

}  // namespace replay

#endif  // EXAMPLES_REPLAY_FLAGS_H_
