#include "benchmarks/scenarios/listening.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "benchmarks/scenarios/runtime_side.h"
#include "nearby/ids.h"

namespace scenarios {

Listening CountListening(const capacity::World& world, std::uint32_t nodes,
                         const std::function<std::uint32_t(std::uint32_t user)>& node_of,
                         std::uint32_t offline_friends) {
  std::vector<std::vector<std::uint32_t>> clients(nodes);
  for (std::uint32_t user = 0; user < world.size(); ++user) clients[node_of(user)].push_back(user);
  Listening listening;
  std::uint64_t alone = 0;
  std::vector<nearby::UserId> wanted;
  for (std::uint32_t node = 0; node < nodes; ++node) {
    wanted.clear();
    for (const std::uint32_t user : clients[node]) {
      for (const std::uint32_t other : world.FriendsOf(user)) {
        if (node_of(other) != node) wanted.push_back(capacity::IdOf(other));
      }
      AppendOfflineFriends(world, user, offline_friends, &wanted);
    }
    std::sort(wanted.begin(), wanted.end());
    for (std::size_t i = 0; i < wanted.size();) {
      const std::size_t begin = i;
      while (i < wanted.size() && wanted[i] == wanted[begin]) ++i;
      ++listening.subscriptions;
      alone += i - begin == 1 ? 1 : 0;
    }
  }
  listening.per_client = static_cast<double>(alone) / world.size();
  return listening;
}

}  // namespace scenarios
