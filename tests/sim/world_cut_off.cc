// Nodes that are cut off from the others, and what their users must not be told meanwhile.

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/sim/pace.h"
#include "tests/sim/world.h"

namespace nearby::sim {
namespace {

constexpr SimulatedDelay kOftenReport{100, 400};
constexpr SimulatedDelay kOftenEdit{50, 600};

}  // namespace

void World::CutOffFromDirectory(std::size_t node, const SimulatedDelay& duration) {
  const NodeId id = nodes_[node]->id();
  scenery_.directory_backend.SetPartition(id, SimulatedBackend::Cut::kBoth);
  scenery_.simulation.After(random_.Draw(duration), [this, id] {
    scenery_.directory_backend.SetPartition(id, SimulatedBackend::Cut::kNone);
  });
}

void World::CutOffFromLetters(std::size_t node, const SimulatedDelay& duration) {
  const NodeId id = nodes_[node]->id();
  const RingSeat* seat = scenery_.rings.ring()->Owner(Channel::Inbox(id));
  scenery_.servers.SetPartition(id, seat->server, SimulatedPubSub::Cut::kFromServer);
  scenery_.simulation.After(random_.Draw(duration), [this, id, server = seat->server] {
    scenery_.servers.SetPartition(id, server, SimulatedPubSub::Cut::kNone);
  });
}

// What it is not told of must not be told by it: neither under a lease that has ended, nor to the
// clients who have gone to other nodes. The lease of the node whose clock is the slowest seems to
// it to last the longest.
void World::BeginCutOff(std::size_t first) {
  std::size_t node = first;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i]->steady_ppm() < nodes_[node]->steady_ppm()) node = i;
  }
  const bool has_directory = random_.Chance(0.5);
  if (!has_directory) CutOffFromDirectory(node, kLongCutOff);
  if (has_directory || random_.Chance(0.3)) CutOffFromLetters(node, kShortCutOff);
  bustle_until_ = Time{scenery_.simulation.now().ms + kBustleMs};
  for (std::size_t i = 0; i < phones_.size(); ++i) {
    ReportOften(i);
    if (phones_[i].node != node) continue;
    EditOften(i, has_directory ? 0 : kLeaseMs - 1000);
    if (!random_.Chance(has_directory ? 0.8 : 0.2)) continue;
    scenery_.simulation.After(random_.Between(0, 1000), [this, i] { Connect(i, RandomNode()); });
  }
  if (has_directory) return;
  scenery_.simulation.After(kLetGoMs, [this, node, process = nodes_[node]->process_number()] {
    CheckLetGo(node, process);
  });
}

bool World::IsBustling() const { return scenery_.simulation.now() < bustle_until_; }

void World::ReportOften(std::size_t index) {
  if (!IsBustling()) return;
  scenery_.simulation.After(random_.Draw(kOftenReport), [this, index] {
    if (IsAlive(phones_[index])) Report(&phones_[index]);
    ReportOften(index);
  });
}

void World::EditOften(std::size_t index, std::int64_t after_ms) {
  if (!IsBustling()) return;
  scenery_.simulation.After(after_ms + random_.Draw(kOftenEdit), [this, index] {
    EditFriendsOf(index, /*in_sight=*/0.8);
    EditOften(index, 0);
  });
}

void World::CheckLetGo(std::size_t node, std::uint64_t process) {
  for (const Phone& phone : phones_) {
    if (phone.node != node || phone.process != process || !IsAlive(phone)) continue;
    ledger_.Violate(absl::StrCat("user ", ToInt(phone.user), " is still connected to node ",
                                 node + 1, ", whose lease has ended"));
  }
}

}  // namespace nearby::sim
