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
  if (!queued_.insert(KeyOf(client)).second) return;
  Load load;
  load.number = next_number_++;
  load.client = client;
  load.user = user;
  load.deadline = deadline;
  waiting_[load.number] = load;
  starts_.emplace(-kMaxTimeMs, load.number);
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
  const Time start{now.ms + backoff_.DelayMs(++again.failures)};
  if (start >= load.deadline) return false;
  // What is to be loaded already will do as well.
  if (!queued_.insert(KeyOf(load.client)).second) return true;
  again.number = next_number_++;
  waiting_[again.number] = again;
  starts_.emplace(start.ms, again.number);
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
