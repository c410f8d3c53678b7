#include "nearby/options.h"

#include "absl/strings/str_cat.h"
#include "nearby/radius_filter.h"
#include "nearby/subscription_registry.h"

namespace nearby {
namespace {

// Deadlines are engine time plus one of these; a limit keeps them representable.
constexpr absl::Duration kMaxDuration = absl::Hours(24 * 365);
constexpr std::uint32_t kMaxRow = 65'535;
constexpr std::uint32_t kMaxShards = 64;

absl::Status CheckDuration(absl::string_view name, absl::Duration value, absl::Duration least) {
  if (value >= least && value <= kMaxDuration) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(name, " ", absl::FormatDuration(value),
                                                 " lies outside ", absl::FormatDuration(least),
                                                 " .. ", absl::FormatDuration(kMaxDuration)));
}

absl::Status CheckCount(absl::string_view name, std::uint32_t value, std::uint32_t least,
                        std::uint32_t most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(name, " ", value, " lies outside ", least, " .. ", most));
}

absl::Status CheckMeters(absl::string_view name, double value) {
  if (absl::Status status = ValidateRadius(value); !status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": ", status.message()));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status EngineOptions::Validate() const {
  const absl::Status checks[] = {
      CheckMeters("radius_m", radius_m),
      CheckMeters("hysteresis_m", hysteresis_m),
      CheckDuration("ttl", ttl, absl::Milliseconds(1)),
      CheckDuration("min_move_interval", min_move_interval, absl::ZeroDuration()),
      CheckDuration("min_report_interval", min_report_interval, absl::ZeroDuration()),
      CheckDuration("max_future_skew", max_future_skew, absl::ZeroDuration()),
      CheckDuration("unsubscribe_delay", unsubscribe_delay, absl::ZeroDuration()),
      CheckCount("max_friends", max_friends, 1, kMaxRow),
      CheckCount("max_entities", max_entities, 1, Edge::kMaxSlots),
      CheckCount("max_page_size", max_page_size, 1, kMaxRow),
      CheckCount("max_remembered_changes", max_remembered_changes, 1, 1u << 30),
      CheckCount("expected_entities", expected_entities, 0, max_entities),
      CheckCount("shard_count", shard_count, 1, spans_nodes ? kMaxShards - 1 : kMaxShards),
  };
  for (const absl::Status& check : checks) {
    if (!check.ok()) return check;
  }
  if (min_report_interval >= ttl) {
    return absl::InvalidArgumentError(absl::StrCat(
        "min_report_interval ", absl::FormatDuration(min_report_interval), " is not below ttl ",
        absl::FormatDuration(ttl), ": users would expire while their reports wait"));
  }
  return CheckCount("shard", ToInt(shard), 0, shard_count - 1);
}

}  // namespace nearby
