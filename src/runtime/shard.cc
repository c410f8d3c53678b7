#include "src/runtime/shard.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "nearby/clock.h"
#include "nearby/engine.h"
#include "nearby/ids.h"
#include "nearby/runtime.h"
#include "nearby/runtime_options.h"
#include "nearby/runtime_stats.h"
#include "nearby/time.h"
#include "src/runtime/backoff.h"
#include "src/runtime/calls.h"
#include "src/runtime/mailbox.h"

namespace nearby::internal {
namespace {

// Engine time must move on at least this often.
constexpr std::int64_t kMaxSleepMs = 1000;

// How soon to look again at shards that were behind: they do not tell when they have caught up.
constexpr std::int64_t kCatchUpMs = 1;

Backoff MakeBackoff(const RuntimeOptions& options, ShardId shard, std::uint64_t use) {
  return Backoff(options.min_retry_delay, options.max_retry_delay,
                 std::uint64_t{ToInt(shard)} * 16 + use);
}

}  // namespace

Shard::Shard(const RuntimeOptions& options, ShardId id, const RuntimeHost& host,
             std::unique_ptr<Engine> engine, std::vector<Mailbox*> mailboxes, Services services)
    : options_(options),
      id_(id),
      host_(host),
      engine_(std::move(engine)),
      mailboxes_(std::move(mailboxes)),
      mailbox_(*mailboxes_[ToInt(id)]),
      services_(std::move(services)),
      outgoing_(mailboxes_.size()),
      loads_(options.max_loads_in_flight, absl::ToInt64Milliseconds(options.load_timeout),
             MakeBackoff(options, id, 0)),
      locations_(WriteBehind::Keep::kNewestOfEachUser, options.max_unstored_locations,
                 MakeBackoff(options, id, 1)),
      history_(WriteBehind::Keep::kAll, options.max_unstored_locations,
               MakeBackoff(options, id, 2)),
      erasures_(options.max_unstored_locations, WriteBehind::kMaxBatch) {}

absl::Duration Shard::Poll() {
  const std::lock_guard<std::mutex> lock(poll_mutex_);
  ++counts_.polls;
  AdvanceTime();
  mailbox_.Take(&contents_);
  TakeMessages(contents_.messages);
  TakeReports(contents_.reports);
  TakeCalls(&contents_.calls);
  contents_.Clear();
  TimeOutLoads();
  TimeOutStoreCalls();
  InstallLists();
  ConnectWaiting();
  RefreshLists();
  BeginLoads();
  if (is_draining_) AskToMove();
  TakeElsewhere();
  FlushAll();
  if (is_draining_) FinishDrainIfEmpty();
  PublishStats();
  return TimeToNextPoll();
}

void Shard::AdvanceTime() {
  const Time now = host_.clock->Now();
  if (IsValid(now)) now_ = std::max(now_, now);
  // Cannot fail: the time is valid and not earlier than before.
  engine_->Advance(now_, &effects_).IgnoreError();
  CarryOut();
  if (gateway_ == nullptr) return;
  gateway_->Advance(now_, host_.clock->SteadyMs());
  TakeElsewhere();
}

void Shard::TakeReports(absl::Span<const LocationReport> reports) {
  counts_.reports_taken += reports.size();
  while (!reports.empty()) {
    const absl::Span<const LocationReport> batch = reports.subspan(0, options_.max_batch);
    reports.remove_prefix(batch.size());
    outcomes_.resize(batch.size());
    engine_->ReportAll(batch, outcomes_.data(), &effects_);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (outcomes_[i] == ReportOutcome::kAccepted || outcomes_[i] == ReportOutcome::kConflated) {
        continue;
      }
      const Index index = sessions_.Find(batch[i].client);
      if (index == SessionTable::kNone) continue;
      host_.sink->ReportRefused(ToId(batch[i].client), sessions_[index].cookie,
                                batch[i].reported_at, outcomes_[i]);
    }
    CarryOut();
    TakeElsewhere();
    FlushAll();
    if (!reports.empty()) AdvanceTime();
  }
}

void Shard::TakeMessages(const PeerItems& items) {
  counts_.messages_taken += items.size();
  const absl::Span<const PeerMessage> messages = items.messages;
  std::size_t taken = 0;
  for (const Fence& fence : items.fences) {
    // What came before it, and what that made us send, goes first.
    TakeMessages(messages.subspan(taken, fence.behind - taken));
    taken = fence.behind;
    TakeFence(fence);
  }
  TakeMessages(messages.subspan(taken));
}

void Shard::TakeMessages(absl::Span<const PeerMessage> messages) {
  while (!messages.empty()) {
    const absl::Span<const PeerMessage> batch = messages.subspan(0, options_.max_batch);
    messages.remove_prefix(batch.size());
    if (gateway_ == nullptr) {
      engine_->Receive(batch, &effects_);
    } else {
      for (const PeerMessage& message : batch) {
        if (IsElsewhere(message)) {
          gateway_->Take(message);
        } else {
          engine_->Receive({&message, 1}, &effects_);
        }
      }
    }
    CarryOut();
    TakeElsewhere();
    if (!messages.empty()) FlushAll();
  }
}

