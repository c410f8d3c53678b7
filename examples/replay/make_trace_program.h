#ifndef EXAMPLES_REPLAY_MAKE_TRACE_PROGRAM_H_
#define EXAMPLES_REPLAY_MAKE_TRACE_PROGRAM_H_

#include <string>

#include "absl/status/status.h"
#include "examples/replay/make_trace_flags.h"

namespace replay {

/// Carries out what the flags ask for; `summary` receives a line about what was made.
/// `InvalidArgument` if the input is wrong, any other error if the output could not be written; the
/// message says which file and which line. After an error no output file is left, save that the
/// friends are put in place ahead of a trace that goes to standard output: who reads the one may
/// want the other.
absl::Status RunMakeTrace(const MakeTraceFlags& flags, std::string* summary);

}  // namespace replay

#endif  // EXAMPLES_REPLAY_MAKE_TRACE_PROGRAM_H_
