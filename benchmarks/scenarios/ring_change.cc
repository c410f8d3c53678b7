#include "benchmarks/scenarios/ring_change.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "benchmarks/capacity/batches.h"
#include "benchmarks/capacity/stage.h"
#include "benchmarks/capacity/trace.h"
#include "benchmarks/capacity/world.h"
#include "benchmarks/scenarios/crossing_walk.h"
#include "benchmarks/scenarios/node_side.h"
#include "benchmarks/scenarios/scenarios.h"
#include "benchmarks/scenarios/setup.h"
#include "benchmarks/scenarios/sights.h"
#include "benchmarks/scenarios/subscription_watch.h"
#include "nearby/cluster_options.h"
#include "nearby/cluster_stats.h"
#include "nearby/geo.h"
#include "nearby/hash_ring.h"
#include "nearby/ring_source.h"
#include "nearby/runtime_options.h"
#include "nearby/time.h"

namespace scenarios {
namespace {

using nearby::RingSource;
using nearby::Time;

constexpr std::uint32_t kNodes = 8;
constexpr std::uint32_t kServers = 32;
// Nodes are polled this often.
constexpr std::int64_t kStepMs = 10;
// From the first node that learns of a ring to the last, evenly: so there are those that listen
// where nobody publishes yet, and those that publish where not everybody listens yet.
constexpr std::int64_t kRingSpreadMs = 10'000;
// From the last resubscription to when what was missed meanwhile must have been made up for.
constexpr std::int64_t kHealingMs = 1'000;
// Of the channels that a ring must move.
constexpr double kMostMoved = 1.15;

// What happened in a stretch of time.
struct Phase {
  std::uint64_t reports = 0;
  Traffic traffic;
  std::uint64_t changes = 0;
  std::uint64_t changes_told = 0;
  std::uint64_t most_wrong = 0;  // pairs at one time, by a look every second

  double PerReport(std::uint64_t count) const {
    return static_cast<double>(count) / static_cast<double>(std::max<std::uint64_t>(reports, 1));
  }
};

// What came of one change of the ring.
struct Change {
  std::uint64_t channels = 0;  // listened to when it came
  double fair_share = 0;       // of them that have to move
  std::uint64_t moved = 0;
  std::uint64_t elsewhere = 0;  // not listened to at the new owner when all should have moved
  std::uint64_t most_in_a_second = 0;
  double storm_s = 0;           // the longest of all nodes'
  double expected_s = 0;        // its channels, at the pace
  std::int64_t settled_ms = 0;  // from the first that knew of the ring to when nobody listens twice
  bool is_settled = false;
  Phase before, during, settling, after;
  Sights::Pairs healed;
  Sights::Pairs end;
};

class Show {
 public:
  explicit Show(const Flags& flags);

  // Lets so much time pass under load.
  Phase Run(std::int64_t duration_ms);
  Change ChangeRing(std::vector<nearby::RingSeat> seats);

  double InSightPerUser() const;
  void Judge(Findings* findings) const;
  std::uint32_t nodes() const { return nodes_; }

 private:
  void Step();
  Phase Begin() const;
  void End(Phase* phase) const;
  // Has each node told in its turn, and goes on until all have moved.
  void Spread(const RingSource::Ring& ring, Change* change);
  void Settle(Change* change);
  void MeasureStorm(const std::vector<Time>& told, Change* change) const;
  std::vector<std::uint64_t> ToMove() const;

  const Flags flags_;
  const std::uint32_t nodes_;
  capacity::World world_;
  CrossingWalk walk_;
  SubscriptionWatch watch_;
  Sights sights_;
  RingSource::Ring ring_;
  Time now_ = capacity::kTraceStart;
  Time next_look_ = capacity::kTraceStart;
  std::uint64_t reports_ = 0;
  std::uint64_t most_wrong_ = 0;
  std::vector<capacity::TracedReport> due_;
  NodeSide side_;

