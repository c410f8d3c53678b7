#include "tests/sim/world.h"

#include <memory>

#include "absl/time/time.h"
#include "tests/sim/pace.h"

namespace nearby::sim {
namespace {

RuntimeOptions MakeRuntimeOptions(const WorldSize& size, SimulatedRandom* random) {
  RuntimeOptions options;
  options.shards = 1 + static_cast<std::uint32_t>(random->Below(2));
  options.engine.radius_m = kRadiusM;
  options.engine.ttl = absl::Milliseconds(kTtlMs);
  options.engine.unsubscribe_delay = absl::Seconds(1);
  options.engine.max_remembered_changes = random->Chance(0.1) ? 4 : 1000;
  if (random->Chance(0.2)) options.engine.connect_page_size = 2;
  options.load_timeout = absl::Seconds(2);
  options.min_retry_delay = absl::Milliseconds(20);
  options.max_retry_delay = absl::Milliseconds(500);
  options.max_pending_events = random->Chance(0.2) ? 2 : 64;
  options.drain_clients_per_second = size.DrainedPerSecond();
  options.drain_spread = absl::Milliseconds(kDrainSpreadMs);
  return options;
}

ClusterOptions MakeClusterOptions(NodeId node, bool probes_rarely, bool parks_for_long) {
  ClusterOptions options;
  options.node = node;
  options.lease_duration = absl::Milliseconds(kLeaseMs);
  options.lease_margin = absl::Seconds(1);
  options.probe_interval = absl::Milliseconds(probes_rarely ? kRareProbeMs : kProbeMs);
  options.max_park = absl::Milliseconds(parks_for_long ? kLongMaxParkMs : kMaxParkMs);
  options.ring_settle = absl::Seconds(4);
  options.call_timeout = absl::Seconds(1);
  options.min_retry_delay = absl::Milliseconds(20);
  options.max_retry_delay = absl::Milliseconds(500);
  options.max_resubscribes_per_second = 50;
  return options;
}

Simulation::Options SimulationOptions() {
  Simulation::Options options;
  options.start = Time::Millis(1'700'000'000'000);
  return options;
}

Ledger::Limits LedgerLimits() {
  // The oldest location that is not expired, on the clock that is farthest behind, for a client who
  // has been busy for longest.
  return {kRadiusM, kTtlMs + 30'000};
}

}  // namespace

World::World(const WorldOptions& options, absl::Span<const RingSource::Ring> rings)
    : options_(options),
      rings_(rings.begin(), rings.end()),
      scenery_(options.seed, SimulationOptions()),
      random_(scenery_.simulation.random().Fork()),
      odds_(Odds::Draw(&random_)),
      ledger_(&scenery_.simulation, LedgerLimits()),
      history_(&scenery_.faults, &ledger_) {
  scenery_.history = &history_;
  size_ = WorldSize(options.nodes != 0 ? options.nodes : 2 + random_.Below(4));
  RuntimeOptions runtime = MakeRuntimeOptions(size_, &random_);
  // Lists that are loaded again would heal what must not go wrong in the first place.
  refreshes_lists_ = random_.Chance(0.3);
  runtime.list_refresh_interval =
      refreshes_lists_ ? absl::Milliseconds(kRefreshMs) : absl::InfiniteDuration();
  probes_rarely_ = random_.Chance(0.5);
  // Nodes that check every pair say nothing of speeds, so that others learn of jumps when a park
  // ends.
  const bool parks_for_long = random_.Chance(0.5);
  const bool have_all_speeds = parks_for_long || random_.Chance(0.5);
  for (std::size_t i = 0; i < size_.nodes(); ++i) {
    const NodeId id{i + 1};
    runtime.engine.skip_far_pairs = have_all_speeds || random_.Chance(0.5);
    const std::int64_t steady_ppm =
        random_.Chance(0.75) ? random_.Between(-1, 1) * kMaxSteadyPpm : 0;
    nodes_.push_back(std::make_unique<Node>(&scenery_, id, runtime,
                                            MakeClusterOptions(id, probes_rarely_, parks_for_long),
                                            steady_ppm, this));
  }
  drains_.resize(nodes_.size());
  phones_.resize(size_.DrawPhones(&random_));
  MakeFriends();
  if (options.has_faults) {
    scenery_.faults.SetOptions(
        SimulatedFaultOptions::Draw(&random_, /*breaks_contracts=*/random_.Chance(0.7)));
  }
  // The first ring is known from the beginning; the others come as they come.
  scenery_.rings.Set(rings_[next_ring_++]).IgnoreError();
}

World::~World() {
  for (const auto& node : nodes_) {
    if (node->is_up()) node->Crash();
  }
}

void World::ScheduleAll() {
  Simulation& simulation = scenery_.simulation;
  for (const auto& node : nodes_) node->Begin();
  for (std::size_t i = 0; i < phones_.size(); ++i) {
    simulation.After(random_.Between(0, 1000), [this, i] { ActPhone(i); });
  }
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    simulation.After(1000, [this, i] { ActNode(i); });
  }
  simulation.After(500, [this] { ActEdit(); });
  simulation.After(5000, [this] { ActRing(); });
}

bool World::Run() {
  ScheduleAll();
  Simulation& simulation = scenery_.simulation;
  const std::uint64_t steps = size_.Steps(options_.steps);
  while (simulation.event_count() < steps && simulation.Step()) {
    if (simulation.event_count() % (512 * size_.growth()) == 0) CheckNodes();
  }
  ledger_.BeginScene("after the faults");
  is_quiet_ = true;
  scenery_.faults.Quiet();
  quiet_pace_ = scenery_.faults.options();
  for (const auto& node : nodes_) {
    if (!node->is_up()) node->Begin();
  }
  simulation.RunFor(kHealMs);
  ledger_.OnHealed();
  is_healed_ = true;
  CheckNobodyIsDraining();
  MakeUp();
  simulation.RunFor(kMakeUpMs);
  is_still_ = true;
  simulation.RunFor(kConvergeMs);
  if (!ledger_.has_violation()) CheckNodes();
  if (!ledger_.has_violation()) CheckConverged();
  if (!ledger_.has_violation()) PlayLastActs();
  return !ledger_.has_violation();
}

void World::ActNode(std::size_t index) {
  if (is_quiet_) return;
  Node& node = *nodes_[index];
  if (!node.is_up()) {
    node.Begin();
  } else if (options_.has_faults && random_.Chance(odds_.crash)) {
    ++crashes_;
    if (node.is_draining()) ++drain_counts_.crashed;
    node.Crash();
    scenery_.simulation.After(random_.Between(100, 10'000), [this, index] { ActNode(index); });
    return;
  } else if (random_.Chance(odds_.drain)) {
    BeginDrain(index, std::nullopt);
  }
  if (options_.has_faults && random_.Chance(odds_.cut_off_from_directory)) {
    CutOffFromDirectory(index, {2000, 8000});
  }
  if (options_.has_faults && random_.Chance(odds_.cut_off_from_letters)) {
    CutOffFromLetters(index, kShortCutOff);
  }
  scenery_.simulation.After(random_.Between(500, 1500), [this, index] { ActNode(index); });
}

void World::ActRing() {
  if (is_quiet_ || next_ring_ == rings_.size()) return;
  ++ring_changes_;
  scenery_.rings.Set(rings_[next_ring_++]).IgnoreError();
  scenery_.simulation.After(random_.Between(2000, 15'000), [this] { ActRing(); });
}

}  // namespace nearby::sim