void Shard::TakeCalls(std::vector<Call>* calls) {
  counts_.calls_taken += calls->size();
  for (Call& call : *calls) {
    std::visit([this](auto& any) { this->On(any); }, call);
    CarryOut();
    TakeElsewhere();
  }
}

void Shard::FlushAll() {
  for (std::size_t shard = 0; shard < outgoing_.size(); ++shard) {
    if (outgoing_[shard].empty()) continue;
    mailboxes_[shard]->AddMessages(outgoing_[shard]);
    outgoing_[shard].Clear();
  }
  FlushClients();
  FlushStorage();
  if (gateway_ != nullptr) gateway_->Flush();
}

bool Shard::OthersAreBehind() const {
  for (std::size_t shard = 0; shard < mailboxes_.size(); ++shard) {
    if (shard != ToInt(id_) && mailboxes_[shard]->is_behind()) return true;
  }
  return false;
}

absl::Duration Shard::TimeToNextPoll() const {
  if (!mailbox_.is_empty()) return absl::ZeroDuration();
  std::int64_t sleep_ms = kMaxSleepMs;
  // While erasures are under way, locations wait for their end, which comes by the mailbox.
  const Time next_write = erasures_.is_under_way() ? kNever : locations_.next_attempt();
  for (const Time next : {engine_->next_event(), loads_.next_event(), next_write,
                          history_.next_attempt(), location_call_.timeout, history_call_.timeout}) {
    if (next != kNever) sleep_ms = std::min(sleep_ms, next.ms - now_.ms);
  }
  if (gateway_ != nullptr && gateway_->next_event() != kNever) {
    sleep_ms = std::min(sleep_ms, gateway_->next_event().ms - now_.ms);
  }
  if (!claiming_.empty()) {
    sleep_ms = std::min(sleep_ms, claiming_.begin()->second.deadline.ms - now_.ms);
  }
  if (!waiting_lists_.empty()) sleep_ms = std::min(sleep_ms, kCatchUpMs);
  if (!waiting_connects_.empty()) {
    sleep_ms = std::min(sleep_ms, waiting_connects_.front().deadline.ms - now_.ms);
  }
  if (is_draining_ && drain_next_ < sessions_.limit()) {
    const double ms =
        1000.0 * static_cast<double>(options_.shards) / options_.drain_clients_per_second;
    sleep_ms = std::min(sleep_ms, static_cast<std::int64_t>(std::min(ms, 1000.0)));
  }
  return absl::Milliseconds(std::max<std::int64_t>(sleep_ms, 1));
}

void Shard::PublishStats() {
  RuntimeStats stats = counts_;
  stats.engine = engine_->stats();
  const Mailbox::Counts counts = mailbox_.counts();
  stats.reports_refused += counts.reports_refused;
  stats.calls_refused += counts.calls_refused;
  stats.locations_dropped += counts.locations_dropped;
  stats.queued_reports = counts.reports;
  stats.queued_calls = counts.calls;
  stats.queued_messages = counts.messages;
  stats.locations_stored = locations_.stored();
  stats.locations_unstored = locations_.dropped();
  stats.histories_stored = history_.stored();
  stats.histories_unstored = history_.dropped();
  stats.store_failures += locations_.failures() + history_.failures();
  stats.sessions = sessions_.size();
  stats.busy_sessions = busy_sessions_;
  stats.pending_events = pending_events_;
  stats.loads_in_flight = loads_.in_flight();
  const std::lock_guard<std::mutex> lock(stats_mutex_);
  published_ = stats;
}

RuntimeStats Shard::stats() const {
  const std::lock_guard<std::mutex> lock(stats_mutex_);
  return published_;
}

absl::Status Shard::CheckInvariants() const {
  if (absl::Status status = engine_->CheckInvariants(); !status.ok()) return status;
  if (sessions_.size() != engine_->stats().clients) {
    return absl::InternalError(absl::StrCat(sessions_.size(), " sessions for ",
                                            engine_->stats().clients, " clients of the engine"));
  }
  std::uint64_t pending = 0;
  std::uint64_t busy = 0;
  for (Index index = 0; index < sessions_.limit(); ++index) {
    const Session& session = sessions_[index];
    if (session.state == Session::State::kFree) continue;
    if (session.outbox != nullptr) pending += session.outbox->size();
    if (session.is_busy) ++busy;
    if (session.outbox != nullptr && session.outbox->size() > options_.max_pending_events) {
      return absl::InternalError("I6: too many events wait for a client");
    }
    if (engine_->Find(session.user) != session.client || sessions_.Find(session.client) != index) {
      return absl::InternalError(
          absl::StrCat("the session of user ", ToInt(session.user), " is not the engine's"));
    }
  }
  if (pending != pending_events_ || busy != busy_sessions_) {
    return absl::InternalError("the counts of what waits for clients are wrong");
  }
  if (erasures_.users() > sessions_.size()) {
    return absl::InternalError("users who have gone are still to be erased when they go");
  }
  return absl::OkStatus();
}

}  // namespace nearby::internal
