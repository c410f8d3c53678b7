#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmarks/capacity/batches.h"
#include "benchmarks/capacity/engine_side.h"
#include "benchmarks/capacity/load.h"
#include "benchmarks/capacity/median.h"
#include "benchmarks/capacity/movement.h"
#include "benchmarks/capacity/sink.h"
#include "benchmarks/capacity/stage.h"
#include "benchmarks/capacity/world.h"
#include "benchmarks/scenarios/runtime_side.h"
#include "benchmarks/scenarios/scenarios.h"
#include "benchmarks/scenarios/setup.h"
#include "nearby/client_sink.h"
#include "nearby/runtime_options.h"
#include "nearby/runtime_stats.h"

namespace scenarios {
namespace {

using capacity::Batch;
using capacity::Served;

constexpr std::uint32_t kShardCounts[] = {1, 2, 4};

/// Writes what clients are told to the same kind of buffer as EngineSide.
class EncodingSink : public nearby::ClientSink {
 public:
  Flow Deliver(const nearby::ClientBatch& batch) override {
    sink_.Encode(batch);
    return Flow::kReady;
  }
  void Ended(nearby::SessionId /*session*/, std::uint64_t /*cookie*/,
             EndReason /*reason*/) override {}

  std::uint64_t Discard() { return sink_.Discard(); }

 private:
  capacity::Sink sink_;
};

/// A runtime with so many shards, everybody connected, and what it took.
class Subject {
 public:
  Subject(const Flags& flags, const capacity::World& world, std::uint32_t shards)
      : shards_(shards), side_(world, RuntimeOptionsOf(flags, shards), &sink_) {
    const capacity::Stage stage(absl::StrCat("connecting, shards: ", shards));
    side_.ConnectAll();
    sink_.Discard();
  }

  Served Report(const std::vector<Batch>& batches) {
    const Served served = side_.ReportAll(batches);
    events_ += sink_.Discard();
    return served;
  }

  /// From now on it counts.
  void Begin() {
    before_ = side_.runtime().stats();
    events_ = 0;
  }
  void AddRatio(double ratio) { ratios_.push_back(ratio); }

  void Conclude(std::uint64_t reports, std::uint64_t direct_deliveries, Findings* findings) const;

 private:
  static nearby::RuntimeOptions RuntimeOptionsOf(const Flags& flags, std::uint32_t shards) {
    nearby::RuntimeOptions options;
    options.engine.skip_far_pairs = flags.skipping;
    options.shards = shards;
    options.max_batch = flags.batch;
    options.max_queued_reports = flags.batch;
    return options;
  }

  std::uint32_t shards_;
  EncodingSink sink_;
  mutable RuntimeSide side_;
  nearby::RuntimeStats before_;
  std::uint64_t events_ = 0;
  std::vector<double> ratios_;
};

void Subject::Conclude(std::uint64_t reports, std::uint64_t direct_deliveries,
                       Findings* findings) const {
  const nearby::RuntimeStats after = side_.runtime().stats();
  const auto count = static_cast<double>(reports);
  const std::string key = absl::StrCat("shards_", shards_);
  findings->Heading(absl::StrCat("Through a runtime, shards: ", shards_));
  findings->Add(absl::StrCat(key, "_to_engine"), "a report, to one of the engine alone",
                capacity::Median(ratios_));
  findings->Add(absl::StrCat(key, "_messages_per_report"), "messages between shards, a report",
                static_cast<double>(after.messages_taken - before_.messages_taken) / count);
  findings->Add(absl::StrCat(key, "_events_per_batch"), "events handed to a client at once",
                static_cast<double>(events_) /
                    static_cast<double>(after.batches_delivered - before_.batches_delivered));
  findings->AddCount(absl::StrCat(key, "_events"), "events", events_);
  if (side_.failures() > 0) findings->Void("the runtime refused calls");
  // What a client had not been told yet when something newer came.
  const std::uint64_t merged = after.events_merged - before_.events_merged +
                               after.events_cancelled - before_.events_cancelled;
  // With several, what one report of a batch changes another shard may learn after the next one.
  if (shards_ == 1 && events_ + merged != direct_deliveries) {
    findings->Void(absl::StrCat("the runtime delivered ", events_, " and merged ", merged,
                                ", the engine delivered ", direct_deliveries));
  }
}

}  // namespace

Findings MeasureHops(const Flags& flags) {
  const capacity::World world = capacity::MakeWorld(WorldOptionsOf(flags));
  capacity::Load load(world, LoadOptionsOf(flags, capacity::Mobility::kAsPeopleDo));
  Connect(flags, world, &load);
  std::vector<std::unique_ptr<Subject>> subjects;
  for (const std::uint32_t shards : kShardCounts) {
    subjects.push_back(std::make_unique<Subject>(flags, world, shards));
  }
  const std::uint32_t warmup =
      flags.warmup_rounds * ((flags.users + flags.chunk - 1) / flags.chunk);
  Served direct;
  const capacity::Stage stage("reporting");
  for (std::uint32_t i = 0; i < warmup + flags.repetitions; ++i) {
    const bool counts = i >= warmup;
    if (i == warmup) {
      for (const auto& subject : subjects) subject->Begin();
    }
    const std::vector<Batch>& batches = load.NextBatches(flags.chunk);
    const Served served = load.engine().ReportAll(batches);
    if (counts) direct += served;
    for (const auto& subject : subjects) {
      const double seconds = subject->Report(batches).seconds;
      if (counts) subject->AddRatio(seconds / served.seconds);
    }
  }
  Findings findings;
  findings.AddText("scenario", "hops");
  findings.AddCount("users", "users", flags.users);
  findings.AddCount("reports", "reports", direct.calls);
  findings.AddCount("deliveries", "deliveries of the engine alone", direct.delivered.count);
  for (const auto& subject : subjects) {
    subject->Conclude(direct.calls, direct.delivered.count, &findings);
  }
  Judge(&load, &findings);
  return findings;
}

}  // namespace scenarios
