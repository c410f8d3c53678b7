#include "benchmarks/scenarios/subscription_watch.h"

#include <algorithm>

namespace scenarios {

void SubscriptionWatch::OnSubscribed(std::uint32_t number, absl::string_view server,
                                     nearby::Channel channel, nearby::Time now) {
  Node& node = nodes_[number];
  std::vector<std::string>& servers = node.servers[channel];
  const bool is_again = !servers.empty();
  if (std::find(servers.begin(), servers.end(), server) == servers.end()) {
    servers.emplace_back(server.data(), server.size());
  }
  if (!is_again) return;
  constexpr std::int64_t kSecondMs = 1'000;
  node.last_second.push_back(now);
  while (node.last_second.front().ms <= now.ms - kSecondMs) node.last_second.pop_front();
  Storm& storm = node.storm;
  if (++storm.resubscriptions == 1) storm.first = now;
  storm.last = now;
  storm.most_in_a_second = std::max<std::uint64_t>(storm.most_in_a_second, node.last_second.size());
}

void SubscriptionWatch::OnUnsubscribed(std::uint32_t number, absl::string_view server,
                                       nearby::Channel channel) {
  Node& node = nodes_[number];
  const auto found = node.servers.find(channel);
  if (found == node.servers.end()) return;
  std::vector<std::string>& servers = found->second;
  servers.erase(std::remove(servers.begin(), servers.end(), server), servers.end());
  if (servers.empty()) node.servers.erase(found);
}

void SubscriptionWatch::OnLinkLost(std::uint32_t number, absl::string_view server) {
  ++links_lost_;
  auto& channels = nodes_[number].servers;
  for (auto it = channels.begin(); it != channels.end();) {
    std::vector<std::string>& servers = it->second;
    servers.erase(std::remove(servers.begin(), servers.end(), server), servers.end());
    const auto at = it++;
    if (servers.empty()) channels.erase(at);
  }
}

void SubscriptionWatch::Restart() {
  for (Node& node : nodes_) node.storm = {};
}

std::uint64_t SubscriptionWatch::channels() const {
  std::uint64_t sum = 0;
  for (const Node& node : nodes_) sum += node.servers.size();
  return sum;
}

std::uint64_t SubscriptionWatch::CountElsewhere(const nearby::HashRing& ring) const {
  std::uint64_t elsewhere = 0;
  for (const Node& node : nodes_) {
    for (const auto& [channel, servers] : node.servers) {
      const std::string& owner = ring.Owner(channel)->server;
      const bool is_there = std::find(servers.begin(), servers.end(), owner) != servers.end();
      elsewhere += is_there ? 0 : 1;
    }
  }
  return elsewhere;
}

std::uint64_t SubscriptionWatch::subscriptions() const {
  std::uint64_t sum = 0;
  for (const Node& node : nodes_) {
    for (const auto& [channel, servers] : node.servers) sum += servers.size();
  }
  return sum;
}

}  // namespace scenarios
