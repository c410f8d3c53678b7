#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "benchmarks/capacity/batches.h"
#include "benchmarks/capacity/ceiling.h"
#include "benchmarks/capacity/median.h"
#include "benchmarks/capacity/memory.h"
#include "benchmarks/capacity/permutation.h"
#include "benchmarks/capacity/random.h"
#include "benchmarks/capacity/stage.h"
#include "benchmarks/capacity/trace.h"
#include "benchmarks/capacity/world.h"
#include "benchmarks/scenarios/churn_turns.h"
#include "benchmarks/scenarios/crew.h"
#include "benchmarks/scenarios/regions.h"
#include "benchmarks/scenarios/scenarios.h"
#include "benchmarks/scenarios/setup.h"
#include "benchmarks/scenarios/shard_team.h"

namespace scenarios {
namespace {

// Shards learn of each other's batches late, and late is not the same each time; more is a fault.
constexpr double kMostDeliveriesApart = 0.02;

// Whom is in sight of so many is compared in the end.
constexpr std::uint32_t kUsersToCompare = 100'000;

using HomeShard = std::function<nearby::ShardId(nearby::UserId)>;

/// What memory gives to several threads at once, to one: the machine's own limit.
class Ceilings {
 public:
  /// Tables that all together are as large as the lines of all users.
  explicit Ceilings(const Flags& flags) : crew_(flags.shards) {
    for (std::uint32_t i = 0; i < flags.shards; ++i) {
      ceilings_.push_back(std::make_unique<capacity::Ceiling>(
          flags.users / flags.shards * kRecordsPerUser, flags.seed + i));
    }
    rates_.resize(flags.shards);
  }

  double MeasureSpeedup() {
    const double alone = ceilings_[0]->Measure(kReads);
    crew_.Run([this](std::uint32_t i) { rates_[i] = ceilings_[i]->Measure(kReads); });
    double together = 0;
    for (const double rate : rates_) together += rate;
    return together / alone;
  }

 private:
  static constexpr std::uint32_t kRecordsPerUser = 8;  // A line.
  static constexpr std::size_t kReads = 1 << 22;

  std::vector<std::unique_ptr<capacity::Ceiling>> ceilings_;
  std::vector<double> rates_;
  Crew crew_;
};

/// A team, and what it took in the slices that count.
struct Subject {
  Subject(const Flags& flags, const capacity::World& world, std::uint32_t shards,
          HomeShard home_shard)
      : team(flags, world, shards, std::move(home_shard)) {}

  void Serve(absl::Span<const ShardStep> steps, bool counts) {
    const TeamWork work = team.Serve(steps);
    if (counts) slices.push_back(work);
  }

  /// All slices together.
  TeamWork Sum() const {
    TeamWork sum;
    for (const TeamWork& slice : slices) {
      sum.sum += slice.sum;
      sum.longest_s += slice.longest_s;
      sum.wall_s += slice.wall_s;
    }
    return sum;
  }

  ShardTeam team;
  double bytes = 0;
  nearby::EngineStats before;  ///< The slices that count.
  std::vector<TeamWork> slices;
};

/// The same reports and the same churn to one engine and to several.
class Run {
 public:
  Run(const Flags& flags, const capacity::World& world, HomeShard home_shard)
      : flags_(flags),
        world_(world),
        trace_(world, flags.seed),
        turns_(flags, flags.reports_per_churn),
        ceilings_(flags),
        one_(flags, world, 1, nullptr),
        several_(flags, world, flags.shards, std::move(home_shard)) {}

  void Connect();
  void WarmUp();
  void Measure();
  /// Lets everybody report again, and nobody learn of it late.
  void Settle();
  void Conclude(Findings* findings) const;
  void Judge(Findings* findings);

 private:
  enum class Churn : std::uint8_t { kNone, kSome };

  /// At most a round: so nobody gets ahead of the others by more than the skew that engines allow.
  std::size_t slice() const { return std::min(flags_.chunk, flags_.users); }

  /// What one engine is to do next, and then several.
  const std::vector<ShardStep>& NextSteps(std::size_t reports, Churn churn);
  const std::vector<ShardStep>& StepsForSeveral();
  void ConcludeShares(Findings* findings) const;
  double MedianOf(double (*ratio)(const TeamWork& one, const TeamWork& several)) const;

