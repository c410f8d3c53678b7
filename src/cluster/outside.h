#ifndef NEARBY_SRC_CLUSTER_OUTSIDE_H_
#define NEARBY_SRC_CLUSTER_OUTSIDE_H_

#include <cstdint>
#include <functional>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "nearby/ids.h"
#include "nearby/node_batch.h"
#include "nearby/session_directory.h"

namespace nearby::internal {

// What a gateway or the office asks of the host's interfaces. Each call that has a number is
// answered, if it is, by a call of the asker's on its own thread, with the number.
struct Outside {
  std::function<void(absl::string_view server, Channel channel, std::uint64_t number)> subscribe;
  std::function<void(absl::string_view server, Channel channel)> unsubscribe;
  // To the channel's owner on the present ring.
  std::function<void(Channel channel, absl::string_view payload)> publish;
  std::function<void(std::uint64_t number, absl::Span<const UserId> users)> look_up;
  std::function<void(std::uint64_t number, absl::Span<const UserId> users)> read;
  std::function<void(std::uint64_t number, const NodeLease& lease, absl::Span<const UserId> users)>
      claim;
  std::function<void(std::uint64_t number, const NodeLease& lease,
                     absl::Span<const SessionDirectory::Session> sessions)>
      release;
  std::function<void(std::uint64_t number, absl::Span<const NodeLease> leases)> find_ended;
  // To another node, by the office.
  std::function<void(const NodeLease& to, const NodeEvent& event)> send_letter;
};

}  // namespace nearby::internal

#endif  // NEARBY_SRC_CLUSTER_OUTSIDE_H_
