#include <algorithm>
#include <cmath>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "src/base/planted_bugs.h"
#include "src/engine/engine_impl.h"
#include "src/engine/groups.h"

namespace nearby {

absl::Status Engine::Impl::Advance(Time now, Effects* effects) {
  if (!IsValid(now)) {
    return absl::InvalidArgumentError(absl::StrCat("time ", now.ms, " ms is out of range"));
  }
  if (now < now_) {
    return absl::InvalidArgumentError(
        absl::StrCat("time ", now.ms, " ms is earlier than ", now_.ms, " ms, where the engine is"));
  }
  // Each thing happens at its own time, in order; what it sets off may fall due before `now` as
  // well. At one instant expiries come first.
  for (bool fired = true; fired;) {
    const Time until = std::min({now, timers_.next(), registry_.next_idle_check()});
    ExpireUntil(until, effects);
    fired = FireNext(until, effects);
  }
  SetNow(now);
  return absl::OkStatus();
}

void Engine::Impl::SetNow(Time now) {
  now_ = now;
  now_tick_ = DueTicks::At(now);
}

Time Engine::Impl::next_event() const {
  return std::min({cache_.next_expiry_check(), timers_.next(), registry_.next_idle_check()});
}

void Engine::Impl::ExpireUntil(Time until, Effects* effects) {
  LocationCache::Expired expired;
  while (cache_.PopExpired(until, &expired)) {
    SetNow(std::max(now_, expired.deadline));
    if (IsParked(expired.slot)) {
      cache_.Hold(expired);
    } else {
      Expire(expired.slot, effects);
    }
  }
}

bool Engine::Impl::FireNext(Time until, Effects* effects) {
  if (timers_.next() <= until) {
    const internal::Timers::Entry entry = timers_.Pop();
    SetNow(std::max(now_, entry.due));
    if (entry.kind == internal::Timers::Kind::kWithheldMove) {
      SendWithheldMove(entry.subject, entry.friend_slot, effects);
    } else {
      ReleaseHeldReport(entry.subject, effects);
    }
    return true;
  }
  if (registry_.next_idle_check() > until) return false;
  SetNow(std::max(now_, until));
  Slot channel;
  if (registry_.PopIdle(until, &channel)) DropIdleChannel(channel, effects);
  return true;
}

void Engine::Impl::Expire(Slot slot, Effects* effects) {
  for (Edge& edge : registry_.MutableRow(slot).edges) {
    if (edge.has(kFriendSees) && !IsPlanted(PlantedBug::kExpiryNotTold)) {
      ForgetView(edge.neighbour(), registry_.MirrorOf(slot, edge));
      Leave(edge.neighbour(), slot, LeaveReason::kExpired, 0, effects);
    }
    if (edge.has(kISee)) ForgetView(slot, edge);
  }
  if (!entity(slot).is_client) return;
  ++stats_.expiries;
  // A client who has not been answered yet has been told nothing that a reset could take back.
  if (IsReady(slot)) Reset(slot, effects);
}

ReportOutcome Engine::Impl::Report(const LocationReport& report, Effects* effects) {
  const ReportOutcome outcome = Judge(report);
  switch (outcome) {
    case ReportOutcome::kAccepted: {
      const Slot client = report.client.slot;
      const Position position = Position::FromLatLng(report.location);
      if (MustWait(client)) {
        Hold(client, position, report.reported_at);
        return ReportOutcome::kConflated;
      }
      Accept(client, position, report.reported_at, effects);
      break;
    }
    case ReportOutcome::kStale:
      ++stats_.reports_stale;
      break;
    case ReportOutcome::kFuture:
      ++stats_.reports_future;
      break;
    case ReportOutcome::kUnknownClient:
      ++stats_.reports_unknown_client;
      break;
    default:
      ++stats_.reports_invalid;
  }
  return outcome;
}

void Engine::Impl::ReportAll(absl::Span<const LocationReport> reports, ReportOutcome* outcomes,
                             Effects* effects) {
  const auto slot_of = [reports](std::size_t i) { return reports[i].client.slot; };
  // A report that will not be accepted must not cost what one that is does.
  const auto will_walk = [this, reports](std::size_t i) {
    return Judge(reports[i]) == ReportOutcome::kAccepted && !MustWait(reports[i].client.slot);
  };
  InGroups(reports.size(), slot_of, will_walk, [&](std::size_t i) {
    const ReportOutcome outcome = Report(reports[i], effects);
    if (outcomes != nullptr) outcomes[i] = outcome;
  });
}

ReportOutcome Engine::Impl::Judge(const LocationReport& report) const {
  if (!IsClient(report.client)) return ReportOutcome::kUnknownClient;
  if (!IsValid(report.reported_at)) return ReportOutcome::kInvalidTime;
  if (!IsValid(report.location)) return ReportOutcome::kInvalidLocation;
  if (report.reported_at.ms > now_.ms + max_future_skew_ms_) return ReportOutcome::kFuture;
  const Slot client = report.client.slot;
  if (!held_reports_.empty()) {
    const auto held = held_reports_.find(ToInt(client));
    if (held != held_reports_.end() && held->second.is_live &&
        report.reported_at < held->second.reported_at) {
      return ReportOutcome::kStale;
    }
  }
  if (IsPlanted(PlantedBug::kStaleReportAccepted)) return ReportOutcome::kAccepted;
  if (entity(client).has_reported && report.reported_at < cache_.reported_at(client)) {
    return ReportOutcome::kStale;
  }
  return ReportOutcome::kAccepted;
}

bool Engine::Impl::MustWait(Slot client) const {
  return min_report_interval_ms_ > 0 && cache_.is_active(client) &&
         now_.ms < cache_.accepted_at(client).ms + min_report_interval_ms_;
}

void Engine::Impl::Hold(Slot client, Position position, Time reported_at) {
  ++stats_.reports_conflated;
  const Time due{cache_.accepted_at(client).ms + min_report_interval_ms_};
  const auto [held, has_no_timer] = held_reports_.try_emplace(ToInt(client));
  held->second = HeldReport{position, reported_at, due, true};
  if (has_no_timer) timers_.Add(due, internal::Timers::Kind::kConflatedReport, client);
}

void Engine::Impl::CancelHeldReport(Slot client) {
  if (held_reports_.empty()) return;
  const auto held = held_reports_.find(ToInt(client));
  if (held != held_reports_.end()) held->second.is_live = false;
}

void Engine::Impl::ReleaseHeldReport(Slot client, Effects* effects) {
  const auto held = held_reports_.find(ToInt(client));
  const HeldReport report = held->second;
  // The client may have gone since the timer was set, and another come in its slot.
  if (report.is_live && now_ < report.due) {
    timers_.Add(report.due, internal::Timers::Kind::kConflatedReport, client);
    return;
  }
  held_reports_.erase(held);
  if (report.is_live) Accept(client, report.position, report.reported_at, effects);
}

std::uint32_t Engine::Impl::SpeedBoundToTell(Slot client) const {
  // With every pair checked no speeds are learnt, and others need not check every pair for that.
  if (!options_.skip_far_pairs) return AcceptedLocation::kUnknownSpeed;
  constexpr double kMmPerSecond = 1e6;  // to a metre a millisecond
  const double bound = std::round(cache_.speed_bound(client) * kMmPerSecond);
  return bound < AcceptedLocation::kNoSpeedBound ? static_cast<std::uint32_t>(bound)
                                                 : AcceptedLocation::kNoSpeedBound;
}

void Engine::Impl::Accept(Slot client, Position position, Time reported_at, Effects* effects) {
  ++stats_.reports_accepted;
  // Whatever was held back is older than this one, or this one itself.
  CancelHeldReport(client);
  entity(client).has_reported = true;
  const std::int64_t silence_ms =
      cache_.is_active(client) ? now_.ms - cache_.accepted_at(client).ms : 0;
  const LocationCache::Motion motion = Relocate(client, {position, now_, reported_at}, effects);
  if (options_.emit_locations) {
    effects->locations.push_back(
        {cache_.user(client), position, now_, reported_at, Epoch{}, SpeedBoundToTell(client)});
  }
  Walk(client, effects);
  if (entity(client).is_heard) PublishLocation(client, motion, silence_ms, effects);
}

}  // namespace nearby
