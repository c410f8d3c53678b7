#ifndef BENCHMARKS_SCENARIOS_SUBSCRIPTION_WATCH_H_
#define BENCHMARKS_SCENARIOS_SUBSCRIPTION_WATCH_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "nearby/hash_ring.h"
#include "nearby/ids.h"
#include "nearby/time.h"

namespace scenarios {

/// How many subscriptions a node has made again, and how fast.
struct SubscriptionStorm {
  std::uint64_t resubscriptions = 0;
  std::uint64_t most_in_a_second = 0;  ///< Any 1,000 ms in a row.
  nearby::Time first;                  ///< If there was one.
  nearby::Time last;

  /// Times do not go back.
  void Add(nearby::Time now, std::uint64_t count);

  /// Those that still count for the worst second, and how many they are.
  std::deque<std::pair<nearby::Time, std::uint64_t>> last_second;
  std::uint64_t in_last_second = 0;
};

/// What nodes subscribe to, as their transports see it: which channels each node listens to, and
/// how many it subscribes to *again*, at another server than where it listens to them already.
///
/// Thread-compatible.
class SubscriptionWatch {
 public:
  explicit SubscriptionWatch(std::uint32_t nodes) : nodes_(nodes) {}

  /// A subscription has been acknowledged, and given up. Times do not go back.
  void OnSubscribed(std::uint32_t node, absl::string_view server, nearby::Channel channel,
                    nearby::Time now);
  void OnUnsubscribed(std::uint32_t node, absl::string_view server, nearby::Channel channel);
  void OnLinkLost(std::uint32_t node, absl::string_view server);

  /// Of the resubscriptions since the last Restart.
  void Restart();
  const SubscriptionStorm& storm(std::uint32_t node) const { return nodes_[node].storm; }

  /// Channels that a node listens to, once each; and how many of all nodes' are listened to at the
  /// server that owns them on this ring.
  std::size_t channels(std::uint32_t node) const { return nodes_[node].servers.size(); }
  std::uint64_t channels() const;
  std::uint64_t CountAtOwners(const nearby::HashRing& ring) const;
  /// Subscriptions of all nodes: more than channels while some have two owners.
  std::uint64_t subscriptions() const;
  std::uint64_t links_lost() const { return links_lost_; }

 private:
  struct Node {
    absl::flat_hash_map<nearby::Channel, std::vector<std::string>> servers;
    SubscriptionStorm storm;
  };

  std::vector<Node> nodes_;
  std::uint64_t links_lost_ = 0;
};

}  // namespace scenarios

#endif  // BENCHMARKS_SCENARIOS_SUBSCRIPTION_WATCH_H_
