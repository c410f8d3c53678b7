#ifndef NEARBY_TESTING_TRANSPORT_CONFORMANCE_H_
#define NEARBY_TESTING_TRANSPORT_CONFORMANCE_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "nearby/export.h"
#include "nearby/testing/conformance.h"
#include "nearby/transport.h"

namespace nearby {

/// Two nodes' transports and two pub/sub servers, to which nobody else publishes on the channels
/// of users 0 to 10,000. While they are stalled, the servers do not answer.
struct TransportUnderTest : AdapterUnderTest<Transport> {
  /// Required: the second node's.
  std::unique_ptr<Transport> other;
  /// The servers' names, as the transports know them.
  std::string first_server = "s1";
  std::string second_server = "s2";
  /// Hooks, to be supplied together: break all links to a server, and let nobody link up again,
  /// until it is brought up. They may return before the transports have noticed.
  std::function<void(absl::string_view server)> take_down;
  std::function<void(absl::string_view server)> bring_up;
  /// Hook: from true until false the server, and no other, does not answer.
  std::function<void(absl::string_view server, bool)> stall_server;
};

/// The clauses of Transport's contract as tests; each makes transports of its own by `make`.
///
/// Not tested: of clause 2, that a transport that can take no more refuses at once, and of clause
/// 9, that a receiver that is too slow loses the link, for only the transport knows how much that
/// is; of clause 4, what the user of a transport must not do; of clause 9, that a Subscribe before
/// OnLinkLost is refused, for from outside nobody knows when a transport has noticed a loss; of
/// clause 5, that a message of unknown fate is not repeated, beyond those whose Publish fails
/// because the server is down.
NEARBY_API std::vector<ConformanceCase> TransportConformance(
    const std::function<TransportUnderTest()>& make);

}  // namespace nearby

#endif  // NEARBY_TESTING_TRANSPORT_CONFORMANCE_H_
