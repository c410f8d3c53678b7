#ifndef NEARBY_TESTING_CLIENT_SINK_CONFORMANCE_H_
#define NEARBY_TESTING_CLIENT_SINK_CONFORMANCE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "nearby/client_sink.h"
#include "nearby/export.h"
#include "nearby/ids.h"
#include "nearby/testing/conformance.h"

namespace nearby {

/// A client sink without connections, and clients of the test's to connect to it. While they are
/// stalled, the clients do not read.
struct ClientSinkUnderTest : AdapterUnderTest<ClientSink> {
  /// Required: a client connects. The connect of that user has completed with Ok, under a session
  /// of which the runtime knows this cookie.
  std::function<void(std::uint64_t cookie, UserId user)> connect;
  /// Required: the client goes, and the host calls Runtime::Disconnect.
  std::function<void(std::uint64_t cookie)> disconnect;
  /// Required: what the client has read since it connected, in that order. Only `friend_id` and
  /// `kind` are compared.
  std::function<std::vector<ClientEvent>(std::uint64_t cookie)> received;
  /// Hook: how often the host has called Runtime::Ready for the session, or would have.
  std::function<std::size_t(std::uint64_t cookie)> ready_calls;
};

/// What ClientSink's contract asks of a sink as tests; each makes a sink of its own by `make`.
/// Sinks are called as a runtime would.
///
/// Not tested, because they are the runtime's promises and not the sink's: of clause 1, what is
/// handed over when; of clause 2, that calls do not overlap; of clause 4, what is merged; clause 5.
/// Nor clause 6, the lifespan, which binds those who own a sink.
NEARBY_API std::vector<ConformanceCase> ClientSinkConformance(
    const std::function<ClientSinkUnderTest()>& make);

}  // namespace nearby

#endif  // NEARBY_TESTING_CLIENT_SINK_CONFORMANCE_H_
