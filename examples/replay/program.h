#ifndef EXAMPLES_REPLAY_PROGRAM_H_
#define EXAMPLES_REPLAY_PROGRAM_H_

#include "absl/status/status.h"
#include "examples/replay/flags.h"

namespace replay {

/// Carries out what the flags ask for, from the input files to the output files. `InvalidArgument`
/// if the flags or the input are wrong, any other error if the output could not be written; the
/// message says which file and which line. After an error no output file is left.
absl::Status RunProgram(const Flags& flags);

}  // namespace replay

#endif  // EXAMPLES_REPLAY_PROGRAM_H_
