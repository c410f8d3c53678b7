#include <algorithm>

#include "absl/strings/str_cat.h"
#include "src/base/prefetch.h"
#include "src/engine/engine_impl.h"
#include "src/parts/motions.h"

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
    Expire(expired.slot, effects);
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
    if (edge.has(kFriendSees)) {
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

// What a report touches is spread over the memory, a cache miss each. So those ahead ask for it:
// first what the client's slot names, then the row that the row's head names, then what the edges
// of the row name.
void Engine::Impl::ReportAll(absl::Span<const LocationReport> reports, ReportOutcome* outcomes,
                             Effects* effects) {
  constexpr std::size_t kEntityAhead = 24;
  constexpr std::size_t kRowAhead = 16;
  constexpr std::size_t kNeighboursAhead = 4;
  const std::size_t size = reports.size();
  // Before the first report the steps catch up.
  for (std::size_t i = 0; i < std::min(kEntityAhead, size); ++i) PrefetchEntity(reports[i].client);
  for (std::size_t i = 0; i < std::min(kRowAhead, size); ++i) PrefetchRow(reports[i].client);
  for (std::size_t i = 0; i < std::min(kNeighboursAhead, size); ++i) {
    PrefetchNeighbours(reports[i].client);
  }
  for (std::size_t i = 0; i < size; ++i) {
    if (i + kEntityAhead < size) PrefetchEntity(reports[i + kEntityAhead].client);
    if (i + kRowAhead < size) PrefetchRow(reports[i + kRowAhead].client);
    if (i + kNeighboursAhead < size) PrefetchNeighbours(reports[i + kNeighboursAhead].client);
    const ReportOutcome outcome = Report(reports[i], effects);
    if (outcomes != nullptr) outcomes[i] = outcome;
  }
}

void Engine::Impl::PrefetchEntity(ClientHandle client) const {
  if (ToInt(client.slot) >= entities_.size()) return;
  internal::Prefetch(&entities_[ToInt(client.slot)]);
  internal::Prefetch(&cache_.positions()[ToInt(client.slot)]);
  cache_.motions().Prefetch(client.slot);
  cache_.PrefetchIdentity(client.slot);
  registry_.PrefetchHead(client.slot);
}

void Engine::Impl::PrefetchRow(ClientHandle client) const {
  if (ToInt(client.slot) >= entities_.size()) return;
  registry_.PrefetchRow(client.slot, kRowLines);
}

void Engine::Impl::PrefetchNeighbours(ClientHandle client) {
  if (!IsClient(client)) return;
  const RowView row = registry_.MutableRow(client.slot);
  if (options_.skip_far_pairs) {
    // A hint: what is due may have changed when the report's turn comes.
    if (prefetched_.size() < row.edges.size()) prefetched_.resize(row.edges.size());
    const std::size_t due =
        DueTicks::Select(row.ticks, row.edges.size(), now_tick_, prefetched_.data());
    for (std::size_t i = 0; i < due; ++i) {
      const Edge edge = row.edges[prefetched_[i]];
      internal::Prefetch(&cache_.positions()[ToInt(edge.neighbour())]);
      // Who sees the client will be told by name; of the others, their speed is asked.
      if (edge.has(kFriendSees)) {
        cache_.PrefetchIdentity(edge.neighbour());
      } else {
        cache_.motions().Prefetch(edge.neighbour());
      }
    }
    return;
  }
  for (const Edge edge : row.edges) {
    internal::Prefetch(&cache_.positions()[ToInt(edge.neighbour())]);
    if (edge.has(kFriendSees)) cache_.PrefetchIdentity(edge.neighbour());
  }
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

void Engine::Impl::Accept(Slot client, Position position, Time reported_at, Effects* effects) {
  ++stats_.reports_accepted;
  // Whatever was held back is older than this one, or this one itself.
  CancelHeldReport(client);
  entity(client).has_reported = true;
  Relocate(client, {position, now_, reported_at});
  if (options_.emit_locations) {
    effects->locations.push_back({cache_.user(client), position, now_, reported_at});
  }
  Walk(client, effects);
  if (IsListenedTo(client)) Publish(client, LocationMessage(client), effects);
}

}  // namespace nearby
