// Nodes that are drained, as for an upgrade: they take no clients, ask theirs to go elsewhere, are
// shut down when they are empty, and begin again.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tests/sim/pace.h"
#include "tests/sim/world.h"

namespace nearby::sim {

void World::BeginDrain(std::size_t index, std::optional<NodeLease> lease) {
  Node& node = *nodes_[index];
  if (!node.is_up() || node.is_draining()) return;
  ++drain_counts_.begun;
  const Time now = scenery_.simulation.now();
  Drain::Terms terms;
  terms.clients_per_second = size_.DrainedPerSecond();
  terms.spread_ms = kDrainSpreadMs;
  terms.patience_until = Time{now.ms + random_.Draw(kDrainPatience)};
  terms.is_clock_right = is_healed_ || !options_.has_faults;
  terms.lease = lease;
  drains_[index].emplace(&ledger_, now, terms);
  const std::uint64_t process = node.process_number();
  node.Drain(
      [this, index, process](const absl::Status& status) { OnDrained(index, process, status); });
  TendDrain(index, process);
}

void World::OnDrained(std::size_t index, std::uint64_t process, const absl::Status& status) {
  const Node& node = *nodes_[index];
  // The process has ended before, which is how the runtime says so.
  if (!node.is_up() || node.process_number() != process) return;
  Drain& drain = *drains_[index];
  drain.OnOver();
  if (!status.ok()) ledger_.Violate(absl::StrCat("a drain failed: ", status.message()));
  for (const Phone& phone : phones_) {
    if (phone.node != index || !IsAlive(phone)) continue;
    ledger_.Violate(absl::StrCat("node ", index + 1, " says that it is empty, but user ",
                                 ToInt(phone.user), " is still connected"));
  }
  if (drain.terms().lease) CheckLeaseGivenBack(index, *drain.terms().lease);
}

// Whoever drains it looks now and then. While all is quiet they have all the time in the world: by
// the end of that everybody must have gone.
void World::TendDrain(std::size_t index, std::uint64_t process) {
  scenery_.simulation.After(random_.Between(200, 600), [this, index, process] {
    const Node& node = *nodes_[index];
    if (!node.is_up() || node.process_number() != process) return;
    const Drain& drain = *drains_[index];
    const bool is_late = scenery_.simulation.now() >= drain.terms().patience_until;
    if (drain.is_over() || (is_late && !is_quiet_)) {
      EndDrain(index, random_.Between(100, 3000));
    } else {
      TendDrain(index, process);
    }
  });
}

void World::EndDrain(std::size_t index, std::int64_t restart_after_ms) {
  ++(drains_[index]->is_over() ? drain_counts_.completed : drain_counts_.given_up);
  nodes_[index]->ShutDown();
  scenery_.simulation.After(restart_after_ms, [this, index] {
    if (!nodes_[index]->is_up()) nodes_[index]->Begin();
  });
}

void World::MoveAway(SessionId /*session*/, std::uint64_t cookie, absl::Duration after) {
  ledger_.OnAskedToMove(cookie);
  ++drain_counts_.asked;
  Connection& connection = connections_[cookie];
  const Time now = scenery_.simulation.now();
  if (drains_[connection.node]) {
    drains_[connection.node]->OnAsked(cookie, now, after);
  } else {
    ledger_.Violate("a client was asked to move by a node that nobody drains");
  }
  const std::int64_t after_ms = absl::ToInt64Milliseconds(after);
  connection.moves_at = Time{now.ms + after_ms};
  scenery_.simulation.After(after_ms, [this, index = connection.phone] {
    if (MustMove(phones_[index])) MoveElsewhere(index);
  });
}

bool World::MustMove(const Phone& phone) const {
  return IsAlive(phone) && !phone.is_stubborn &&
         scenery_.simulation.now() >= connections_[phone.cookie].moves_at;
}

// Most stay until they are connected elsewhere. Whoever is refused there tries again when they act
// next.
void World::MoveElsewhere(std::size_t index) {
  Phone& phone = phones_[index];
  const std::size_t others = nodes_.size() - 1;
  std::size_t to = phone.node;
  if (others > 0) to = (phone.node + 1 + random_.Below(others)) % nodes_.size();
  if (others > 0 && random_.Chance(0.7)) {
    ++drain_counts_.moved;
    return Connect(index, to);
  }
  ++drain_counts_.left_first;
  nodes_[phone.node]->runtime().Disconnect(phone.session);
  Leave(&phone);
  scenery_.simulation.After(random_.Between(0, 500), [this, index, to] {
    if (phones_[index].state == State::kOffline) Connect(index, to);
  });
}

// Some phones close the connection that they were asked to leave; for others the node does it, when
// it hears where they are.
void World::MayHangUp(std::uint64_t cookie) {
  if (connections_[cookie].moves_at == kNever || !random_.Chance(0.5)) return;
  scenery_.simulation.After(random_.Between(0, 200), [this, cookie] {
    const Connection& connection = connections_[cookie];
    Node& node = *nodes_[connection.node];
    if (!node.is_up() || node.process_number() != connection.process) return;
    node.runtime().Disconnect(connection.session);
  });
}

void World::CheckAnswerOfDrained(std::uint64_t cookie, const absl::Status& status) {
  const Connection& connection = connections_[cookie];
  const Node& node = *nodes_[connection.node];
  if (!node.is_draining() || node.process_number() != connection.process) return;
  if (!connection.is_for_drained) {
    if (status.ok()) drains_[connection.node]->OnAnswered();
    return;
  }
  ++drain_counts_.refused;
  if (absl::IsUnavailable(status)) return;
  ledger_.Violate(absl::StrCat("node ", connection.node + 1, ", which is being drained, answered ",
                               status.ToString(), " to a new client"));
}

void World::CheckNobodyIsDraining() {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (!nodes_[i]->is_draining()) continue;
    ledger_.Violate(absl::StrCat("node ", i + 1, " is still being drained"));
  }
}

