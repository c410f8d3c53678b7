#ifndef EXAMPLES_PHONES_LOAD_SESSION_H_
#define EXAMPLES_PHONES_LOAD_SESSION_H_

#include "absl/status/status.h"
#include "examples/phones/credentials.h"
#include "examples/phones/flags.h"
#include "examples/phones/report.h"

namespace phones {

/// Connects everybody, has them report for a while, and measures. `figures` are those of the run,
/// without `load` if it did not come to its end.
///
/// `Unavailable`: the server is gone. `PermissionDenied`: it lets nobody in. `Cancelled`: a signal
/// ended it.
absl::Status RunLoad(const Flags& flags, const Credentials& credentials, Figures* figures);

}  // namespace phones

#endif  // EXAMPLES_PHONES_LOAD_SESSION_H_
