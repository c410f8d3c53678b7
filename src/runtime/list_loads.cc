#include "src/runtime/list_loads.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "nearby/ids.h"
#include "nearby/time.h"

namespace nearby::internal {

namespace {

std::uint64_t KeyOf(ClientHandle client) {
  return std::uint64_t{client.generation} << 32 | ToInt(client.slot);
}

}  // namespace

void ListLoads::Add(ClientHandle client, UserId user, Time deadline) {
  Load load;
  load.client = client;
  load.user = user;
  load.deadline = deadline;
  load.start = Time{-kMaxTimeMs};
  Wait(load);
}

void ListLoads::AddRecheck(ClientHandle client, UserId user) {
  Load load;
  load.client = client;
  load.user = user;
  load.deadline = kNever;
  load.start = Time{-kMaxTimeMs};
  load.is_recheck = true;
  Wait(load);
}

void ListLoads::Wait(Load load) {
  const auto [queued, is_new] = queued_.try_emplace(KeyOf(load.client), next_number_);
  if (is_new) {
    load.number = next_number_++;
    waiting_[load.number] = load;
    starts_.emplace(load.start.ms, load.number);
    return;
  }
  // What waits will do as well, unless it comes too late for a connect.
  Load& waiting = waiting_[queued->second];
  waiting.is_recheck = waiting.is_recheck && load.is_recheck;
  if (load.deadline == kNever) return;
  waiting.deadline = std::min(waiting.deadline, load.deadline);
  if (waiting.start <= load.start) return;
  starts_.erase({waiting.start.ms, waiting.number});
  waiting.start = load.start;
  starts_.emplace(waiting.start.ms, waiting.number);
}

std::optional<ListLoads::Load> ListLoads::Begin(Time now) {
  if (in_flight_.size() >= max_in_flight_) return std::nullopt;
  if (starts_.empty() || now.ms < starts_.begin()->first) return std::nullopt;
  const auto found = waiting_.find(starts_.begin()->second);
  Load load = found->second;
  starts_.erase(starts_.begin());
  waiting_.erase(found);
  queued_.erase(KeyOf(load.client));
  load.timeout = Time{std::min(now.ms + attempt_timeout_ms_, load.deadline.ms)};
  timeouts_.emplace(load.timeout.ms, load.number);
  in_flight_[load.number] = load;
  return load;
}

std::optional<ListLoads::Load> ListLoads::End(std::uint64_t number) {
  const auto found = in_flight_.find(number);
  if (found == in_flight_.end()) return std::nullopt;
  const Load load = found->second;
  in_flight_.erase(found);
  timeouts_.erase({load.timeout.ms, number});
  return load;
}

std::optional<ListLoads::Load> ListLoads::TimeOut(Time now) {
  if (timeouts_.empty() || now.ms < timeouts_.begin()->first) return std::nullopt;
  return End(timeouts_.begin()->second);
}

bool ListLoads::Retry(const Load& load, Time now) {
  Load again = load;
  again.start = Time{now.ms + backoff_.DelayMs(++again.failures)};
  if (again.start >= load.deadline) return false;
  Wait(again);
  return true;
}

Time ListLoads::next_event() const {
  Time next = timeouts_.empty() ? kNever : Time{timeouts_.begin()->first};
  if (!starts_.empty() && in_flight_.size() < max_in_flight_) {
    next = std::min(next, Time{starts_.begin()->first});
  }
  return next;
}

}  // namespace nearby::internal
