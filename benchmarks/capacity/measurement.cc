#include "benchmarks/capacity/measurement.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "benchmarks/capacity/batches.h"
#include "benchmarks/capacity/ceiling.h"
#include "benchmarks/capacity/load.h"
#include "benchmarks/capacity/memory.h"
#include "benchmarks/capacity/permutation.h"
#include "benchmarks/capacity/stage.h"
#include "benchmarks/capacity/stopwatch.h"
#include "benchmarks/capacity/textbook.h"
#include "benchmarks/capacity/trace.h"
#include "benchmarks/capacity/world.h"
#include "nearby/options.h"

namespace capacity {
namespace {

// The least that a baseline must reach of the ceiling, in pairs a second, or it is a man of straw.
// Holds where the records lie in memory: the ceiling is that of a cache otherwise, which serves a
// record far faster than the baseline's tables, which are many times as large.
constexpr double kLeastOfCeiling = 0.007;
constexpr std::uint32_t kUsersBeyondCaches = 8'000'000;

// Enough for a mean, and soon done.
constexpr std::uint32_t kBareUsers = 1'000'000;

// Checking the invariants is a pass over everything.
constexpr std::uint32_t kUsersToCheck = 100'000;

constexpr std::uint32_t kOfflineForEachOnline = 9;

nearby::EngineOptions OptionsFor(const Flags& flags, std::uint32_t users) {
  nearby::EngineOptions options;
  options.skip_far_pairs = flags.skipping;
  options.expected_entities = users;
  return options;
}

/// The same load in another world, small enough to be soon made: how a report's cost grows can be
/// told within one run.
class Reference {
 public:
  explicit Reference(const Flags& flags)
      : chunk_(flags.chunk),
        world_(MakeWorld({flags.reference_users, flags.friends, flags.seed})),
        load_(world_, {flags.seed, flags.batch, flags.chunk}) {
    if (!load_.engine().Create(OptionsFor(flags, world_.size()), kTraceStart)) std::abort();
    load_.ConnectAll();
    for (std::uint32_t round = 0; round < flags.warmup_rounds; ++round) load_.ReportRound();
  }

  Served Measure() { return load_.engine().ReportAll(load_.NextBatches(chunk_)); }
  std::uint64_t failures() { return load_.engine().failures(); }

 private:
  std::size_t chunk_;
  World world_;
  Load load_;
};

/// A run from the world on. The members are made in this order: the host's memory first, the
/// engine's last, so that what the process grows by is the engine's.
class Run {
 public:
  Run(const Flags& flags, const World& world, Measurement* found)
      : flags_(flags),
        found_(*found),
        world_(world),
        ceiling_(flags.users, flags.seed),
        load_(world, {flags.seed, flags.batch, flags.chunk}) {}

  void Prepare();
  void MakeBaseline();
  void MakeReference();
  void MeasureSlices();
  void Reconnect();
  void Judge();

 private:
  Slice MeasureSlice();
  Served ServeByTextbook(const std::vector<Batch>& batches);

