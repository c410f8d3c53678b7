#include "benchmarks/scenarios/ring_show.h"

#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "benchmarks/capacity/batches.h"
#include "benchmarks/capacity/stage.h"
#include "benchmarks/scenarios/setup.h"
#include "nearby/cluster_options.h"
#include "nearby/cluster_stats.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/runtime_options.h"

namespace scenarios {
namespace {

using nearby::RingSource;
using nearby::Time;

constexpr std::uint32_t kNodes = 8;
// Nodes are polled this often.
constexpr std::int64_t kStepMs = 10;
// From the first node that learns of a ring to the last, evenly: so there are those that listen
// where nobody publishes yet, and those that publish where not everybody listens yet.
constexpr std::int64_t kRingSpreadMs = 10'000;
// From the last resubscription to when it has been asked for what was missed meanwhile.
constexpr std::int64_t kAskingMs = 1'000;
// How long a server is dead before its seat has another: long enough for each of its channels to be
// silent for as long as a node lets it be, twice.
constexpr std::int64_t kDeadMs = 4 * std::int64_t{capacity::kReportIntervalMs};

RingSource::Ring RingOf(std::uint64_t version, std::vector<nearby::RingSeat> seats) {
  return nearby::HashRing::Create(nearby::RingVersion{version}, std::move(seats)).value();
}

NodeSideOptions SideOptions(const Flags& flags, std::uint32_t nodes, RingSource::Ring ring,
                            SubscriptionWatch* watch) {
  NodeSideOptions options;
  options.nodes = nodes;
  options.runtime.engine.skip_far_pairs = flags.skipping;
  options.cluster.max_resubscribes_per_second = flags.pace;
  options.ring = std::move(ring);
  options.watch = watch;
  return options;
}

// Of the channels, those that have to move: the share of the seat that comes or goes, or of the one
// whose server is replaced.
double FairShare(const nearby::HashRing& from, const nearby::HashRing& to) {
  return 1.0 / static_cast<double>(std::max(from.seats().size(), to.seats().size()));
}

}  // namespace

RingShow::RingShow(const Flags& flags)
    : flags_(flags),
      nodes_(flags.nodes == 0 ? kNodes : flags.nodes),
      world_(capacity::MakeWorld(WorldOptionsOf(flags))),
      walk_(flags.users, flags.seed),
      watch_(nodes_),
      sights_(world_),
      ring_(RingOf(1, MakeSeats(kRingServers))),
      side_(world_, SideOptions(flags, nodes_, ring_, &watch_), &sights_) {
  const capacity::Stage stage("connecting to the nodes");
  sights_.SetTime(now_);
  side_.ConnectAll();
}

void RingShow::Step() {
  now_.ms += kStepMs;
  sights_.SetTime(now_);
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

Phase RingShow::Begin() const {
  return {reports_, side_.traffic(), sights_.changes(), sights_.changes_told()};
}

void RingShow::End(Phase* phase) const {
  phase->reports = reports_ - phase->reports;
  phase->traffic = side_.traffic() - phase->traffic;
  phase->changes = sights_.changes() - phase->changes;
  phase->changes_told = sights_.changes_told() - phase->changes_told;
  phase->most_wrong = most_wrong_;
}

Phase RingShow::Run(std::int64_t duration_ms) {
  most_wrong_ = 0;
  Phase phase = Begin();
  for (const Time until{now_.ms + duration_ms}; now_ < until;) Step();
  End(&phase);
  return phase;
}

std::vector<std::uint64_t> RingShow::ToMove() const {
  std::vector<std::uint64_t> left;
  for (std::uint32_t node = 0; node < nodes_; ++node) {
    left.push_back(side_.stats(node).channels_to_move);
  }
  return left;
}

void RingShow::Spread(const RingSource::Ring& ring, bool is_former_dead, RingChange* change) {
  constexpr std::int64_t kGiveUpMs = 600'000;
  const Time begin = now_;
  std::vector<Time> told;
  own_storms_.assign(nodes_, {});
  counted_.clear();
  while (now_.ms < begin.ms + kGiveUpMs) {
    while (told.size() < nodes_ &&
           now_.ms - begin.ms >= kRingSpreadMs * static_cast<std::int64_t>(told.size()) /
                                     static_cast<std::int64_t>(nodes_ - 1)) {
      const auto node = static_cast<std::uint32_t>(told.size());
      told.push_back(now_);
      counted_.push_back(side_.stats(node).resubscribes);
      side_.SetRing(node, ring);
    }
    Step();
    for (std::uint32_t node = 0; node < told.size(); ++node) CountResubscriptions(node);
    const std::vector<std::uint64_t> left = ToMove();
    if (told.size() == nodes_ && std::count(left.begin(), left.end(), 0u) == nodes_) break;
  }
  change->elsewhere = side_.stats().channels - watch_.CountAtOwners(*ring);
  std::vector<SubscriptionStorm> seen;
  for (std::uint32_t node = 0; node < nodes_; ++node) seen.push_back(watch_.storm(node));
  // What is lost with a server, given up and subscribed to later as if for the first time cannot be
  // told apart at the transport.
  MeasureStorms(told, is_former_dead ? own_storms_ : seen, change);
}

void RingShow::CountResubscriptions(std::uint32_t node) {
  const std::uint64_t count = side_.stats(node).resubscribes;
  if (count == counted_[node]) return;
  own_storms_[node].Add(now_, count - counted_[node]);
  counted_[node] = count;
}

void RingShow::MeasureStorms(const std::vector<Time>& told,
                             const std::vector<SubscriptionStorm>& storms,
                             RingChange* change) const {
  for (std::uint32_t node = 0; node < nodes_; ++node) {
    const SubscriptionStorm& storm = storms[node];
    change->moved += storm.resubscriptions;
    change->most_in_a_second = std::max(change->most_in_a_second, storm.most_in_a_second);
    const double storm_s = static_cast<double>(storm.last.ms - told[node].ms) / 1'000;
    if (storm.resubscriptions == 0 || storm_s < change->storm_s) continue;
    change->storm_s = storm_s;
    change->expected_s = static_cast<double>(storm.resubscriptions) / flags_.pace;
  }
}

void RingShow::Settle(RingChange* change) {
  const std::int64_t settle_ms = absl::ToInt64Milliseconds(nearby::ClusterOptions().ring_settle);
  constexpr std::int64_t kGraceMs = 5'000;
  const Time begin = now_;
  do {
    Step();
    // Looking costs a pass over all channels.
    if (now_.ms % 100 == 0) change->is_settled = watch_.subscriptions() == watch_.channels();
  } while (!change->is_settled && now_.ms < begin.ms + settle_ms + kGraceMs);
}

RingChange RingShow::Announced(const nearby::HashRing& to, Phase before) const {
  RingChange change;
  change.before = before;
  change.channels = watch_.channels();
  change.fair_share = FairShare(*ring_, to);
  return change;
}

void RingShow::Publish(const RingSource::Ring& ring, bool is_former_dead, RingChange* change) {
  watch_.Restart();
  const Time begin = now_;
  most_wrong_ = 0;
  change->during = Begin();
  Spread(ring, is_former_dead, change);
  End(&change->during);
  change->settling = Begin();
  Run(kAskingMs);
  change->wrong_when_moved = sights_.Count().wrong;
  if (is_former_dead) Run(capacity::kReportIntervalMs - kAskingMs);
  change->wrong_when_healed = sights_.Count().wrong;
  most_wrong_ = 0;
  Settle(change);
  End(&change->settling);
  change->settled_ms = now_.ms - begin.ms;
  change->after = Run(capacity::kReportIntervalMs);
  change->wrong_in_the_end = sights_.Count().wrong;
  ring_ = ring;
}

RingChange RingShow::ChangeRing(std::vector<nearby::RingSeat> seats) {
  const RingSource::Ring ring = RingOf(nearby::ToInt(ring_->version()) + 1, std::move(seats));
  const Phase before = Run(capacity::kReportIntervalMs);
  RingChange change = Announced(*ring, before);
  Publish(ring, /*is_former_dead=*/false, &change);
  return change;
}

ServerDeath RingShow::LoseServer(absl::string_view server, std::vector<nearby::RingSeat> seats) {
  const RingSource::Ring ring = RingOf(nearby::ToInt(ring_->version()) + 1, std::move(seats));
  const Phase before = Run(capacity::kReportIntervalMs);
  ServerDeath death;
  death.change = Announced(*ring, before);
  const std::uint64_t links_lost = watch_.links_lost();
  sights_.RestartSilences();
  side_.TakeDown(server);
  death.links_lost = watch_.links_lost() - links_lost;
  links_lost_with_servers_ += death.links_lost;
  death.dead = Run(kDeadMs);
  const RingSource::Ring former = ring_;
  Publish(ring, /*is_former_dead=*/true, &death.change);
  MeasureSilences(*former, server, &death);
  return death;
}

void RingShow::MeasureSilences(const nearby::HashRing& ring, absl::string_view server,
                               ServerDeath* death) const {
  const auto is_apart = [this](std::uint32_t user, std::uint32_t other) {
    return side_.NodeOf(user) != side_.NodeOf(other);
  };
  const auto is_there = [&](std::uint32_t other) {
    return ring.Owner(capacity::IdOf(other))->server == server;
  };
  death->silences_ms = sights_.SilencesMs([&](std::uint32_t user, std::uint32_t other) {
    return is_apart(user, other) && is_there(other);
  });
  death->other_silences_ms = sights_.SilencesMs([&](std::uint32_t user, std::uint32_t other) {
    return is_apart(user, other) && !is_there(other);
  });
}

double RingShow::InSightPerUser() const {
  return static_cast<double>(sights_.Count().in_sight) / flags_.users;
}

void RingShow::Judge(Findings* findings) const {
  const auto expect_none = [findings](std::uint64_t count, absl::string_view what) {
    if (count > 0) findings->Void(absl::StrCat(count, " ", what));
  };
  expect_none(sights_.out_of_turn(), "enters, moves or leaves out of turn");
  expect_none(sights_.repeated(), "reports told twice, or after a newer one");
  expect_none(sights_.ended(), "sessions ended");
  expect_none(side_.failures(), "calls failed");
  expect_none(watch_.links_lost() - links_lost_with_servers_, "links lost to servers that live");
}

}  // namespace scenarios
