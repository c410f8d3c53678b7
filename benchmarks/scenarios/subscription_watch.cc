#include "benchmarks/scenarios/subscription_watch.h"

#include <algorithm>

namespace scenarios {

void SubscriptionStorm::Add(nearby::Time now, std::uint64_t count) {
  constexpr std::int64_t kSecondMs = 1'000;
  last_second.emplace_back(now, count);
  in_last_second += count;
  for (; last_second.front().first.ms <= now.ms - kSecondMs; last_second.pop_front()) {
    in_last_second -= last_second.front().second;
  }
  if (resubscriptions == 0) first = now;
  last = now;
  resubscriptions += count;
  most_in_a_second = std::max(most_in_a_second, in_last_second);
}

void SubscriptionWatch::OnSubscribed(std::uint32_t number, absl::string_view server,
                                     nearby::Channel channel, nearby::Time now) {
  Node& node = nodes_[number];
  std::vector<std::string>& servers = node.servers[channel];
  const bool is_again = !servers.empty();
  if (std::find(servers.begin(), servers.end(), server) == servers.end()) {
    servers.emplace_back(server.data(), server.size());
  }
  if (is_again) node.storm.Add(now, 1);
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

std::uint64_t SubscriptionWatch::CountAtOwners(const nearby::HashRing& ring) const {
  std::uint64_t sum = 0;
  for (const Node& node : nodes_) {
    for (const auto& [channel, servers] : node.servers) {
      const std::string& owner = ring.Owner(channel)->server;
      sum += std::find(servers.begin(), servers.end(), owner) != servers.end() ? 1 : 0;
    }
  }
  return sum;
}

std::uint64_t SubscriptionWatch::subscriptions() const {
  std::uint64_t sum = 0;
  for (const Node& node : nodes_) {
    for (const auto& [channel, servers] : node.servers) sum += servers.size();
  }
  return sum;
}

}  // namespace scenarios
