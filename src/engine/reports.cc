#include <algorithm>

#include "absl/strings/str_cat.h"
#include "src/engine/engine_impl.h"

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

// What a report touches is spread over the memory, a cache miss each, and often a miss of the
// processor's table of pages as well. So those ahead ask for it in three steps, each of which needs
// what the one before asked for: the line of the client, the row, the lines of those in the row
// who will be looked at.
//
// Each step runs over a whole group of reports in a tight loop. Looking up a page blocks whatever
// comes after it in the processor's window; many look-ups in a row overlap, whereas those scattered
// among calculations would each be waited for.
void Engine::Impl::ReportAll(absl::Span<const LocationReport> reports, ReportOutcome* outcomes,
                             Effects* effects) {
  const auto group = [reports](std::size_t number) {
    return reports.subspan(std::min(number * kReportGroup, reports.size()), kReportGroup);
  };
  for (const LocationReport& report : group(0)) lines_.Prefetch(report.client.slot);
  for (const LocationReport& report : group(1)) lines_.Prefetch(report.client.slot);
  for (const LocationReport& report : group(0)) PrefetchRow(report.client);
  for (std::size_t number = 0; !group(number).empty(); ++number) {
    for (const LocationReport& report : group(number + 2)) lines_.Prefetch(report.client.slot);
    for (const LocationReport& report : group(number + 1)) PrefetchRow(report.client);
    found_due_.clear();
    due_numbers_used_ = 0;
    for (const LocationReport& report : group(number)) PrefetchNeighbours(report);
    const std::uint32_t ticks_voided = ticks_voided_;
    for (std::size_t i = 0; i < group(number).size(); ++i) {
      // What was found to be due is still all that is, unless a report before this one voided
      // ticks.
      if (options_.skip_far_pairs && ticks_voided == ticks_voided_) known_due_ = found_due_[i];
      const ReportOutcome outcome = Report(group(number)[i], effects);
      if (outcomes != nullptr) *outcomes++ = outcome;
      known_due_.reset();
    }
  }
}

void Engine::Impl::PrefetchRow(ClientHandle client) const {
  rows_.PrefetchBlock(client.slot, kRowLines);
}

void Engine::Impl::PrefetchNeighbours(const LocationReport& report) {
  std::optional<Range>& found_due = found_due_.emplace_back();
  // A report that will not be accepted must not cost what one that is does.
  const Slot client = report.client.slot;
  if (Judge(report) != ReportOutcome::kAccepted || MustWait(client)) return;
  const RowView row = rows_.Row(client);
  const Edge* const edges = row.edges.data();
  const std::size_t size = row.edges.size();
  if (!options_.skip_far_pairs) {
    for (std::size_t i = 0; i < std::min(size, kMaxPrefetched); ++i) {
      lines_.Prefetch(edges[i].neighbour());
    }
    return;
  }
  const std::size_t begin = due_numbers_used_;
  if (due_numbers_.size() < begin + size) due_numbers_.resize(2 * (begin + size));
  std::uint32_t* const numbers = due_numbers_.data() + begin;
  const std::size_t due = DueTicks::Select(row.ticks, size, now_tick_, numbers);
  for (std::size_t i = 0; i < std::min(due, kMaxPrefetched); ++i) {
    lines_.Prefetch(edges[numbers[i]].neighbour());
  }
  due_numbers_used_ += due;
  found_due = Range{begin, due_numbers_used_};
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
  const LocationCache::Motion motion = Relocate(client, {position, now_, reported_at});
  if (options_.emit_locations) {
    effects->locations.push_back({cache_.user(client), position, now_, reported_at});
  }
  Walk(client, effects);
  if (IsListenedTo(client)) PublishLocation(client, motion, effects);
}

}  // namespace nearby
