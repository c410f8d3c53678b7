#include <time.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "benchmarks/capacity/batches.h"
#include "benchmarks/capacity/sink.h"
#include "benchmarks/capacity/stage.h"
#include "benchmarks/capacity/trace.h"
#include "benchmarks/capacity/world.h"
#include "benchmarks/scenarios/pace.h"
#include "benchmarks/scenarios/percentiles.h"
#include "benchmarks/scenarios/runtime_side.h"
#include "benchmarks/scenarios/scenarios.h"
#include "benchmarks/scenarios/setup.h"
#include "examples/phones/latency_histogram.h"
#include "nearby/client_sink.h"
#include "nearby/ids.h"
#include "nearby/runtime_options.h"
#include "nearby/stats.h"

namespace scenarios {
namespace {

using capacity::Batch;
using capacity::TracedReport;

// Whoever reports leaves its core to others in between, as a thread that waits for sockets does.
constexpr std::int64_t kRestNs = 50'000;

/// Writes what clients are told, and notes how long after the report was due each move is written.
/// Enters and leaves are not counted: of one pair they may come with the report of either.
class TimingSink : public nearby::ClientSink {
 public:
  explicit TimingSink(std::uint32_t users) : due_ns_(users) {}

  /// Before the user's report is handed over. Counts from then on.
  void SetDue(std::uint32_t user, std::int64_t due_ns) {
    due_ns_[user].store(due_ns, std::memory_order_relaxed);
  }
  /// Notes each move when it is written, by this pace. Null: NoteAll will be called.
  void TimeBy(const Pace* pace) { pace_ = pace; }
  /// What has been written was written now.
  void NoteAll(std::int64_t now_ns) {
    for (const std::int64_t due_ns : written_) histogram_.Add((now_ns - due_ns) / 1'000);
    written_.clear();
  }
  /// What was noted since it was last taken. No thread may be running the runtime.
  phones::LatencyHistogram TakeHistogram() { return std::exchange(histogram_, {}); }

  Flow Deliver(const nearby::ClientBatch& batch) override {
    sink_.Encode(batch);
    sink_.Discard();
    for (const nearby::ClientEvent& event : batch.events) {
      if (event.kind != nearby::DeliveryKind::kMove) continue;
      const std::uint32_t user = capacity::UserOf(event.friend_id);
      written_.push_back(due_ns_[user].load(std::memory_order_relaxed));
    }
    if (pace_ != nullptr) NoteAll(pace_->ElapsedNs());
    return Flow::kReady;
  }
  void Ended(nearby::SessionId /*session*/, std::uint64_t /*cookie*/,
             EndReason /*reason*/) override {}

 private:
  std::vector<std::atomic<std::int64_t>> due_ns_;
  std::vector<std::int64_t> written_;  ///< When each was due.
  const Pace* pace_ = nullptr;
  capacity::Sink sink_;
  phones::LatencyHistogram histogram_;
};

struct Paced {
  phones::LatencyHistogram histogram;
  std::uint64_t refused = 0;
  double shard_cpu_s = 0;
};

/// A runtime over a world, everybody connected and warm, and the reports that come next.
class Subject {
 public:
  Subject(const Flags& flags, const capacity::World& world)
      : flags_(flags),
        trace_(world, flags.seed),
        sink_(flags.users),
        side_(world, RuntimeOptionsOf(flags), &sink_) {}

  void WarmUp();
  /// Reports, and polls after each batch, in this thread.
  Paced RunInOneThread();
  /// Reports from this thread, while another runs the shard.
  Paced RunInTwoThreads();

  std::uint64_t failures() const { return side_.failures(); }
  std::uint64_t accepted() { return side_.runtime().stats().engine.reports_accepted; }

 private:
  static nearby::RuntimeOptions RuntimeOptionsOf(const Flags& flags) {
    nearby::RuntimeOptions options;
    options.engine.skip_far_pairs = flags.skipping;
    options.engine.expected_entities = flags.users;
    return options;
  }

  /// The next reports, each dated when it is due by the pace.
  void Prepare(Pace* pace);
  /// Hands over those that are due; how many were refused.
  std::size_t Report(const Pace& pace, std::size_t begin, std::size_t count);

