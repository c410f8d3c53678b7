#include "src/cluster/gateway.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "absl/time/time.h"
#include "src/base/planted_bugs.h"

namespace nearby::internal {
namespace {

Backoff MakeBackoff(const ClusterOptions& options, ShardId shard, std::uint64_t use) {
  return Backoff(options.min_retry_delay, options.max_retry_delay,
                 (ToInt(options.node) * 64 + ToInt(shard)) * 16 + use);
}

Channels::Options ChannelOptions(const ClusterOptions& options) {
  Channels::Options channels;
  channels.max_resubscribes_per_second = options.max_resubscribes_per_second;
  channels.max_in_flight = options.max_subscribes_in_flight;
  channels.timeout_ms = absl::ToInt64Milliseconds(options.call_timeout);
  channels.settle_ms = absl::ToInt64Milliseconds(options.ring_settle);
  return channels;
}

}  // namespace

Gateway::Gateway(const ClusterOptions& options, const EngineOptions& engine, ShardId shard,
                 Services services, Outside outside, const LeaseState* lease_state, Office* office)
    : options_(options),
      engine_(engine),
      services_(std::move(services)),
      outside_(std::move(outside)),
      lease_state_(*lease_state),
      office_(office),
      ttl_ms_(absl::ToInt64Milliseconds(engine.ttl)),
      claim_backoff_(MakeBackoff(options, shard, 4)),
      release_backoff_(MakeBackoff(options, shard, 0)),
      channels_(ChannelOptions(options), MakeBackoff(options, shard, 1),
                {outside_.subscribe, outside_.unsubscribe,
                 [this](Channel channel) {
                   return channel.kind == Channel::Kind::kInbox ||
                          services_.is_seen(channel.user());
                 }}),
      lookups_(UserQueries::Options::Of(options), MakeBackoff(options, shard, 2)),
      reads_(UserQueries::Options::Of(options), MakeBackoff(options, shard, 3)) {}

void Gateway::Advance(Time now, std::int64_t steady_ms) {
  now_ = now;
  steady_ms_ = steady_ms;
  if (office_ != nullptr) office_->Advance(now, steady_ms);
  if (has_lease() && !may_deliver() && !IsPlanted(PlantedBug::kLeaseLossUnnoticed)) LoseLease();
  TimeOutClaims();
  if (lookups_.IsLate(now_)) {
    OnLookedUp(lookups_.number(),
               absl::DeadlineExceededError("the session directory did not answer in time"));
  }
  if (reads_.IsLate(now_)) {
    OnRead(reads_.number(),
           absl::DeadlineExceededError("the location store did not answer in time"));
  }
  if (!releasing_.empty() && now_ >= release_timeout_) {
    OnReleased(release_number_, absl::DeadlineExceededError("not answered in time"));
  }
  ForgetPasts();
  LookAtGuests();
  FindEndedLeases();
}

bool Gateway::may_deliver() const {
  return has_lease() && steady_ms_ < lease_state_.UntilMs(lease_.life);
}

void Gateway::BeginLease(const NodeLease& lease) {
  // Of a lease whose end has not been noticed here yet nothing must be left.
  if (has_lease()) LoseLease();
  lease_ = lease;
  find_ended_at_ = now_;
}

// Whoever fences a change does not wait for this life of the node any more.
void Gateway::LoseLease() {
  lease_ = NodeLease();
  std::vector<UserId> users;
  users.reserve(std::max(locals_.size(), guests_.size()));
  for (const auto& [user, session] : locals_) users.push_back(user);
  std::sort(users.begin(), users.end());
  for (const UserId user : users) {
    const Epoch session = locals_.find(user)->second.session;
    if (IsPlanted(PlantedBug::kLeaseLossKeepsSessions)) continue;
    services_.end_session(user, session, /*is_taken=*/false);
  }
  locals_.clear();
  users.clear();
  for (const auto& [user, guest] : guests_) users.push_back(user);
  std::sort(users.begin(), users.end());
  for (const UserId user : users) Drop(user);
  questions_.clear();
  to_reload_.clear();
  lookups_.Clear();
  reads_.Clear();
  FailClaims(absl::UnavailableError("this node has lost its lease"));
  late_claims_.clear();
  unknown_claims_.clear();
  releases_.clear();
  releasing_.clear();
  written_to_.clear();
  find_ended_at_ = kNever;
}

PeerMessage Gateway::About(UserId user, PeerMessage::Kind kind, ShardId to) const {
  PeerMessage message;
  message.kind = kind;
  message.user = user;
  message.from = engine_.elsewhere();
  message.to = to;
  return message;
}

void Gateway::WantInbox() { channels_.Want(Channel::Inbox(options_.node)); }

void Gateway::OnSubscribed(std::uint64_t number, const absl::Status& status) {
  channels_.OnSubscribed(number, status, now_);
}

void Gateway::OnLinkLost(absl::string_view server) { channels_.OnLinkLost(server); }

void Gateway::Flush() {
  channels_.Poll(now_);
  // What was published before a subscription, or while there was none, the store knows.
  for (const Channel channel : channels_.TakeAnswered()) {
    if (channel.kind == Channel::Kind::kUser && FindGuest(channel.user()) != nullptr) {
      AskStore(channel.user());
    }
  }
  if (has_lease()) {
    BeginClaims();
    BeginReleases();
    BeginQueries();
  }
  if (office_ != nullptr) office_->Flush();
  PublishStats();
}

Time Gateway::next_event() const {
  Time next = channels_.next_event();
  if (may_deliver()) {
    next = std::min(next, Time{now_.ms + lease_state_.UntilMs(lease_.life) - steady_ms_});
  }
  if (office_ != nullptr) next = std::min(next, office_->next_event());
  if (!claims_.empty()) next = std::min(next, claims_due_);
  if (!claiming_.empty()) next = std::min(next, claim_timeout_);
  next =
      std::min({next, looks_.next(), find_ended_at_, lookups_.next_event(), reads_.next_event()});
  // Of those, some may wait for a session here to end: there is nothing to be done for them by
  // then.
  if (!unknown_claims_.empty() && unknown_retry_ > now_) next = std::min(next, unknown_retry_);
  if (!releasing_.empty()) return std::min(next, release_timeout_);
  return releases_.empty() ? next : std::min(next, release_retry_);
}

void Gateway::PublishStats() {
  ClusterStats stats = counts_;
  channels_.AddTo(&stats);
  stats.guests = guests_.size();
  // Each channel is a guest's, but for the inbox.
  stats.guests_parked = guests_.size() - (stats.channels - (office_ != nullptr ? 1 : 0));
  const std::lock_guard<std::mutex> lock(stats_mutex_);
  published_ = stats;
}

ClusterStats Gateway::stats() const {
  const std::lock_guard<std::mutex> lock(stats_mutex_);
  return published_;
}

}  // namespace nearby::internal
