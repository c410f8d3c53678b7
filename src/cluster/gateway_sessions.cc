#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"
#include "src/base/planted_bugs.h"
#include "src/cluster/gateway.h"

namespace nearby::internal {
namespace {

// Batches of claims that were not answered in time, and still may be.
constexpr std::size_t kMaxLateClaims = 64;

}  // namespace

void Gateway::Claim(UserId user, Time deadline, ClaimDone done) {
  // Each may leave something behind to be found out or taken out.
  const std::size_t waiting = claims_.size() + claiming_.size() + unknown_claims_.size() +
                              releases_.size() + releasing_.size();
  if (waiting >= options_.max_queries) {
    ++counts_.claims_failed;
    done(absl::ResourceExhaustedError("too many sessions wait for the session directory"));
    return;
  }
  claims_due_ = std::min(claims_due_, deadline);
  claims_.push_back({user, deadline, std::move(done)});
}

// What a session that is there, or that is waited for, is to be released as, will be seen then.
void Gateway::ClaimUnknown() {
  if (unknown_claims_.empty() || now_ < unknown_retry_) return;
  absl::flat_hash_set<UserId> waiting;
  for (const WaitingClaim& claim : claims_) waiting.insert(claim.user);
  for (auto it = unknown_claims_.begin(); it != unknown_claims_.end();) {
    if (locals_.contains(*it) || waiting.contains(*it)) {
      ++it;
    } else {
      claims_.push_back({*it, kNever, nullptr});
      it = unknown_claims_.erase(it);
    }
  }
}

// One batch at a time, so that of two connects of one user the later has the later session.
void Gateway::BeginClaims() {
  if (!claiming_.empty()) return;
  ClaimUnknown();
  if (claims_.empty()) return;
  absl::flat_hash_set<UserId> taken;
  std::deque<WaitingClaim> rest;
  std::vector<UserId> users;
  while (!claims_.empty()) {
    WaitingClaim claim = std::move(claims_.front());
    claims_.pop_front();
    if (users.size() == options_.max_query_batch || !taken.insert(claim.user).second) {
      rest.push_back(std::move(claim));
      continue;
    }
    users.push_back(claim.user);
    claiming_.push_back(std::move(claim));
  }
  claims_ = std::move(rest);
  counts_.claims += users.size();
  claim_timeout_ = Time{now_.ms + absl::ToInt64Milliseconds(options_.call_timeout)};
  outside_.claim(++claim_number_, lease_, users);
}

void Gateway::OnClaimed(std::uint64_t number,
                        absl::StatusOr<std::vector<SessionDirectory::Claimed>> answer) {
  if (!has_lease()) return;
  if (claiming_.empty() || number != claim_number_) return OnClaimedLate(number);
  std::vector<WaitingClaim> claiming = std::exchange(claiming_, {});
  if (answer.ok() && answer->size() != claiming.size()) {
    answer = absl::InternalError("the session directory answered for other users");
  }
  claim_failures_ = answer.ok() ? 0 : claim_failures_ + 1;
  // Clients try again as they see fit; what has become of their claims can wait.
  if (!answer.ok()) unknown_retry_ = Time{now_.ms + claim_backoff_.DelayMs(claim_failures_)};
  for (std::size_t i = 0; i < claiming.size(); ++i) {
    const UserId user = claiming[i].user;
    if (!answer.ok()) {
      ++counts_.claims_failed;
      // It may have been carried out.
      if (!IsPlanted(PlantedBug::kUnknownClaimForgotten)) unknown_claims_.insert(user);
      if (claiming[i].done) claiming[i].done(answer.status());
      continue;
    }
    const auto& [session, others] = (*answer)[i];
    if (!claiming[i].done) {
      releases_.push_back({user, session});
      continue;
    }
    unknown_claims_.erase(user);
    NodeEvent taken;
    taken.kind = NodeEvent::Kind::kTaken;
    taken.user = user;
    taken.session = session;
    for (const SessionHolder& other : others) {
      if (other.lease != lease_) outside_.send_letter(other.lease, taken);
    }
    claiming[i].done(session);
  }
}

// Whoever was waited for in vain may be entered only now, and in place of a session that began
// since.
void Gateway::OnClaimedLate(std::uint64_t number) {
  const auto late = late_claims_.find(number);
  if (late == late_claims_.end()) return;
  unknown_claims_.insert(late->second.begin(), late->second.end());
  late_claims_.erase(late);
}

void Gateway::TimeOutClaims() {
  if (!claiming_.empty() && now_ >= claim_timeout_) {
    std::vector<UserId>& late = late_claims_[claim_number_];
    for (const WaitingClaim& claim : claiming_) late.push_back(claim.user);
    if (late_claims_.size() > kMaxLateClaims) late_claims_.erase(late_claims_.begin());
    OnClaimed(claim_number_,
              absl::DeadlineExceededError("the session directory did not answer in time"));
  }
  // So that a storm of connects is not looked through at each poll.
  if (now_ < claims_due_) return;
  // Those that only find out what is to be released have no deadline, and stand among the others.
  const auto first_late =
      std::stable_partition(claims_.begin(), claims_.end(),
                            [this](const WaitingClaim& claim) { return claim.deadline > now_; });
  std::vector<WaitingClaim> late(std::make_move_iterator(first_late),
                                 std::make_move_iterator(claims_.end()));
  claims_.erase(first_late, claims_.end());
  claims_due_ = kNever;
  for (const WaitingClaim& claim : claims_) claims_due_ = std::min(claims_due_, claim.deadline);
  for (WaitingClaim& claim : late) {
    ++counts_.claims_failed;
    claim.done(absl::DeadlineExceededError("the session could not be entered in the directory"));
  }
}

void Gateway::FailClaims(const absl::Status& status) {
  std::vector<WaitingClaim> failed = std::exchange(claiming_, {});
  for (WaitingClaim& claim : std::exchange(claims_, {})) failed.push_back(std::move(claim));
  for (WaitingClaim& claim : failed) {
    ++counts_.claims_failed;
    if (claim.done) claim.done(status);
  }
}

void Gateway::Begin(UserId user, Epoch session) {
  Local& local = locals_[user];
  local = Local();
  local.session = session;
  Drop(user);
}

void Gateway::End(UserId user, Epoch session) {
  if (!has_lease()) return;
  const auto local = locals_.find(user);
  if (local != locals_.end() && local->second.session < session) {
    // It has never begun, and the one that goes on stands in the directory under its epoch, which
    // is how fences find it. That entry goes when this session has.
    unknown_claims_.insert(user);
    return;
  }
  releases_.push_back({user, session});
  if (IsPlanted(PlantedBug::kNewerSessionReleased) && local != locals_.end()) {
    releases_.back().epoch = local->second.session;
  }
  if (local == locals_.end() || local->second.session != session) return;
  const AcceptedLocation& location = local->second.location;
  Past past;
  past.ended = session;
  if (location.session == session) {
    past.located_in = session;
    past.accepted_at = location.accepted_at;
    past.reported_at = location.reported_at;
  }
  Remember(user, past);
  locals_.erase(local);
  to_reload_.erase(user);
  NodeEvent event;
  event.kind = NodeEvent::Kind::kOffline;
  event.user = user;
  event.session = session;
  if (!IsPlanted(PlantedBug::kEndNotPublished)) Publish(event);
}

void Gateway::BeginReleases() {
  if (!releasing_.empty() || releases_.empty() || now_ < release_retry_) return;
  const std::size_t count = std::min(releases_.size(), options_.max_query_batch);
  const auto end = releases_.begin() + static_cast<std::ptrdiff_t>(count);
  releasing_.assign(releases_.begin(), end);
  releases_.erase(releases_.begin(), end);
  release_timeout_ = Time{now_.ms + absl::ToInt64Milliseconds(options_.call_timeout)};
  outside_.release(++release_number_, lease_, releasing_);
}

void Gateway::OnReleased(std::uint64_t number, const absl::Status& status) {
  if (releasing_.empty() || number != release_number_) return;
  const std::vector<SessionDirectory::Session> batch = std::exchange(releasing_, {});
  if (status.ok()) {
    release_failures_ = 0;
    return;
  }
  ++counts_.query_failures;
  releases_.insert(releases_.begin(), batch.begin(), batch.end());
  release_retry_ = Time{now_.ms + release_backoff_.DelayMs(++release_failures_)};
}

void Gateway::Located(AcceptedLocation* location) {
  const auto local = locals_.find(location->user);
  if (local == locals_.end()) return;
  Local& of_user = local->second;
  location->session = of_user.session;
  const bool is_jump =
      of_user.location.session == of_user.session && IsJump(of_user.location, *location);
  if (is_jump) {
    ++of_user.jumps;
    ++counts_.jumps;
  }
  of_user.location = *location;
  ++counts_.locations_published;
  const NodeEvent event = LocationEvent(of_user);
  Publish(event);
  if (!is_jump || IsPlanted(PlantedBug::kJumpUntold)) return;
  // Who has parked them does not hear what is published, and relies on what this report breaks.
  for (const NodeLease& lease : of_user.known_to) {
    written_to_.insert(lease);
    outside_.send_letter(lease, event);
  }
}

// Their class of speed rises with reports that break it, and these alone; and nobody judges the way
// to the first report after an expiry.
bool Gateway::IsJump(const AcceptedLocation& from, const AcceptedLocation& to) const {
  if (to.speed_bound_mm_s > from.speed_bound_mm_s) return true;
  return to.accepted_at.ms - from.accepted_at.ms >= ttl_ms_ &&
         !IsPlanted(PlantedBug::kReturnNoJump);
}

NodeEvent Gateway::LocationEvent(const Local& local) {
  const AcceptedLocation& location = local.location;
  NodeEvent event;
  event.kind = NodeEvent::Kind::kLocation;
  event.user = location.user;
  event.session = location.session;
  event.position = location.position;
  event.accepted_at = location.accepted_at;
  event.reported_at = location.reported_at;
  event.speed_bound_mm_s = location.speed_bound_mm_s;
  event.jumps = local.jumps;
  return event;
}

AcceptedLocation Gateway::LocationOf(const NodeEvent& event) {
  return {event.user,        event.position, event.accepted_at,
          event.reported_at, event.session,  event.speed_bound_mm_s};
}

void Gateway::Publish(const NodeEvent& event) {
  outgoing_.from = lease_;
  outgoing_.sequence = next_sequence_++;
  outgoing_.events.assign(1, event);
  payload_.clear();
  encoder_.Encode(outgoing_, &payload_);
  outside_.publish(event.user, payload_);
}

}  // namespace nearby::internal
