#include "src/cluster/office.h"

#include <algorithm>
#include <utility>

#include "absl/time/time.h"
#include "src/base/planted_bugs.h"

namespace nearby::internal {
namespace {

Backoff MakeBackoff(const ClusterOptions& options, std::uint64_t use) {
  return Backoff(options.min_retry_delay, options.max_retry_delay,
                 ToInt(options.node) * 1024 + 1000 + use);
}

}  // namespace

Office::Office(const ClusterOptions& options, std::size_t max_payload, Actions actions,
               LeaseState* lease_state)
    : options_(options),
      actions_(std::move(actions)),
      lease_state_(*lease_state),
      backoff_(MakeBackoff(options, 0)),
      courier_({options.max_unacknowledged, max_payload}, MakeBackoff(options, 1),
               {actions_.publish,
                [this](const NodeLease& from, const NodeEvent& event) { Receive(from, event); }}),
      lookups_(UserQueries::Options::Of(options), MakeBackoff(options, 2)) {}

void Office::Advance(Time now, std::int64_t steady_ms) {
  now_ = now;
  steady_ms_ = steady_ms;
  KeepLease();
  if (lookups_.IsLate(now_)) {
    OnLookedUp(lookups_.number(),
               absl::DeadlineExceededError("the session directory did not answer in time"));
  }
  TimeOutFences();
  FindEndedLeases();
}

// The lease counts from before it was asked for, so that the directory's end is never before this
// node's.
void Office::KeepLease() {
  if (has_lease() && steady_ms_ >= lease_state_.UntilMs(lease_.life)) {
    ++counts_.leases_lost;
    LeaveLease();
  }
  const std::int64_t timeout_ms = absl::ToInt64Milliseconds(options_.call_timeout);
  if (is_asking_ && steady_ms_ >= asked_at_ms_ + timeout_ms) AskLater();
  if (is_asking_ || steady_ms_ < ask_at_ms_ || (!has_lease() && !NeedsLease())) return;
  is_asking_ = true;
  asked_at_ms_ = steady_ms_;
  if (has_lease()) {
    actions_.renew_lease(++lease_number_, lease_);
  } else {
    actions_.begin_lease(++lease_number_);
  }
}

// From now on clients are told nothing under it.
void Office::LeaveLease() {
  lease_ = NodeLease();
  lease_state_.End();
  is_asking_ = false;
  ask_at_ms_ = steady_ms_;
  courier_.Begin(lease_);
}

std::int64_t Office::DeliverUntilMs() const {
  if (IsPlanted(PlantedBug::kLeaseWithoutMargin)) {
    return asked_at_ms_ + absl::ToInt64Milliseconds(options_.lease_duration);
  }
  return asked_at_ms_ + absl::ToInt64Milliseconds(options_.lease_duration - options_.lease_margin);
}

void Office::AskLater() {
  is_asking_ = false;
  ask_at_ms_ = steady_ms_ + backoff_.DelayMs(++lease_failures_);
}

void Office::OnLease(std::uint64_t number, const absl::StatusOr<Epoch>& life) {
  if (!is_asking_ || number != lease_number_ || has_lease()) return;
  if (!life.ok() || steady_ms_ >= DeliverUntilMs()) {
    AskLater();
    return;
  }
  is_asking_ = false;
  lease_failures_ = 0;
  ++counts_.leases;
  lease_ = {options_.node, *life};
  courier_.Begin(lease_);
  lease_state_.Begin(*life, DeliverUntilMs());
  ask_at_ms_ = RenewAtMs();
  find_ended_at_ = now_;
  actions_.lease_begun(lease_);
  if (!IsPlanted(PlantedBug::kFencesForgottenWithLease)) BeginFencesAnew();
}

void Office::OnRenewed(std::uint64_t number, const absl::Status& status) {
  if (!is_asking_ || number != lease_number_ || !has_lease()) return;
  if (absl::IsNotFound(status)) {
    // It has ended, as it will here as soon as anybody looks.
    is_asking_ = false;
    lease_state_.End();
    return;
  }
  if (!status.ok()) {
    AskLater();
    return;
  }
  is_asking_ = false;
  lease_failures_ = 0;
  lease_state_.Renew(DeliverUntilMs());
  ask_at_ms_ = RenewAtMs();
}

void Office::Retire(Done done) {
  if (retiring_.empty()) {
    last_letters_until_ = After(options_.call_timeout);
    retire_by_ = After(FenceTimeout() + 2 * options_.call_timeout);
  }
  is_retired_ = true;
  retiring_.push_back(std::move(done));
}

// Letters go first: whoever waits for one need not find out that nobody will answer.
void Office::RetireIfIdle() {
  if (!is_retired_) return;
  const bool is_idle = questions_.empty() && applying_ == 0 && courier_.is_idle();
  const bool may_go = !NeedsLease() && (is_idle || now_ >= last_letters_until_);
  if (!return_ && has_lease() && may_go) ReturnLease();
  if (return_) AskReturn();
  // A lease that is being asked for will be held soon.
  const bool has_gone = !NeedsLease() && !has_lease() && !return_ && !is_asking_;
  // Where edits go on and on, the end of the runtime gives the lease back.
  if (!has_gone && now_ < retire_by_) return;
  for (Done& done : std::exchange(retiring_, {})) done(absl::OkStatus());
}

void Office::ReturnLease() {
  return_ = Return{lease_, 0, 0, now_, After(options_.call_timeout)};
  LeaveLease();
}

void Office::AskReturn() {
  if (IsPlanted(PlantedBug::kDrainKeepsLease)) return return_.reset();
  if (now_ >= return_->give_up_at) {
    return_.reset();  // It ends of itself.
  } else if (return_->number == 0 && now_ >= return_->again_at) {
    return_->number = ++last_return_;
    actions_.end_lease(return_->number, return_->lease);
  }
}

void Office::OnReturned(std::uint64_t number, const absl::Status& status) {
  if (!return_ || number != return_->number) return;
  if (status.ok()) {
    return_.reset();
    return;
  }
  return_->number = 0;
  return_->again_at = Time{now_.ms + backoff_.DelayMs(++return_->failures)};
}

// What other nodes were asked under the lease before, they will not answer.
void Office::BeginFencesAnew() {
  requests_.clear();
  for (auto& [number, fence] : fences_) {
    fence.requests = 0;
    fence.asked.clear();
    fence.unknown = 2;
  }
  for (auto& [user, questions] : questions_) {
    questions.erase(std::remove_if(questions.begin(), questions.end(),
                                   [](const Question& question) { return question.fence != 0; }),
                    questions.end());
  }
  for (const auto& [number, fence] : fences_) AskWhere(number, fence.change);
}

void Office::AskWhere(std::uint64_t fence, const FriendshipChange& change) {
  for (const UserId user : {change.user, change.friend_id}) {
    questions_[user].push_back({fence, lookups_.number()});
    lookups_.AskAnyway(user);
  }
}

void Office::Send(const NodeLease& to, const NodeEvent& event) {
  if (!has_lease()) return;
  // An announcement that finds no room is made up for by the next list, and a location by the
  // store.
  if (!courier_.Send(to, event) && event.kind != NodeEvent::Kind::kLocation) {
    actions_.reload(event.user);
  }
}

void Office::Receive(const NodeLease& from, const NodeEvent& event) {
  switch (event.kind) {
    case NodeEvent::Kind::kChange:
      ++applying_;
      actions_.apply(from, event.request,
                     {event.user, event.friend_id, event.friendship, event.version});
      break;
    case NodeEvent::Kind::kChanged:
      EndRequest(event.request);
      break;
    case NodeEvent::Kind::kReload:
      actions_.reload(event.user);
      break;
    default:
      actions_.hand_out(from, event);
  }
}

void Office::OnApplied(const NodeLease& to, std::uint64_t request) {
  --applying_;
  NodeEvent event;
  event.kind = NodeEvent::Kind::kChanged;
  event.request = request;
  Send(to, event);
}

void Office::Fence(const FriendshipChange& change, Done done) {
  const std::uint64_t number = next_fence_++;
  OpenFence& fence = fences_[number];
  fence.change = change;
  fence.done = std::move(done);
  fence.deadline = After(FenceTimeout());
  CountFences();
  // Asked after the store has committed the change: whoever begins a session later loads a list
  // that has it.
  AskWhere(number, change);
}

void Office::Reload(UserId user) {
  // Lists are loaded again before long as it is. (Fences, whose number has another limit, ask in
  // any case.)
  if (!lookups_.Ask(user)) {
    ++counts_.queries_refused;
    return;
  }
  std::vector<Question>& questions = questions_[user];
  const auto same = std::find_if(questions.begin(), questions.end(),
                                 [](const Question& question) { return question.fence == 0; });
  if (same != questions.end()) {
    same->after = lookups_.number();
  } else {
    questions.push_back({0, lookups_.number()});
  }
}

void Office::OnLookedUp(std::uint64_t number,
                        absl::StatusOr<std::vector<std::vector<SessionHolder>>> answer) {
  if (!lookups_.IsUnderWay(number)) return;
  // Without a lease nobody can be written to: once there is one, fences begin anew.
  if (answer.ok() && !has_lease()) answer = absl::UnavailableError("no lease");
  if (!answer.ok()) {
    ++counts_.query_failures;
    lookups_.Fail(now_);
    return;
  }
  const std::vector<UserId> users = lookups_.End();
  counts_.lookups += users.size();
  for (std::size_t i = 0; i < users.size() && i < answer->size(); ++i) {
    const auto found = questions_.find(users[i]);
    if (found == questions_.end()) continue;
    std::vector<Question> questions = std::move(found->second);
    questions_.erase(found);
    for (const Question& question : questions) {
      if (question.after < number) {
        OnFound(question, users[i], (*answer)[i]);
      } else {
        questions_[users[i]].push_back(question);
      }
    }
  }
}

void Office::OnFound(const Question& question, UserId user,
                     const std::vector<SessionHolder>& holders) {
  if (question.fence == 0) {
    NodeEvent event;
    event.kind = NodeEvent::Kind::kReload;
    event.user = user;
    for (const SessionHolder& holder : holders) {
      if (holder.lease != lease_) Send(holder.lease, event);
    }
    return;
  }
  const auto found = fences_.find(question.fence);
  if (found == fences_.end()) return;
  --found->second.unknown;
  if (IsPlanted(PlantedBug::kFenceAsksForOneUser) && user != found->second.change.user) {
    return FinishFenceIfDone(question.fence);
  }
  // Each that may still tell the user something, be it by an old session.
  for (const SessionHolder& holder : holders) {
    if (IsPlanted(PlantedBug::kFenceAsksNewestHolder) && holder != holders.back()) continue;
    AskFence(question.fence, holder.lease);
  }
  FinishFenceIfDone(question.fence);
}

void Office::AskFence(std::uint64_t number, const NodeLease& lease) {
  OpenFence& fence = fences_.find(number)->second;
  if (lease == lease_) return;
  if (std::find(fence.asked.begin(), fence.asked.end(), lease) != fence.asked.end()) return;
  fence.asked.push_back(lease);
  ++fence.requests;
  ++counts_.fences;
  requests_[next_request_] = {number, lease};
  NodeEvent event;
  event.kind = NodeEvent::Kind::kChange;
  event.user = fence.change.user;
  event.friend_id = fence.change.friend_id;
  event.friendship = fence.change.friendship;
  event.version = fence.change.version;
  event.request = next_request_++;
  Send(lease, event);
}

void Office::EndRequest(std::uint64_t request) {
  const auto found = requests_.find(request);
  if (found == requests_.end()) return;
  const std::uint64_t number = found->second.fence;
  requests_.erase(found);
  const auto fence = fences_.find(number);
  if (fence == fences_.end()) return;
  --fence->second.requests;
  FinishFenceIfDone(number);
}

// A node that has died hands nothing over to anybody any more, and does not answer either, be it
// that it had read what it was asked.
void Office::EndRequestsTo(const std::vector<NodeLease>& ended) {
  if (IsPlanted(PlantedBug::kFenceWaitsForDead)) return;
  std::vector<std::uint64_t> over;
  for (const auto& [number, request] : requests_) {
    if (std::find(ended.begin(), ended.end(), request.to) != ended.end()) over.push_back(number);
  }
  for (const std::uint64_t request : over) EndRequest(request);
}

void Office::FinishFenceIfDone(std::uint64_t number) {
  const auto found = fences_.find(number);
  const bool is_awaited = !IsPlanted(PlantedBug::kFenceNotAwaited);
  if (found->second.unknown > 0 || (found->second.requests > 0 && is_awaited)) return;
  Done done = std::move(found->second.done);
  fences_.erase(found);
  CountFences();
  if (done) done(absl::OkStatus());
}

void Office::TimeOutFences() {
  // Looked for anew each time: whoever is told may begin another.
  for (auto next = FirstAwaited(); next != fences_.end() && next->second.deadline <= now_;
       next = FirstAwaited()) {
    first_awaited_ = next->first + 1;
    Done done = std::exchange(next->second.done, nullptr);
    if (IsPlanted(PlantedBug::kFenceTimeoutTakenForDone)) return done(absl::OkStatus());
    done(absl::DeadlineExceededError(
        "the change is stored, but not known to be in force on all nodes yet"));
  }
}

Time Office::NextDeadline() const {
  const auto next = FirstAwaited();
  return next == fences_.end() ? kNever : next->second.deadline;
}

void Office::Cancel() {
  const absl::Status destroyed = absl::CancelledError("the runtime was destroyed");
  for (auto& [number, fence] : std::exchange(fences_, {})) {
    if (fence.done) fence.done(destroyed);
  }
  CountFences();
  for (Done& done : std::exchange(retiring_, {})) done(destroyed);
  if (!has_lease() || IsPlanted(PlantedBug::kShutDownKeepsLease)) return;
  ReturnLease();
  AskReturn();
}

void Office::FindEndedLeases() {
  if (now_ < find_ended_at_ || !has_lease()) return;
  find_ended_at_ = Time{now_.ms + absl::ToInt64Milliseconds(options_.lease_duration) / 4};
  std::vector<NodeLease> peers;
  courier_.AppendPeers(&peers);
  if (!peers.empty()) actions_.find_ended(++ended_number_, peers);
}

void Office::OnEnded(std::uint64_t number, const absl::StatusOr<std::vector<NodeLease>>& ended) {
  if (number != ended_number_ || !has_lease()) return;
  if (!ended.ok()) {
    ++counts_.query_failures;
    return;
  }
  courier_.OnEnded(*ended);
  EndRequestsTo(*ended);
}

void Office::Flush() {
  if (const auto users = lookups_.Begin(now_); !users.empty()) {
    actions_.look_up(lookups_.number(), users);
  }
  if (has_lease()) courier_.Poll(now_);
  RetireIfIdle();
  ClusterStats stats = counts_;
  courier_.AddTo(&stats);
  stats.fences_open = fences_.size();
  const std::lock_guard<std::mutex> lock(stats_mutex_);
  published_ = stats;
}

Time Office::next_event() const {
  Time next = std::min(NextDeadline(), lookups_.next_event());
  if (is_asking_ || has_lease() || NeedsLease()) {
    const std::int64_t lease_ms =
        is_asking_ ? asked_at_ms_ + absl::ToInt64Milliseconds(options_.call_timeout) : ask_at_ms_;
    next = std::min(next, Time{now_.ms + std::max<std::int64_t>(0, lease_ms - steady_ms_)});
  }
  if (has_lease()) next = std::min({next, courier_.next_event(), find_ended_at_});
  if (has_lease() && !NeedsLease()) next = std::min(next, last_letters_until_);
  if (!retiring_.empty()) next = std::min(next, retire_by_);
  if (!return_) return next;
  return std::min({next, return_->give_up_at, return_->number == 0 ? return_->again_at : kNever});
}

ClusterStats Office::stats() const {
  const std::lock_guard<std::mutex> lock(stats_mutex_);
  return published_;
}

}  // namespace nearby::internal