  const Flags& flags_;
  capacity::Trace trace_;
  TimingSink sink_;
  RuntimeSide side_;
  std::vector<TracedReport> reports_;
};

void Subject::WarmUp() {
  const capacity::Stage stage("connecting and warming up");
  side_.ConnectAll();
  for (std::uint32_t round = 0; round < flags_.warmup_rounds; ++round) {
    reports_.clear();
    trace_.Next(flags_.users, &reports_);
    side_.ReportAll(capacity::CutIntoBatches(reports_, flags_.batch));
  }
  sink_.NoteAll(0);
  sink_.TakeHistogram();
}

void Subject::Prepare(Pace* pace) {
  reports_.clear();
  trace_.Next(std::size_t{flags_.rate} * flags_.seconds, &reports_);
  side_.clock().Set(reports_.front().time);
  side_.clock().RunWith(pace, 1e-3 * capacity::kReportIntervalMs * flags_.rate / flags_.users);
  pace->Start();
}

std::size_t Subject::Report(const Pace& pace, std::size_t begin, std::size_t count) {
  for (std::size_t i = begin; i < begin + count; ++i) {
    sink_.SetDue(reports_[i].user, pace.DueNs(i));
  }
  const auto due = absl::MakeConstSpan(reports_).subspan(begin, count);
  return side_.runtime().ReportAll(side_.BySession(due));
}

Paced Subject::RunInOneThread() {
  const capacity::Stage stage("pacing the runtime in one thread");
  Paced paced;
  Pace pace(flags_.rate, PaceClock::kThread);
  Prepare(&pace);
  pace.Run(reports_.size(), flags_.batch, /*rest_ns=*/0, [&](std::size_t begin, std::size_t count) {
    paced.refused += Report(pace, begin, count);
    side_.runtime().PollAll();
    sink_.NoteAll(pace.ElapsedNs());
  });
  side_.clock().Stop();
  paced.histogram = sink_.TakeHistogram();
  return paced;
}

Paced Subject::RunInTwoThreads() {
  const capacity::Stage stage("pacing the runtime in two threads");
  Paced paced;
  const std::uint64_t taken_before = side_.runtime().stats().reports_taken;
  Pace pace(flags_.rate, PaceClock::kWall);
  Prepare(&pace);
  sink_.TimeBy(&pace);
  std::thread shard([&] {
    side_.runtime().Run(nearby::ShardId{0});
    timespec cpu = {};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
    paced.shard_cpu_s = static_cast<double>(cpu.tv_sec) + 1e-9 * static_cast<double>(cpu.tv_nsec);
  });
  pace.Run(reports_.size(), flags_.batch, kRestNs, [&](std::size_t begin, std::size_t count) {
    paced.refused += Report(pace, begin, count);
  });
  while (side_.runtime().stats().reports_taken - taken_before + paced.refused < reports_.size()) {
    absl::SleepFor(absl::Milliseconds(1));
  }
  side_.runtime().Stop();
  shard.join();
  side_.clock().Stop();
  paced.histogram = sink_.TakeHistogram();
  return paced;
}

}  // namespace

Findings MeasureRuntimeLatency(const Flags& flags) {
  const capacity::World world = capacity::MakeWorld(WorldOptionsOf(flags));
  Subject subject(flags, world);
  subject.WarmUp();
  const std::uint64_t accepted_before = subject.accepted();
  const Paced alone = subject.RunInOneThread();
  const Paced apart = subject.RunInTwoThreads();

  Findings findings;
  findings.AddText("scenario", "runtime-latency");
  findings.Heading(absl::StrCat("From a report due to the clients' bytes, at ", flags.rate,
                                " reports/s: through a runtime"));
  const std::uint64_t total = std::uint64_t{flags.rate} * flags.seconds;
  findings.AddCount("users", "users", flags.users);
  findings.AddCount("rate", "reports due a second", flags.rate);
  findings.AddCount("reports", "reports", total);
  findings.AddCount("refused", "of them refused, the mailbox being full", apart.refused);
  findings.AddCount("thread_moves", "moves, in one thread", alone.histogram.count());
  findings.AddCount("moves", "moves, in two threads", apart.histogram.count());
  findings.Add("shard_core_share", "the shard's own thread, of a core",
               apart.shard_cpu_s / static_cast<double>(flags.seconds));
  AddPercentiles("", "two threads, by the wall", apart.histogram, &findings);
  AddPercentiles("thread_", "one, by its own time", alone.histogram, &findings);
  if (subject.failures() > 0) findings.Void("the runtime refused calls");
  if (subject.accepted() - accepted_before + alone.refused + apart.refused != 2 * total) {
    findings.Void("reports were lost");
  }
  return findings;
}

}  // namespace scenarios
