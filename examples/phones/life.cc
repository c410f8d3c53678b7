#include "examples/phones/life.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "examples/phones/fleet.h"
#include "examples/phones/phone_clock.h"
#include "examples/phones/walkers.h"
#include "examples/replay/trace_reader.h"
#include "nearby/friend_graph.h"
#include "nearby/friendship.h"
#include "nearby/ids.h"
#include "nearby/time.h"

namespace phones {
namespace {

using replay::TraceRow;

constexpr std::size_t kRowsAtOnce = 256;
// Farther behind than this, life goes on from where it is rather than rush to catch up: the program
// was suspended, or the machine is too slow for the pace.
constexpr std::int64_t kMaxLagMicros = 2'000'000;

}  // namespace

Life::Life(const Options& options, Walkers* walkers, const nearby::FriendGraph* friends,
           Fleet* fleet, const PhoneClock* clock)
    : options_(options), walkers_(walkers), friends_(friends), fleet_(fleet), clock_(clock) {}

absl::Status Life::Advance() {
  const std::int64_t now_us = clock_->NowMicros();
  while (!is_over_) {
    if (absl::Status status = Fill(); !status.ok() || is_over_) return status;
    KeepPace(now_us);
    const TraceRow& row = rows_[next_row_];
    const double elapsed_ms = static_cast<double>(now_us - pace_us_) / 1000 * options_.pace;
    const nearby::Time due =
        nearby::Time::Millis(pace_time_.ms + static_cast<std::int64_t>(elapsed_ms));
    now_ = std::max(now_, std::min(due, row.time));
    is_over_ = lived() >= options_.duration;
    if (is_over_ || row.time > due) break;
    Act(row);
    ++next_row_;
  }
  return absl::OkStatus();
}

absl::Status Life::Fill() {
  if (next_row_ < rows_.size()) return absl::OkStatus();
  // Rows that precede an error have been lived by now.
  if (!read_status_.ok()) return read_status_;
  next_row_ = 0;
  read_status_ = walkers_->Read(kRowsAtOnce, &rows_);
  if (rows_.empty()) {
    is_over_ = true;
    return read_status_;
  }
  if (!has_begun_) {
    has_begun_ = true;
    first_ = now_ = pace_time_ = rows_.front().time;
    pace_us_ = clock_->NowMicros();
  }
  return absl::OkStatus();
}

void Life::KeepPace(std::int64_t now_us) {
  const double due_us =
      static_cast<double>(rows_[next_row_].time.ms - pace_time_.ms) * 1000 / options_.pace;
  if (static_cast<double>(now_us - pace_us_) - due_us <= kMaxLagMicros) return;
  pace_time_ = rows_[next_row_].time;
  pace_us_ = now_us;
}

void Life::Act(const TraceRow& row) {
  const std::optional<std::size_t> phone =
      row.kind == TraceRow::Kind::kReport ? FindOrAdd(row.user) : Find(row.user);
  if (!phone.has_value()) return;
  switch (row.kind) {
    case TraceRow::Kind::kReport:
      return fleet_->Report(*phone, {row.location, clock_->Now()});
    case TraceRow::Kind::kDisconnect:
      return fleet_->SwitchOff(*phone);
    case TraceRow::Kind::kSubscribe:
      return fleet_->Subscribe(*phone, row.other);
    case TraceRow::Kind::kUnsubscribe:
      return fleet_->Unsubscribe(*phone, row.other);
    case TraceRow::Kind::kBefriend:
    case TraceRow::Kind::kUnfriend:
    case TraceRow::Kind::kHide:
    case TraceRow::Kind::kShare:
    case TraceRow::Kind::kRadius:
      ++passed_over_;
  }
}

std::optional<std::size_t> Life::Find(nearby::UserId user) const {
  const auto found = phones_.find(user);
  if (found == phones_.end()) return std::nullopt;
  return found->second;
}

std::optional<std::size_t> Life::FindOrAdd(nearby::UserId user) {
  const std::optional<std::size_t> found = Find(user);
  if (found.has_value() || phones_.size() >= options_.phones) return found;
  std::vector<nearby::FriendEntry> entries;
  friends_->List(user, &entries);
  std::vector<nearby::UserId> friends;
  friends.reserve(entries.size());
  for (const nearby::FriendEntry& entry : entries) friends.push_back(entry.friend_id);
  const std::size_t phone = fleet_->Add(user, friends);
  phones_.emplace(user, phone);
  return phone;
}

}  // namespace phones
