// Nodes that are cut off from the others, and what their users must not be told meanwhile.

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/sim/pace.h"
#include "tests/sim/world.h"

namespace nearby::sim {
namespace {

constexpr SimulatedDelay kOftenReport{100, 400};
constexpr SimulatedDelay kOftenEdit{100, 800};

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

// Under a lease that has ended nobody must be told anything. To the node whose clock is the slowest
// its lease seems to last the longest.
void World::BeginCutOff() {
  std::size_t node = phones_.front().node;
  for (const Phone& phone : phones_) {
    if (nodes_[phone.node]->steady_ppm() < nodes_[node]->steady_ppm()) node = phone.node;
  }
  CutOffFromDirectory(node, kLongCutOff);
  BeginBustle(node, /*edits_after_ms=*/kLeaseMs - 1000);
  scenery_.simulation.After(kLetGoMs, [this, node, process = nodes_[node]->process_number()] {
    CheckLetGo(node, process);
  });
}

// Nor must clients be told by the node that they have left, before it knows. Who comes there takes
// them for being there.
void World::BeginDeafness() {
  const std::size_t node = BusiestNode();
  CutOffFromLetters(node, kShortCutOff);
  BeginBustle(node, /*edits_after_ms=*/0);
  for (std::size_t i = 0; i < phones_.size(); ++i) {
    const bool leaves = phones_[i].node == node;
    if (!random_.Chance(leaves ? 0.8 : 0.3)) continue;
    const SimulatedDelay when = leaves ? SimulatedDelay{0, 1000} : SimulatedDelay{300, 2500};
    const std::size_t to = leaves ? RandomNode() : node;
    scenery_.simulation.After(random_.Draw(when), [this, i, to] { Connect(i, to); });
  }
}

void World::BeginBustle(std::size_t node, std::int64_t edits_after_ms) {
  // So that much is done before anybody notices.
  SimulatedFaultOptions quick = scenery_.faults.options();
  quick.sessions.latency = quick.friends.latency = {1, 20};
  scenery_.faults.SetOptions(quick);
  bustle_until_ = Time{scenery_.simulation.now().ms + kBustleMs};
  for (std::size_t i = 0; i < phones_.size(); ++i) {
    ReportOften(i);
    if (phones_[i].node == node) EditOften(i, edits_after_ms);
  }
}

bool World::IsBustling() const { return scenery_.simulation.now() < bustle_until_; }

// And once more when all has settled: whoever subscribes while a location is still on its way to
// the store has missed it, and the next one heals that.
void World::ReportOften(std::size_t index) {
  if (!IsBustling()) {
    scenery_.simulation.After(random_.Between(2000, 3000), [this, index] { ReportIfAlive(index); });
    return;
  }
  scenery_.simulation.After(random_.Draw(kOftenReport), [this, index] {
    ReportIfAlive(index);
    ReportOften(index);
  });
}

void World::EditOften(std::size_t index, std::int64_t after_ms) {
  if (!IsBustling()) return;
  scenery_.simulation.After(after_ms + random_.Draw(kOftenEdit), [this, index] {
    TakeFromSightOf(index);
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