  static NodeSideOptions SideOptions(const Flags& flags, std::uint32_t nodes, RingSource::Ring ring,
                                     SubscriptionWatch* watch);
};

RingSource::Ring RingOf(std::uint64_t version, std::vector<nearby::RingSeat> seats) {
  return nearby::HashRing::Create(nearby::RingVersion{version}, std::move(seats)).value();
}

NodeSideOptions Show::SideOptions(const Flags& flags, std::uint32_t nodes, RingSource::Ring ring,
                                  SubscriptionWatch* watch) {
  NodeSideOptions options;
  options.nodes = nodes;
  options.runtime.engine.skip_far_pairs = flags.skipping;
  options.cluster.max_resubscribes_per_second = flags.pace;
  options.ring = std::move(ring);
  options.watch = watch;
  return options;
}

Show::Show(const Flags& flags)
    : flags_(flags),
      nodes_(flags.nodes == 0 ? kNodes : flags.nodes),
      world_(capacity::MakeWorld(WorldOptionsOf(flags))),
      walk_(flags.users, flags.seed),
      watch_(nodes_),
      sights_(world_),
      ring_(RingOf(1, MakeSeats(kServers))),
      side_(world_, SideOptions(flags, nodes_, ring_, &watch_), &sights_) {
  const capacity::Stage stage("connecting to the nodes");
  side_.ConnectAll();
}

void Show::Step() {
  now_.ms += kStepMs;
  due_.clear();
  walk_.Next(now_, &due_);
  for (const capacity::TracedReport& report : due_) {
    sights_.Report(report.user, nearby::Position::FromLatLng(report.location));
  }
  reports_ += due_.size();
  const capacity::Batch batch{due_, now_};
  side_.ReportAll({&batch, 1});
  if (now_ < next_look_) return;
  next_look_.ms += 1'000;
  most_wrong_ = std::max(most_wrong_, sights_.Count().wrong);
}

Phase Show::Begin() const {
  return {reports_, side_.traffic(), sights_.changes(), sights_.changes_told()};
}

void Show::End(Phase* phase) const {
  phase->reports = reports_ - phase->reports;
  phase->traffic = side_.traffic() - phase->traffic;
  phase->changes = sights_.changes() - phase->changes;
  phase->changes_told = sights_.changes_told() - phase->changes_told;
  phase->most_wrong = most_wrong_;
}

Phase Show::Run(std::int64_t duration_ms) {
  most_wrong_ = 0;
  Phase phase = Begin();
  for (const Time until{now_.ms + duration_ms}; now_ < until;) Step();
  End(&phase);
  return phase;
}

std::vector<std::uint64_t> Show::ToMove() const {
  std::vector<std::uint64_t> left;
  for (std::uint32_t node = 0; node < nodes_; ++node) {
    left.push_back(side_.stats(node).channels_to_move);
  }
  return left;
}

void Show::Spread(const RingSource::Ring& ring, Change* change) {
  constexpr std::int64_t kGiveUpMs = 600'000;
  const Time begin = now_;
  std::vector<Time> told;
  while (now_.ms < begin.ms + kGiveUpMs) {
    while (told.size() < nodes_ &&
           now_.ms - begin.ms >= kRingSpreadMs * static_cast<std::int64_t>(told.size()) /
                                     static_cast<std::int64_t>(nodes_ - 1)) {
      told.push_back(now_);
      side_.SetRing(static_cast<std::uint32_t>(told.size() - 1), ring);
    }
    Step();
    const std::vector<std::uint64_t> left = ToMove();
    if (told.size() == nodes_ && std::count(left.begin(), left.end(), 0u) == nodes_) break;
  }
  change->elsewhere = watch_.CountElsewhere(*ring);
  MeasureStorm(told, change);
}

void Show::MeasureStorm(const std::vector<Time>& told, Change* change) const {
  for (std::uint32_t node = 0; node < nodes_; ++node) {
    const SubscriptionWatch::Storm& storm = watch_.storm(node);
    change->moved += storm.resubscriptions;
    change->most_in_a_second = std::max(change->most_in_a_second, storm.most_in_a_second);
    const double storm_s = static_cast<double>(storm.last.ms - told[node].ms) / 1'000;
    if (storm.resubscriptions == 0 || storm_s < change->storm_s) continue;
    change->storm_s = storm_s;
    change->expected_s = static_cast<double>(storm.resubscriptions) / flags_.pace;
  }
}

void Show::Settle(Change* change) {
  const std::int64_t settle_ms = absl::ToInt64Milliseconds(nearby::ClusterOptions().ring_settle);
  constexpr std::int64_t kGraceMs = 5'000;
  const Time begin = now_;
  do {
    Step();
    // Looking costs a pass over all channels.
    if (now_.ms % 100 == 0) change->is_settled = watch_.subscriptions() == watch_.channels();
  } while (!change->is_settled && now_.ms < begin.ms + settle_ms + kGraceMs);
}

// Of the channels, those that have to move: the share of the seat that comes or goes, or of the one
// whose server is replaced.
double FairShare(const nearby::HashRing& from, const nearby::HashRing& to) {
  return 1.0 / static_cast<double>(std::max(from.seats().size(), to.seats().size()));
}

Change Show::ChangeRing(std::vector<nearby::RingSeat> seats) {
  const RingSource::Ring ring = RingOf(nearby::ToInt(ring_->version()) + 1, std::move(seats));
  Change change;
  change.before = Run(capacity::kReportIntervalMs);
  watch_.Restart();
  change.channels = watch_.channels();
  change.fair_share = FairShare(*ring_, *ring);
  const Time begin = now_;
  most_wrong_ = 0;
  change.during = Begin();
  Spread(ring, &change);
  End(&change.during);
  change.settling = Begin();
  Run(kHealingMs);
  change.healed = sights_.Count();
  most_wrong_ = 0;
  Settle(&change);
  End(&change.settling);
  change.settled_ms = now_.ms - begin.ms;
  change.after = Run(capacity::kReportIntervalMs);
  change.end = sights_.Count();
  ring_ = ring;
  return change;
}

double Show::InSightPerUser() const {
  return static_cast<double>(sights_.Count().in_sight) / flags_.users;
}

void Show::Judge(Findings* findings) const {
  const auto expect_none = [findings](std::uint64_t count, absl::string_view what) {
    if (count > 0) findings->Void(absl::StrCat(count, " ", what));
  };
  expect_none(sights_.out_of_turn(), "enters, moves or leaves out of turn");
  expect_none(sights_.repeated(), "reports told twice, or after a newer one");
  expect_none(sights_.ended(), "sessions ended");
  expect_none(side_.failures(), "calls failed");
  expect_none(watch_.links_lost(), "links lost");
}

void Judge(const Change& change, absl::string_view name, std::uint64_t allowed_a_second,
           Findings* findings) {
  const double ideal = change.fair_share * static_cast<double>(change.channels);
  if (static_cast<double>(change.moved) > kMostMoved * ideal) {
    findings->Void(absl::StrCat(name, ": ", change.moved, " channels moved; ideal were ", ideal));
  }
  if (change.elsewhere > 0) {
    findings->Void(absl::StrCat(name, ": ", change.elsewhere,
                                " channels are not listened to where the ring has them"));
  }
  if (change.most_in_a_second > allowed_a_second) {
    findings->Void(absl::StrCat(name, ": ", change.most_in_a_second,
                                " resubscriptions of one node in one second"));
  }
  if (change.healed.wrong > 0) {
    findings->Void(absl::StrCat(name, ": ", change.healed.wrong,
                                " pairs wrong when all channels had been moved"));
  }
  if (change.end.wrong > 0) {
    findings->Void(absl::StrCat(name, ": ", change.end.wrong, " pairs wrong in the end"));
  }
  if (!change.is_settled) {
    findings->Void(absl::StrCat(name, ": former owners are listened to after ring_settle"));
  }
}

void AddPhase(const std::string& key, absl::string_view name, const Phase& phase,
              Findings* findings) {
  findings->Add(key + "_messages_per_report", absl::StrCat("messages a report, ", name),
                phase.PerReport(phase.traffic.messages()));
}

void Add(const Change& change, const std::string& key, absl::string_view name,
         std::uint64_t allowed_a_second, Findings* findings) {
  findings->Heading(name);
  findings->AddCount(key + "_channels", "channels listened to, all nodes together",
                     change.channels);
  findings->AddCount(key + "_moved", "of these, moved", change.moved);
  findings->Add(key + "_moved_to_ideal", "moved, to the ideal",
                static_cast<double>(change.moved) /
                    (change.fair_share * static_cast<double>(change.channels)));
  findings->AddCount(key + "_most_in_a_second", "most of one node in any second",
                     change.most_in_a_second);
  findings->Add(key + "_storm_s", "longest storm of a node, s", change.storm_s);
  findings->Add(key + "_storm_to_expected", "the same, to its channels at the pace",
                change.expected_s > 0 ? change.storm_s / change.expected_s : 0);
  findings->Add(key + "_settled_s", "until no former owner is listened to, s",
                static_cast<double>(change.settled_ms) / 1'000);
  AddPhase(key + "_before", "before", change.before, findings);
  AddPhase(key + "_during", "until all have moved", change.during, findings);
  AddPhase(key + "_settling", "until former owners are left", change.settling, findings);
  AddPhase(key + "_after", "after", change.after, findings);
  findings->Add(key + "_changes_per_report", "friends who come in sight or go, a report",
                change.before.PerReport(change.before.changes));
  const auto told = [](const Phase& phase) {
    return static_cast<double>(phase.changes_told) / static_cast<double>(phase.changes);
  };
  findings->Add(key + "_told_before", "of these, told, before", told(change.before));
  findings->Add(key + "_told_during", "the same, until all have moved", told(change.during));
  findings->AddCount(key + "_most_wrong_before", "pairs wrong at one time, before",
                     change.before.most_wrong);
  findings->AddCount(key + "_most_wrong_during", "the same, until all have moved",
                     change.during.most_wrong);
  findings->AddCount(key + "_wrong_healed", "the same, when all have moved", change.healed.wrong);
  findings->AddCount(key + "_wrong_end", "the same, in the end", change.end.wrong);
  Judge(change, name, allowed_a_second, findings);
}

}  // namespace

Findings MeasureRingChange(const Flags& flags, std::uint64_t allowed_a_second) {
  Show show(flags);
  const capacity::Stage stage("changing the ring");
  show.Run(std::int64_t{flags.warmup_rounds} * capacity::kReportIntervalMs);
  std::vector<nearby::RingSeat> seats = MakeSeats(kServers + 1);
  const Change add = show.ChangeRing(seats);
  seats.erase(seats.begin() + kServers / 2);
  const Change remove = show.ChangeRing(seats);
  seats[kServers / 4].server = "pubsub-new";
  const Change replace = show.ChangeRing(seats);

  Findings findings;
  findings.AddText("scenario", "ring-change");
  findings.AddCount("users", "users", flags.users);
  findings.AddCount("nodes", "nodes", show.nodes());
  findings.AddCount("pace", "resubscriptions a second that a node may make", flags.pace);
  findings.Add("in_sight_per_user", "friends in sight of a user", show.InSightPerUser());
  Add(add, "add", "A server is added to 32", allowed_a_second, &findings);
  Add(remove, "remove", "One of 33 servers is removed", allowed_a_second, &findings);
  Add(replace, "replace", "A server takes another's seat", allowed_a_second, &findings);
  show.Judge(&findings);
  return findings;
}

Findings MeasureRingChange(const Flags& flags) { return MeasureRingChange(flags, flags.pace); }

}  // namespace scenarios
