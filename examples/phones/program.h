#ifndef EXAMPLES_PHONES_PROGRAM_H_
#define EXAMPLES_PHONES_PROGRAM_H_

#include "absl/status/status.h"
#include "examples/phones/flags.h"

namespace phones {

/// Does what the flags ask for, and prints what came of it. `InvalidArgument`: the input is wrong;
/// any other status says what went wrong.
absl::Status RunProgram(const Flags& flags);

}  // namespace phones

#endif  // EXAMPLES_PHONES_PROGRAM_H_