std::optional<NodeLease> World::LeaseOf(std::size_t index) {
  std::vector<UserId> users;
  for (const Phone& phone : phones_) {
    if (phone.node == index && IsAlive(phone)) users.push_back(phone.user);
  }
  std::optional<NodeLease> lease;
  scenery_.directory.Lookup(users, [this, index, &lease](const auto& found) {
    for (const std::vector<SessionHolder>& holders : *found) {
      for (const SessionHolder& holder : holders) {
        if (holder.lease.node == nodes_[index]->id()) lease = holder.lease;
      }
    }
  });
  return lease;
}

void World::CheckLeaseGivenBack(std::size_t index, const NodeLease& lease) {
  scenery_.directory.FindEnded({&lease, 1}, [this, index](const auto& ended) {
    if (!ended->empty()) return;
    ledger_.Violate(absl::StrCat("node ", index + 1, " has not given its lease back"));
  });
  if (nodes_[index]->health() == NodeHealth::kUnready) return;
  ledger_.Violate(absl::StrCat("node ", index + 1, " has no clients, but takes itself for ready"));
}

// While it lasts some connect to the node, which takes those only who were quick enough; those who
// stay are to know of their friends, and these of them, as before.
void World::PlayDrain() {
  const std::size_t node = BusiestNode();
  // So that some are still being connected when it begins.
  SimulatedFaultOptions slow = scenery_.faults.options();
  slow.friends.delay_answer = 0.5;
  slow.friends.answer_delay = {500, 1500};
  scenery_.faults.SetOptions(slow);
  const bool are_some_stubborn = random_.Chance(0.5);
  for (std::size_t i = 0; i < phones_.size(); ++i) {
    if (phones_[i].node == node) {
      phones_[i].is_stubborn = are_some_stubborn && random_.Chance(0.4);
    } else if (random_.Chance(0.3)) {
      scenery_.simulation.After(random_.Between(0, 1500), [this, i, node] { Connect(i, node); });
    }
  }
  scenery_.simulation.After(random_.Between(300, 700),
                            [this, node] { BeginDrain(node, LeaseOf(node)); });
  LetSayLastWords(node, {800, 2500}, /*odds=*/0.5);
  scenery_.simulation.RunFor(kLastActMs);
  if (!ledger_.has_violation()) CheckLeft(node);
  if (!ledger_.has_violation()) CheckConverged();
  if (!ledger_.has_violation()) CheckUpToDate();
  if (!ledger_.has_violation()) ShutDownDrained(node);
}

void World::CheckLeft(std::size_t node) {
  bool is_somebody_there = false;
  for (const Phone& phone : phones_) {
    if (phone.node != node || !IsAlive(phone) || !nodes_[node]->is_draining()) continue;
    is_somebody_there = true;
    if (phone.is_stubborn) continue;
    ledger_.Violate(absl::StrCat("user ", ToInt(phone.user), " is still connected to node ",
                                 node + 1, ", which is being drained"));
  }
  if (!is_somebody_there) CheckNobodyIsDraining();
}

// Whoever drains it does not wait for those any longer who do not go.
void World::ShutDownDrained(std::size_t node) {
  for (Phone& phone : phones_) phone.is_stubborn = false;
  if (!nodes_[node]->is_draining()) return;
  const std::optional<NodeLease> lease = drains_[node]->terms().lease;
  EndDrain(node, /*restart_after_ms=*/2000);
  scenery_.simulation.RunFor(1500);
  if (lease) CheckLeaseGivenBack(node, *lease);
}

}  // namespace nearby::sim
