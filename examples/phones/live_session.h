#ifndef EXAMPLES_PHONES_LIVE_SESSION_H_
#define EXAMPLES_PHONES_LIVE_SESSION_H_

#include "absl/status/status.h"
#include "examples/phones/credentials.h"
#include "examples/phones/flags.h"
#include "examples/phones/report.h"

namespace phones {

/// Lets people live, with the table of one phone on standard output, until life is over, a signal
/// comes or the server is gone. `figures` are those of the run, however it ended.
///
/// `Unavailable`: the server is gone. `PermissionDenied`: it lets nobody in. `InvalidArgument`: the
/// friends or the trace are wrong.
absl::Status RunLive(const Flags& flags, const Credentials& credentials, Figures* figures);

}  // namespace phones

#endif  // EXAMPLES_PHONES_LIVE_SESSION_H_
