#include "nearby/testing/simulated_backend.h"

#include <cassert>

#include "src/testing/simulated_backend_state.h"

namespace nearby {
namespace {

constexpr SimulatedDelay kWithinASecond{0, 999};

}  // namespace

SimulatedBackendState::SimulatedBackendState(SimulatedFaults* the_faults, SimulatedStore the_store,
                                             const Options& the_options)
    : faults(the_faults),
      simulation(&the_faults->simulation()),
      store(the_store),
      options(the_options),
      random(simulation->random().Fork()) {
  faults->Add(this);
}

SimulatedBackendState::~SimulatedBackendState() { faults->Remove(this); }

const SimulatedFaultOptions::Store& SimulatedBackendState::hardships() const {
  switch (store) {
    case SimulatedStore::kLocations:
      return faults->options().locations;
    case SimulatedStore::kFriends:
      return faults->options().friends;
    case SimulatedStore::kHistory:
      return faults->options().history;
    case SimulatedStore::kSessions:
      break;
  }
  return faults->options().sessions;
}

SimulatedBackendState::Node& SimulatedBackendState::NodeOf(NodeId id) {
  const auto [it, is_new] = node_numbers.try_emplace(id, nodes.size());
  if (is_new) {
    assert(nodes.size() < options.max_nodes);
    nodes.emplace_back().id = id;
  }
  return nodes[it->second];
}

void SimulatedBackendState::SetUp(bool up) {
  if (is_up == up) return;
  is_up = up;
  ++outage_number;
  if (!up) Count(SimulatedStoreFault::kOutage, NodeId{});
}

void SimulatedBackendState::SetCut(Node& node, Cut cut) const {
  if (node.cut == cut) return;
  node.cut = cut;
  ++node.cut_number;
  if (cut == Cut::kNone) return;
  Count(cut == Cut::kBoth ? SimulatedStoreFault::kPartition : SimulatedStoreFault::kPartitionOneWay,
        node.id);
}

void SimulatedBackendState::BeginFaults() {
  if (is_up && random.Chance(hardships().outage)) {
    simulation->After(random.Draw(kWithinASecond), [this] { BeginOutage(); });
  }
  for (Node& node : nodes) {
    if (node.cut != Cut::kNone || !random.Chance(hardships().partition)) continue;
    simulation->After(random.Draw(kWithinASecond), [this, &node] { BeginPartition(node); });
  }
}

void SimulatedBackendState::BeginOutage() {
  if (faults->is_quiet() || !is_up) return;
  SetUp(false);
  simulation->After(random.Draw(hardships().outage_duration), [this, outage = outage_number] {
    if (outage_number == outage) SetUp(true);
  });
}

void SimulatedBackendState::BeginPartition(Node& node) {
  if (faults->is_quiet() || node.cut != Cut::kNone) return;
  Cut cut = Cut::kBoth;
  if (random.Chance(hardships().one_way)) {
    cut = random.Chance(0.5) ? Cut::kToStore : Cut::kFromStore;
  }
  SetCut(node, cut);
  simulation->After(random.Draw(hardships().partition_duration),
                    [this, &node, cut_number = node.cut_number] {
                      if (node.cut_number == cut_number) SetCut(node, Cut::kNone);
                    });
}

void SimulatedBackendState::Heal() {
  SetUp(true);
  for (Node& node : nodes) SetCut(node, Cut::kNone);
}

SimulatedBackend::SimulatedBackend(SimulatedFaults* faults, SimulatedStore store)
    : SimulatedBackend(faults, store, Options()) {}
SimulatedBackend::SimulatedBackend(SimulatedFaults* faults, SimulatedStore store,
                                   const Options& options)
    : state_(std::make_unique<SimulatedBackendState>(faults, store, options)) {}
SimulatedBackend::~SimulatedBackend() = default;

void SimulatedBackend::TakeDown() { state_->SetUp(false); }
void SimulatedBackend::BringUp() { state_->SetUp(true); }
void SimulatedBackend::SetPartition(NodeId node, Cut cut) {
  state_->SetCut(state_->NodeOf(node), cut);
}
bool SimulatedBackend::is_up() const { return state_->is_up; }
SimulatedBackend::Cut SimulatedBackend::partition(NodeId node) const {
  return state_->NodeOf(node).cut;
}
std::size_t SimulatedBackend::calls_under_way() const { return state_->calls_under_way; }

}  // namespace nearby
