#include "nearby/client_sink.h"

#include <cstdint>

#include "absl/time/time.h"
#include "nearby/engine.h"
#include "nearby/ids.h"

namespace nearby {

void ClientSink::ReportRefused(SessionId, std::uint64_t, Time, ReportOutcome) {}
void ClientSink::MoveAway(SessionId, std::uint64_t, absl::Duration) {}

}  // namespace nearby
