#include "nearby/options.h"

#include <cmath>
#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "nearby/ids.h"
#include "nearby/runtime_options.h"

namespace nearby {
namespace {

// Beyond any use, and far from overflowing when times are added.
constexpr absl::Duration kLongest = absl::Hours(24 * 365);

absl::Status CheckDuration(absl::string_view name, absl::Duration value, absl::Duration least) {
  if (value >= least && value <= kLongest) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(name, " ", absl::FormatDuration(value),
                                                 " lies outside ", absl::FormatDuration(least),
                                                 " .. ", absl::FormatDuration(kLongest)));
}

absl::Status CheckLimit(absl::string_view name, std::size_t value) {
  constexpr std::size_t kMost = std::size_t{1} << 30;
  if (value >= 1 && value <= kMost) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(name, " ", value, " lies outside 1 .. ", kMost));
}

}  // namespace

absl::Status RuntimeOptions::Validate() const {
  EngineOptions shard = engine;
  shard.shard_count = shards;
  shard.shard = ShardId{0};
  absl::Status status = shard.Validate();
  status.Update(CheckDuration("load_timeout", load_timeout, absl::Milliseconds(1)));
  status.Update(CheckDuration("min_retry_delay", min_retry_delay, absl::Milliseconds(1)));
  status.Update(CheckDuration("max_retry_delay", max_retry_delay, min_retry_delay));
  status.Update(CheckDuration("drain_spread", drain_spread, absl::ZeroDuration()));
  if (list_refresh_interval != absl::InfiniteDuration()) {
    status.Update(
        CheckDuration("list_refresh_interval", list_refresh_interval, absl::Milliseconds(1)));
  }
  status.Update(CheckDuration("metrics_interval", metrics_interval, absl::Milliseconds(1)));
  if (!(drain_clients_per_second > 0 && std::isfinite(drain_clients_per_second))) {
    status.Update(absl::InvalidArgumentError(
        absl::StrCat("drain_clients_per_second ", drain_clients_per_second, " is not positive")));
  }
  status.Update(CheckLimit("max_queued_reports", max_queued_reports));
  status.Update(CheckLimit("max_queued_calls", max_queued_calls));
  status.Update(CheckLimit("max_queued_messages", max_queued_messages));
  status.Update(CheckLimit("max_loads_in_flight", max_loads_in_flight));
  status.Update(CheckLimit("max_edits_in_flight", max_edits_in_flight));
  status.Update(CheckLimit("max_pending_events", max_pending_events));
  status.Update(CheckLimit("max_unstored_locations", max_unstored_locations));
  status.Update(CheckLimit("max_batch", max_batch));
  return status;
}

}  // namespace nearby