  const Flags& flags_;
  Measurement& found_;
  const World& world_;
  Ceiling ceiling_;
  Load load_;
  std::unique_ptr<Reference> reference_;
  std::unique_ptr<Textbook> textbook_;
  std::vector<nearby::Delivery> textbook_deliveries_;
  Sink textbook_sink_;
};

void Run::Prepare() {
  const std::uint64_t resident_before = ResidentBytes();
  if (!load_.engine().Create(OptionsFor(flags_, flags_.users), kTraceStart)) std::abort();
  {
    const Stage stage("connecting");
    found_.connects = load_.ConnectAll();
  }
  const Stage stage("warming up");
  for (std::uint32_t round = 0; round < flags_.warmup_rounds; ++round) {
    found_.warmup.push_back(load_.ReportRound());
  }
  found_.engine_bytes = ResidentBytes() - resident_before;
}

void Run::MakeBaseline() {
  const Stage stage("setting up the baseline");
  textbook_ = std::make_unique<Textbook>(flags_.users);
  const Permutation order = load_.connect_order();
  for (std::uint32_t i = 0; i < flags_.users; ++i) {
    const std::uint32_t user = order(i);
    std::vector<nearby::UserId> friends;
    friends.reserve(world_.FriendsOf(user).size());
    for (const std::uint32_t other : world_.FriendsOf(user)) friends.push_back(IdOf(other));
    textbook_->Add(IdOf(user), /*cookie=*/user, std::move(friends));
    const Movement& movement = load_.trace().movement();
    textbook_->Place({IdOf(user),
                      movement.reported(user).ToLatLng(),
                      {kTraceStart.ms + movement.reported_at_ms(user)}});
  }
  textbook_->SettleSight(load_.trace().now());
}

void Run::MakeReference() {
  const Stage stage("setting up the reference");
  reference_ = std::make_unique<Reference>(flags_);
}

Slice Run::MeasureSlice() {
  const std::vector<Batch>& batches = load_.NextBatches(flags_.chunk);
  Slice slice;
  const std::size_t reads =
      std::clamp<std::size_t>(std::size_t{flags_.users} * 16, 1 << 20, 1 << 24);
  slice.ceiling_reads_per_s = ceiling_.Measure(reads);
  if (reference_ != nullptr) slice.reference = reference_->Measure();
  const nearby::EngineStats before = load_.engine().stats();
  slice.engine = load_.engine().ReportAll(batches);
  const nearby::EngineStats after = load_.engine().stats();
  slice.checks = after.checks - before.checks;
  slice.skipped = after.skipped - before.skipped;
  found_.bound_breaks += after.bound_breaks - before.bound_breaks;
  if (textbook_ != nullptr) slice.baseline = ServeByTextbook(batches);
  return slice;
}

Served Run::ServeByTextbook(const std::vector<Batch>& batches) {
  Served served;
  for (const Batch& batch : batches) {
    const Stopwatch watch;
    textbook_deliveries_.clear();
    for (const TracedReport& report : batch.reports) {
      textbook_->Report({IdOf(report.user), report.location, report.time}, batch.now,
                        &textbook_deliveries_);
    }
    textbook_sink_.Encode(textbook_deliveries_);
    served.seconds += watch.Seconds();
    served.calls += batch.reports.size();
    served.delivered += textbook_sink_.Take();
  }
  return served;
}

void Run::MeasureSlices() {
  const Stage stage("measuring");
  const nearby::Time begin = load_.trace().now();
  for (std::uint32_t i = 0; i < flags_.repetitions; ++i) found_.slices.push_back(MeasureSlice());
  found_.simulated_seconds = static_cast<double>(load_.trace().now().ms - begin.ms) / 1e3;
}

void Run::Reconnect() {
  const Stage stage("reconnecting");
  const std::vector<std::uint32_t> users =
      load_.SomeUsers(std::min(flags_.reconnects, flags_.users / 10));
  found_.disconnects = load_.engine().Disconnect(users);
  found_.reconnects = load_.engine().Connect(users, kOfflineForEachOnline * flags_.friends);
}

void Run::Judge() {
  if (load_.engine().failures() > 0) {
    found_.voids.push_back(
        absl::StrCat("the engine refused ", load_.engine().failures(), " calls"));
  }
  if (flags_.users <= kUsersToCheck) {
    const absl::Status status = load_.engine().CheckInvariants();
    if (!status.ok()) found_.voids.emplace_back(status.message());
  }
  std::vector<double> of_ceiling;
  for (const Slice& slice : found_.slices) {
    if (!slice.baseline.has_value()) continue;
    const Delivered& engine = slice.engine.delivered;
    const Delivered& baseline = slice.baseline->delivered;
    if (engine != baseline) {
      found_.voids.push_back(absl::StrFormat(
          "the engine delivered %d (checksum %016x) where the baseline delivered %d (%016x)",
          engine.count, engine.checksum, baseline.count, baseline.checksum));
    }
    const double pairs_per_s = slice.baseline->per_second() *
                               static_cast<double>(slice.checks + slice.skipped) /
                               static_cast<double>(slice.engine.calls);
    of_ceiling.push_back(pairs_per_s / slice.ceiling_reads_per_s);
  }
  if (of_ceiling.empty() || flags_.users < kUsersBeyondCaches) return;
  std::sort(of_ceiling.begin(), of_ceiling.end());
  const double median = of_ceiling[of_ceiling.size() / 2];
  if (median < kLeastOfCeiling) {
    found_.voids.push_back(
        absl::StrFormat("the baseline reaches %.4f of the ceiling; under %.3f it is no baseline",
                        median, kLeastOfCeiling));
  }
}

/// By an engine of users without friends, each of whom has reported.
double MeasureBareUser(const Flags& flags) {
  const Stage stage("weighing a user without friends");
  const std::uint32_t users = std::min(flags.users, kBareUsers);
  nearby::Effects effects;
  const std::uint64_t before = ResidentBytes();
  std::unique_ptr<nearby::Engine> engine = nearby::Engine::Create(OptionsFor(flags, users)).value();
  for (std::uint32_t user = 0; user < users; ++user) {
    const nearby::ClientHandle client = engine->Connect({IdOf(user), user, {}}, &effects).value();
    engine->FriendsLoaded(client, {}, {}, &effects).IgnoreError();
    engine->Report({client, {0, 0}, {0}}, &effects);
    effects.Clear();
  }
  return static_cast<double>(ResidentBytes() - before) / users;
}

}  // namespace

Measurement Measure(const Flags& flags) {
  Measurement found;
  found.flags = flags;
  found.bytes_per_bare_user = MeasureBareUser(flags);
  const World world = [&flags] {
    const Stage stage("making the world");
    return MakeWorld({flags.users, flags.friends, flags.seed});
  }();
  found.mix = world.mix;
  found.friendships = world.mix.total();
  Run run(flags, world, &found);
  run.Prepare();
  if (flags.baseline) run.MakeBaseline();
  if (flags.reference_users > 0) run.MakeReference();
  run.MeasureSlices();
  if (flags.reconnects > 0) run.Reconnect();
  run.Judge();
  return found;
}

}  // namespace capacity
