#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "nearby/cluster_options.h"

namespace nearby {
namespace {

constexpr absl::Duration kMaxDuration = absl::Hours(24 * 365);

absl::Status CheckDuration(absl::string_view name, absl::Duration value, absl::Duration least) {
  if (value >= least && value <= kMaxDuration) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(name, " ", absl::FormatDuration(value),
                                                 " lies outside ", absl::FormatDuration(least),
                                                 " .. ", absl::FormatDuration(kMaxDuration)));
}

absl::Status CheckCount(absl::string_view name, std::size_t value, std::size_t least,
                        std::size_t most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(name, " ", value, " lies outside ", least, " .. ", most));
}

}  // namespace

absl::Status ClusterOptions::Validate() const {
  constexpr absl::Duration kTick = absl::Milliseconds(1);
  constexpr std::size_t kMany = std::size_t{1} << 30;
  const absl::Status checks[] = {
      CheckDuration("lease_duration", lease_duration, absl::Milliseconds(10)),
      CheckDuration("lease_margin", lease_margin, kTick),
      CheckDuration("probe_interval", probe_interval, kTick),
      CheckDuration("max_park", max_park, kTick),
      CheckDuration("ring_settle", ring_settle, absl::ZeroDuration()),
      CheckDuration("call_timeout", call_timeout, kTick),
      CheckDuration("min_retry_delay", min_retry_delay, kTick),
      CheckDuration("max_retry_delay", max_retry_delay, min_retry_delay),
      CheckCount("max_subscribes_in_flight", max_subscribes_in_flight, 1, kMany),
      CheckCount("max_queries", max_queries, 1, kMany),
      CheckCount("max_query_batch", max_query_batch, 1, 4096),
      CheckCount("max_guests", max_guests, 1, kMany),
      CheckCount("max_unacknowledged", max_unacknowledged, 1, kMany),
      CheckCount("max_fences", max_fences, 1, kMany),
  };
  for (const absl::Status& check : checks) {
    if (!check.ok()) return check;
  }
  if (!(lease_margin < lease_duration)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "lease_margin ", absl::FormatDuration(lease_margin), " is not below lease_duration ",
        absl::FormatDuration(lease_duration), ": nothing would ever be told"));
  }
  if (!(max_resubscribes_per_second > 0 && max_resubscribes_per_second <= 1e9)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "max_resubscribes_per_second ", max_resubscribes_per_second, " lies outside (0, 1e9]"));
  }
  return absl::OkStatus();
}

}  // namespace nearby
