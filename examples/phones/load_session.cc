#include "examples/phones/load_session.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "examples/phones/credentials.h"
#include "examples/phones/flags.h"
#include "examples/phones/fleet.h"
#include "examples/phones/load_board.h"
#include "examples/phones/load_driver.h"
#include "examples/phones/load_worker.h"
#include "examples/phones/loop.h"
#include "examples/phones/phone_clock.h"
#include "examples/phones/report.h"
#include "examples/phones/walkers.h"
#include "examples/replay/city.h"
#include "examples/replay/population.h"
#include "nearby/ids.h"

namespace phones {
namespace {

constexpr absl::Duration kTick = absl::Milliseconds(20);
constexpr absl::Duration kWarmUp = absl::Seconds(1);
// After the end, for what is still under way.
constexpr absl::Duration kStragglers = absl::Seconds(1);
// Half an hour of life, and back.
constexpr std::size_t kPathSteps = 60;

FriendLists MakeFriendLists(const replay::Population& population) {
  FriendLists lists(population.people.size());
  for (const auto& [a, b] : population.friendships) {
    lists[nearby::ToInt(a) - 1].push_back(b);
    lists[nearby::ToInt(b) - 1].push_back(a);
  }
  for (std::vector<nearby::UserId>& list : lists) std::sort(list.begin(), list.end());
  return lists;
}

// Watches over the workers, from the thread that waits for them.
class LoadSession {
 public:
  LoadSession(const Flags& flags, const Credentials& credentials)
      : flags_(flags),
        population_(replay::MakeCity(flags.users, flags.seed)),
        paths_(MakePaths(population_, kPathSteps, flags.seed)),
        friends_(MakeFriendLists(population_)),
        board_(std::min(flags.users, flags.connections.value_or(flags.users)),
               std::min(flags.threads, flags.connections.value_or(flags.users))),
        world_{&credentials, &clock_, &board_, &paths_, &friends_},
        timer_(&loop_, [this] { Tick(); }) {}

  absl::Status Run(Figures* figures) {
    const std::int64_t start_us = clock_.NowMicros();
    last_growth_us_ = start_us;
    if (absl::Status status = MakeWorkers(); !status.ok()) return status;
    loop_.OnStopSignal([this] { End(absl::CancelledError("ended by a signal")); });
    for (const std::unique_ptr<LoadWorker>& worker : workers_) worker->Start();
    timer_.SetAfter(kTick);
    loop_.Run();
    for (const std::unique_ptr<LoadWorker>& worker : workers_) worker->HangUp();
    for (const std::unique_ptr<LoadWorker>& worker : workers_) worker->Join();
    figures->phones = board_.phones();
    figures->threads = board_.drivers();
    figures->rate = flags_.rate;
    figures->elapsed = absl::Microseconds(clock_.NowMicros() - start_us);
    for (const std::unique_ptr<LoadWorker>& worker : workers_) figures->tally.Add(worker->tally());
    if (!status_.ok()) return status_;
    figures->load.emplace();
    for (const std::unique_ptr<LoadWorker>& worker : workers_) {
      figures->load->Add(worker->figures());
    }
    return status_;
  }

 private:
  absl::Status MakeWorkers() {
    for (std::size_t i = 0; i < board_.drivers(); ++i) {
      Fleet::Options fleet;
      fleet.format = flags_.format;
      fleet.seed = flags_.seed + i;
      LoadDriver::Options driver;
      driver.driver = i;
      driver.rate = flags_.rate * static_cast<double>(board_.PhonesOf(i)) /
                    static_cast<double>(board_.phones());
      absl::StatusOr<std::unique_ptr<LoadWorker>> worker = LoadWorker::Create(
          world_, flags_.servers, fleet, driver,
          [this](LoadBoard::Seat seat) { workers_[seat.driver]->HearOf(seat.phone); });
      if (!worker.ok()) return worker.status();
      workers_.push_back(*std::move(worker));
    }
    return absl::OkStatus();
  }

  void Tick() {
    std::size_t online = 0;
    absl::Duration alone_for = absl::InfiniteDuration();
    std::string last_failure;
    for (const std::unique_ptr<LoadWorker>& worker : workers_) {
      const LoadWorker::Status status = worker->status();
      if (!status.fleet.ok()) return End(status.fleet);
      online += status.online;
      alone_for = std::min(alone_for, status.alone_for);
      if (!status.last_failure.empty()) last_failure = status.last_failure;
    }
    if (alone_for > flags_.patience) {
      return End(absl::UnavailableError(absl::StrCat("the server is gone; last ", last_failure)));
    }
    const std::int64_t now_us = clock_.NowMicros();
    if (board_.times().send_from_us == LoadTimes::kNotYet) {
      if (online == board_.phones()) {
        Begin(now_us);
      } else if (online > most_online_) {
        most_online_ = online;
        last_growth_us_ = now_us;
      } else if (now_us - last_growth_us_ > absl::ToInt64Microseconds(flags_.patience)) {
        return End(absl::UnavailableError(
            absl::StrCat(online, " of ", board_.phones(), " phones got in; last ", last_failure)));
      }
    } else if (now_us >= board_.times().end_us + absl::ToInt64Microseconds(kStragglers)) {
      return End(absl::OkStatus());
    }
    timer_.SetAfter(kTick);
  }

  void Begin(std::int64_t now_us) {
    std::fprintf(stderr, "all %zu phones are connected; %s of load\n", board_.phones(),
                 absl::FormatDuration(flags_.load_duration).c_str());
    LoadTimes times;
    // Time enough for all workers to see it.
    times.send_from_us = now_us + 100'000;
    times.count_from_us = times.send_from_us + absl::ToInt64Microseconds(kWarmUp);
    times.end_us = times.count_from_us + absl::ToInt64Microseconds(flags_.load_duration);
    board_.Start(times);
  }

  void End(const absl::Status& status) {
    status_ = status;
    loop_.Stop();
  }

  const Flags& flags_;
  const SteadyPhoneClock clock_;
  const replay::Population population_;
  const Paths paths_;
  const FriendLists friends_;
  LoadBoard board_;
  const LoadWorld world_;
  Loop loop_;
  Loop::Timer timer_;
  std::vector<std::unique_ptr<LoadWorker>> workers_;
  // Before the load begins: how many got in at most, and since when no more have.
  std::size_t most_online_ = 0;
  std::int64_t last_growth_us_ = 0;
  absl::Status status_;
};

}  // namespace

absl::Status RunLoad(const Flags& flags, const Credentials& credentials, Figures* figures) {
  LoadSession session(flags, credentials);
  return session.Run(figures);
}

}  // namespace phones