  const Flags& flags_;
  const capacity::World& world_;
  capacity::Trace trace_;
  ChurnTurns turns_;
  Ceilings ceilings_;
  Subject one_;
  Subject several_;
  std::vector<capacity::TracedReport> reports_;
  std::vector<ShardStep> steps_;
  std::vector<ShardStep> steps_for_several_;
  std::vector<double> ceiling_speedups_;
  std::uint64_t connects_ = 0;
};

void Run::Connect() {
  const capacity::Permutation order(flags_.users, capacity::Mix(flags_.seed + 3));
  std::vector<std::uint32_t> users(flags_.users);
  for (std::uint32_t i = 0; i < flags_.users; ++i) users[i] = order(i);
  for (Subject* const subject : {&one_, &several_}) {
    const capacity::Stage stage(absl::StrCat("connecting, shards: ", subject->team.shards()));
    const std::uint64_t before = capacity::ResidentBytes();
    subject->team.Connect(users);
    subject->bytes = static_cast<double>(capacity::ResidentBytes()) - static_cast<double>(before);
  }
}

const std::vector<ShardStep>& Run::NextSteps(std::size_t reports, Churn churn) {
  reports_.clear();
  trace_.Next(reports, &reports_);
  steps_.clear();
  for (const capacity::Batch& batch : capacity::CutIntoBatches(reports_, flags_.batch)) {
    steps_.push_back({batch, {}});
    if (churn == Churn::kSome) steps_.back().reconnects = turns_.After(batch.reports.size());
  }
  return steps_;
}

// So that each of several engines is handed as many at once as one is. Whoever connects anew does
// so after the same reports, or up to a batch later.
const std::vector<ShardStep>& Run::StepsForSeveral() {
  steps_for_several_.clear();
  auto step = steps_.begin();
  std::size_t left = 0;  // of the reports handed over, those after the steps passed
  const std::size_t size = std::size_t{flags_.batch} * flags_.shards;
  for (const capacity::Batch& batch : capacity::CutIntoBatches(reports_, size)) {
    steps_for_several_.push_back({batch, {}});
    std::vector<std::uint32_t>& reconnects = steps_for_several_.back().reconnects;
    left += batch.reports.size();
    for (; step != steps_.end() && step->batch.reports.size() <= left; ++step) {
      left -= step->batch.reports.size();
      reconnects.insert(reconnects.end(), step->reconnects.begin(), step->reconnects.end());
    }
  }
  return steps_for_several_;
}

void Run::WarmUp() {
  const capacity::Stage stage("warming up");
  for (std::uint32_t round = 0; round < flags_.warmup_rounds; ++round) {
    for (std::size_t left = flags_.users; left > 0;) {
      const std::size_t count = std::min(slice(), left);
      const std::vector<ShardStep>& steps = NextSteps(count, Churn::kSome);
      one_.Serve(steps, /*counts=*/false);
      several_.Serve(StepsForSeveral(), /*counts=*/false);
      left -= count;
    }
  }
}

void Run::Measure() {
  const capacity::Stage stage("measuring");
  one_.before = one_.team.stats();
  several_.before = several_.team.stats();
  for (std::uint32_t i = 0; i < flags_.repetitions; ++i) {
    ceiling_speedups_.push_back(ceilings_.MeasureSpeedup());
    const std::vector<ShardStep>& steps = NextSteps(slice(), Churn::kSome);
    for (const ShardStep& step : steps) connects_ += step.reconnects.size();
    one_.Serve(steps, /*counts=*/true);
    several_.Serve(StepsForSeveral(), /*counts=*/true);
  }
}

void Run::Settle() {
  const capacity::Stage stage("settling");
  // A user's reports come up to a second more than a round apart.
  for (std::size_t left = flags_.users + flags_.users / 15; left > 0;) {
    const std::size_t count = std::min(slice(), left);
    for (const ShardStep& step : NextSteps(count, Churn::kNone)) {
      one_.Serve({&step, 1}, /*counts=*/false);
      several_.Serve({&step, 1}, /*counts=*/false);
    }
    left -= count;
  }
}

double Run::MedianOf(double (*ratio)(const TeamWork& one, const TeamWork& several)) const {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < one_.slices.size(); ++i) {
    ratios.push_back(ratio(one_.slices[i], several_.slices[i]));
  }
  return capacity::Median(std::move(ratios));
}

void Run::Conclude(Findings* findings) const {
  const TeamWork one = one_.Sum();
  const TeamWork several = several_.Sum();
  const auto reports = static_cast<double>(one.sum.reports);
  findings->AddText("scenario", "shards");
  findings->AddText("placement", NameOf(flags_.placement));
  findings->Heading(absl::StrCat("Shards, each with a thread: ", flags_.shards, ", placement ",
                                 NameOf(flags_.placement), ", to one"));
  findings->AddCount("users", "users", flags_.users);
  findings->AddCount("shards", "shards", flags_.shards);
  findings->AddCount("reports", "reports", one.sum.reports);
  findings->AddCount("connects", "connects, each with ten times the friends", connects_);
  findings->Add(
      "speedup", "reports a second, by the busiest thread's own time",
      MedianOf([](const TeamWork& a, const TeamWork& b) { return a.longest_s / b.longest_s; }));
  findings->Add("wall_speedup", "the same by the wall",
                MedianOf([](const auto& a, const auto& b) { return a.wall_s / b.wall_s; }));
  findings->Add("work_to_one", "all threads' work",
                MedianOf([](const TeamWork& a, const TeamWork& b) {
                  return b.sum.seconds() / a.sum.seconds();
                }));
  findings->Add("ceiling_speedup", "reads of memory a second, as many threads to one",
                capacity::Median(ceiling_speedups_));
  findings->Add("one_reports_per_s", "reports a second, one", reports / one.longest_s);
  findings->Add("several_reports_per_s", "reports a second, several", reports / several.longest_s);
  findings->Add("cores_busy", "threads that ran at the same time, mean",
                several.sum.ran_s / several.wall_s);
  ConcludeShares(findings);
  findings->AddCount("one_deliveries", "deliveries, one", one.sum.deliveries);
  findings->AddCount("several_deliveries", "deliveries, several", several.sum.deliveries);
  findings->Add("one_bytes_per_user", "bytes a user when connected, one",
                one_.bytes / flags_.users);
  findings->Add("several_bytes_per_user", "bytes a user when connected, several",
                several_.bytes / flags_.users);
}

void Run::ConcludeShares(Findings* findings) const {
  const TeamWork one = one_.Sum();
  const TeamWork several = several_.Sum();
  const ShardWork& work = several.sum;
  const nearby::EngineStats after = several_.team.stats();
  findings->Add("crossing_share", "friendships across shards, of all",
                several_.team.CrossingShare());
  findings->Add("messages_per_report", "messages between shards, a report",
                static_cast<double>(after.messages_sent - several_.before.messages_sent) /
                    static_cast<double>(work.reports));
  findings->Add("parked_per_report", "reports that nobody had to be told of, a report",
                static_cast<double>(after.locations_parked - several_.before.locations_parked) /
                    static_cast<double>(work.reports));
  findings->Add("one_checks_per_report", "pairs looked at, a report, one",
                static_cast<double>(one_.team.stats().checks - one_.before.checks) /
                    static_cast<double>(work.reports));
  findings->Add("several_checks_per_report", "pairs looked at, a report, several",
                static_cast<double>(after.checks - several_.before.checks) /
                    static_cast<double>(work.reports));
  findings->Add("asked_per_report", "locations asked for, a report",
                static_cast<double>(after.locations_asked - several_.before.locations_asked) /
                    static_cast<double>(work.reports));
  findings->Add("entities_per_user", "entities a user",
                static_cast<double>(after.entities) / flags_.users);
  findings->Add("busiest_to_mean", "the busiest thread's work, to the mean",
                several.longest_s * flags_.shards / work.seconds());
  findings->Add("reporting_to_one", "work on reports, to one's",
                work.reporting_s / one.sum.reporting_s);
  findings->Add("connecting_to_one", "work on connects, to one's",
                work.connecting_s / one.sum.connecting_s);
  findings->Add("one_connecting_share", "of the work on connects, one",
                one.sum.connecting_s / one.sum.seconds());
  findings->Add("connecting_share", "of the work on connects, several",
                work.connecting_s / work.seconds());
  findings->Add("receiving_share", "of the work on messages received",
                work.receiving_s / work.seconds());
  findings->Add("mailing_share", "of the work on mailboxes", work.mailing_s / work.seconds());
}

void Run::Judge(Findings* findings) {
  const capacity::Stage stage("comparing");
  for (Subject* const subject : {&one_, &several_}) {
    for (std::uint32_t shard = 0; shard < subject->team.shards(); ++shard) {
      scenarios::Judge(subject->team.side(shard), findings);
    }
    if (subject->team.stats().clients != flags_.users) {
      findings->Void("somebody did not come back");
    }
  }
  const auto one = static_cast<double>(one_.Sum().sum.deliveries);
  const auto several = static_cast<double>(several_.Sum().sum.deliveries);
  if (std::abs(several - one) > kMostDeliveriesApart * one) {
    findings->Void(absl::StrCat("one delivered ", one, ", several ", several));
  }
  const capacity::Permutation order(flags_.users, capacity::Mix(flags_.seed + 4));
  std::uint64_t in_sight = 0;
  std::uint64_t otherwise = 0;
  for (std::uint32_t i = 0; i < std::min(flags_.users, kUsersToCompare); ++i) {
    const TeamSight sight = one_.team.InSightOf(order(i));
    in_sight += sight.friends;
    otherwise += sight == several_.team.InSightOf(order(i)) ? 0 : 1;
  }
  findings->AddCount("in_sight", "friends in sight in the end, of those compared", in_sight);
  if (in_sight == 0) findings->Void("nobody sees anybody");
  if (otherwise > 0) {
    findings->Void(absl::StrCat(otherwise, " users have others in sight than with one engine"));
  }
}

}  // namespace

Findings MeasureShards(const Flags& flags) {
  HomeShard home_shard;
  const capacity::World world = [&flags, &home_shard] {
    const capacity::Stage stage("making the world");
    capacity::World made = capacity::MakeWorld(WorldOptionsOf(flags));
    if (flags.placement == Placement::kHash) return made;
    Regions regions = CutIntoRegions(made, flags.shards);
    home_shard = std::move(regions.home);
    return flags.placement == Placement::kApart ? WithoutCrossing(regions.world, home_shard)
                                                : std::move(regions.world);
  }();
  Run run(flags, world, std::move(home_shard));
  run.Connect();
  run.WarmUp();
  run.Measure();
  Findings findings;
  run.Conclude(&findings);
  run.Settle();
  run.Judge(&findings);
  return findings;
}

}  // namespace scenarios
