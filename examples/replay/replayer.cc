#include "examples/replay/replayer.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <limits>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "examples/replay/trace_reader.h"
#include "nearby/effects.h"
#include "nearby/engine.h"
#include "nearby/friend_graph.h"
#include "nearby/ids.h"
#include "nearby/lockstep.h"
#include "nearby/time.h"

namespace replay {
namespace {

// What a row of the engine can hold at most: a replay has no other reason to refuse a friend.
constexpr std::uint32_t kMaxFriends = 65535;

// Deliveries that may gather before Run returns: some 6 MB.
constexpr std::size_t kManyDeliveries = std::size_t{1} << 16;

absl::Duration ReadClock(clockid_t clock) {
  std::timespec now = {};
  clock_gettime(clock, &now);
  return absl::DurationFromTimespec(now);
}

// Adds the time between its construction and its destruction to the statistics.
class Stopwatch {
 public:
  explicit Stopwatch(ReplayStats* stats)
      : stats_(stats),
        wall_start_(ReadClock(CLOCK_MONOTONIC)),
        cpu_start_(ReadClock(CLOCK_THREAD_CPUTIME_ID)) {}
  ~Stopwatch() {
    stats_->cpu += ReadClock(CLOCK_THREAD_CPUTIME_ID) - cpu_start_;
    stats_->wall += ReadClock(CLOCK_MONOTONIC) - wall_start_;
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  ReplayStats* stats_;
  absl::Duration wall_start_;
  absl::Duration cpu_start_;
};

bool InOrder(const nearby::Delivery* a, const nearby::Delivery* b) {
  return std::tie(a->time, a->subscriber, a->friend_id) <
         std::tie(b->time, b->subscriber, b->friend_id);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Replayer>> Replayer::Create(const Options& options) {
  nearby::Lockstep::Options lockstep;
  lockstep.shards = options.shards;
  lockstep.engine.radius_m = options.radius_m;
  lockstep.engine.ttl = options.ttl;
  lockstep.engine.skip_far_pairs = options.skipping;
  // Every friend in sight enters at once: pages are for phones.
  lockstep.engine.connect_page_size = 0;
  lockstep.engine.max_friends = kMaxFriends;
  lockstep.graph.max_friends = kMaxFriends;
  // Settings for strangers are lines of the trace that hold; none is dropped.
  lockstep.graph.max_settings = std::numeric_limits<std::uint32_t>::max();
  lockstep.graph.max_users = std::numeric_limits<std::size_t>::max();
  absl::StatusOr<std::unique_ptr<nearby::Lockstep>> shards = nearby::Lockstep::Create(lockstep);
  if (!shards.ok()) return shards.status();
  return std::unique_ptr<Replayer>(new Replayer(options, *std::move(shards)));
}

Replayer::Replayer(const Options& options, std::unique_ptr<nearby::Lockstep> lockstep)
    : options_(options), lockstep_(std::move(lockstep)) {}

Replayer::Progress Replayer::Run(absl::Span<const TraceRow> rows) {
  const Stopwatch stopwatch(&stats_);
  Progress progress;
  for (const TraceRow& row : rows) {
    progress.status = RunRow(row);
    if (!progress.status.ok()) break;
    ++progress.rows;
    if (lockstep_->deliveries().size() >= kManyDeliveries) break;
  }
  stats_.rows += progress.rows;
  return progress;
}

absl::Status Replayer::RunRow(const TraceRow& row) {
  if (absl::Status status = MoveTo(row.time); !status.ok()) return status;
  switch (row.kind) {
    case TraceRow::Kind::kReport:
      return Report(row);
    case TraceRow::Kind::kDisconnect:
      return Disconnect(row.user);
    case TraceRow::Kind::kBefriend:
      return lockstep_->Befriend(row.user, row.other);
    case TraceRow::Kind::kUnfriend:
      return lockstep_->Unfriend(row.user, row.other);
    case TraceRow::Kind::kHide:
      return lockstep_->Hide({/*viewer=*/row.other, /*owner=*/row.user});
    case TraceRow::Kind::kShare:
      return lockstep_->Share({/*viewer=*/row.other, /*owner=*/row.user});
    case TraceRow::Kind::kUnsubscribe:
      return lockstep_->Unsubscribe({/*viewer=*/row.user, /*owner=*/row.other});
    case TraceRow::Kind::kSubscribe:
      return lockstep_->Subscribe({/*viewer=*/row.user, /*owner=*/row.other});
    case TraceRow::Kind::kRadius:
      return lockstep_->SetRadius(row.user, row.radius_m);
  }
  return absl::InternalError("a row of no known kind");
}

absl::Status Replayer::MoveTo(nearby::Time time) {
  if (started_ && time == now_) return absl::OkStatus();
  if (time.ms > nearby::kMaxTimeMs - absl::ToInt64Milliseconds(options_.ttl)) {
    return absl::InvalidArgumentError(
        "the time is too late: users would expire beyond the largest valid time");
  }
  if (absl::Status status = lockstep_->Advance(time); !status.ok()) return status;
  started_ = true;
  now_ = time;
  return absl::OkStatus();
}

absl::Status Replayer::Report(const TraceRow& row) {
  if (!lockstep_->is_connected(row.user)) {
    nearby::ConnectRequest request;
    request.user = row.user;
    if (absl::Status status = lockstep_->Connect(request); !status.ok()) return status;
    users_.insert(row.user);
  }
  return nearby::ToStatus(lockstep_->Report(row.user, row.location, row.time));
}

absl::Status Replayer::Disconnect(nearby::UserId user) {
  // Who is not connected is as the trace wants it.
  if (!lockstep_->is_connected(user)) return absl::OkStatus();
  nearby::Delivery departure;
  departure.subscriber = user;
  departure.friend_id = user;
  departure.time = now_;
  departure.kind = nearby::DeliveryKind::kReset;
  departures_.push_back(departure);
  return lockstep_->Disconnect(user);
}

absl::Status Replayer::Finish() {
  finished_ = true;
  if (!started_) return absl::OkStatus();
  const Stopwatch stopwatch(&stats_);
  return lockstep_->Advance(nearby::Time{now_.ms + absl::ToInt64Milliseconds(options_.ttl)});
}

absl::Span<const nearby::Delivery* const> Replayer::TakeEvents() {
  // What was taken goes; what belongs to the present stays, in its order, before what is new.
  std::vector<nearby::Delivery> gathered;
  for (const nearby::Delivery* kept : absl::MakeConstSpan(sorted_).subspan(taken_)) {
    gathered.push_back(*kept);
  }
  const std::vector<nearby::Delivery>& delivered = lockstep_->deliveries();
  gathered.insert(gathered.end(), delivered.begin(), delivered.end());
  lockstep_->ClearDeliveries();
  gathered.insert(gathered.end(), departures_.begin(), departures_.end());
  departures_.clear();
  pending_ = std::move(gathered);

  sorted_.clear();
  for (const nearby::Delivery& delivery : pending_) sorted_.push_back(&delivery);
  std::stable_sort(sorted_.begin(), sorted_.end(), InOrder);
  const auto present = std::partition_point(
      sorted_.begin(), sorted_.end(),
      [this](const nearby::Delivery* event) { return finished_ || event->time < now_; });
  taken_ = static_cast<std::size_t>(present - sorted_.begin());
  for (std::size_t i = 0; i < taken_; ++i) {
    if (sorted_[i]->kind != nearby::DeliveryKind::kReset) ++stats_.events;
  }
  return absl::MakeConstSpan(sorted_).first(taken_);
}

ReplayStats Replayer::stats() const {
  ReplayStats stats = stats_;
  stats.engine = lockstep_->stats();
  stats.users = users_.size();
  stats.friendships = lockstep_->graph().friendship_count();
  stats.shards = options_.shards;
  return stats;
}

}  // namespace replay
