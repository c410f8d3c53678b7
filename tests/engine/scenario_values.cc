#include "tests/engine/scenario_values.h"

#include <cmath>
#include <functional>
#include <map>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace nearby::test {
namespace {

using Setter = std::function<absl::Status(EngineOptions&, absl::string_view)>;

Setter SetsMeters(double EngineOptions::*field) {
  return [field](EngineOptions& options, absl::string_view text) {
    const absl::StatusOr<double> value = ParseMeters(text);
    if (value.ok()) options.*field = *value;
    return value.status();
  };
}

Setter SetsDuration(absl::Duration EngineOptions::*field) {
  return [field](EngineOptions& options, absl::string_view text) {
    const absl::StatusOr<absl::Duration> value = ParseDuration(text);
    if (value.ok()) options.*field = *value;
    return value.status();
  };
}

Setter SetsCount(std::uint32_t EngineOptions::*field) {
  return [field](EngineOptions& options, absl::string_view text) {
    const absl::StatusOr<std::uint64_t> value = ParseCount(text);
    if (value.ok()) options.*field = static_cast<std::uint32_t>(*value);
    return value.status();
  };
}

const std::map<std::string, Setter>& OptionSetters() {
  using O = EngineOptions;
  static const auto* const setters = new std::map<std::string, Setter>{
      {"radius_m", SetsMeters(&O::radius_m)},
      {"hysteresis_m", SetsMeters(&O::hysteresis_m)},
      {"ttl", SetsDuration(&O::ttl)},
      {"min_move_interval", SetsDuration(&O::min_move_interval)},
      {"min_report_interval", SetsDuration(&O::min_report_interval)},
      {"max_future_skew", SetsDuration(&O::max_future_skew)},
      {"connect_page_size", SetsCount(&O::connect_page_size)},
      {"unsubscribe_delay", SetsDuration(&O::unsubscribe_delay)},
      {"max_friends", SetsCount(&O::max_friends)},
      {"max_entities", SetsCount(&O::max_entities)},
      {"max_page_size", SetsCount(&O::max_page_size)},
      {"max_remembered_changes", SetsCount(&O::max_remembered_changes)},
      {"emit_locations",
       [](O& options, absl::string_view text) {
         options.emit_locations = text == "true";
         return absl::OkStatus();
       }},
  };
  return *setters;
}

}  // namespace

absl::StatusOr<std::uint64_t> ParseCount(absl::string_view text) {
  std::uint64_t value = 0;
  if (!absl::SimpleAtoi(text, &value)) return Malformed("not a count: ", text);
  return value;
}

absl::StatusOr<double> ParseMeters(absl::string_view text) {
  double value = 0;
  if (!absl::ConsumeSuffix(&text, "m") || !absl::SimpleAtod(text, &value)) {
    return Malformed("not a length in metres: ", text);
  }
  return value;
}

absl::StatusOr<absl::Duration> ParseDuration(absl::string_view text) {
  absl::Duration value;
  if (!absl::ParseDuration(text, &value)) return Malformed("not a duration: ", text);
  return value;
}

absl::StatusOr<Time> ParseTime(absl::string_view text) {
  const std::vector<std::string> fields = absl::StrSplit(text, absl::ByAnyChar(":."));
  if (fields.size() != 4) return Malformed("not a time: ", text);
  std::int64_t ms = 0;
  constexpr std::int64_t kUnits[] = {3'600'000, 60'000, 1000, 1};
  for (std::size_t i = 0; i < fields.size(); ++i) {
    std::int64_t value = 0;
    if (!absl::SimpleAtoi(fields[i], &value)) return Malformed("not a time: ", text);
    ms += value * kUnits[i];
  }
  return Time{ms};
}

LatLng Offset(LatLng from, double meters, char direction) {
  constexpr double kDegree = 3.14159265358979323846 / 180;
  const double angle = meters / kEarthRadiusMeters;
  if (direction == 'N') return {from.lat + angle / kDegree, from.lng};
  if (direction == 'S') return {from.lat - angle / kDegree, from.lng};
  const double lat = from.lat * kDegree;
  const double to_lat = std::asin(std::sin(lat) * std::cos(angle));
  const double turn = std::atan2(std::sin(angle) * std::cos(lat),
                                 std::cos(angle) - std::sin(lat) * std::sin(to_lat));
  double lng = from.lng + (direction == 'E' ? turn : -turn) / kDegree;
  if (lng > 180) lng -= 360;
  if (lng < -180) lng += 360;
  return {to_lat / kDegree, lng};
}

absl::Status SetOption(absl::string_view name, absl::string_view value, EngineOptions* options) {
  const auto setter = OptionSetters().find(std::string(name));
  if (setter == OptionSetters().end()) return Malformed("no such option: ", name);
  return setter->second(*options, value);
}

absl::StatusOr<std::uint64_t> Counter(const EngineStats& stats, absl::string_view name) {
  static const auto* const counters = new std::map<std::string, std::uint64_t EngineStats::*>{
      {"reports_accepted", &EngineStats::reports_accepted},
      {"reports_conflated", &EngineStats::reports_conflated},
      {"reports_stale", &EngineStats::reports_stale},
      {"reports_future", &EngineStats::reports_future},
      {"reports_invalid", &EngineStats::reports_invalid},
      {"reports_unknown_client", &EngineStats::reports_unknown_client},
      {"enters", &EngineStats::enters},
      {"moves", &EngineStats::moves},
      {"resets", &EngineStats::resets},
      {"connects", &EngineStats::connects},
      {"replacements", &EngineStats::replacements},
      {"disconnects", &EngineStats::disconnects},
      {"expiries", &EngineStats::expiries},
      {"lists_loaded", &EngineStats::lists_loaded},
      {"lists_refused", &EngineStats::lists_refused},
      {"changes_applied", &EngineStats::changes_applied},
      {"changes_repeated", &EngineStats::changes_repeated},
      {"changes_forgotten", &EngineStats::changes_forgotten},
      {"links_refused", &EngineStats::links_refused},
      {"messages_dropped", &EngineStats::messages_dropped},
      {"channels_subscribed", &EngineStats::channels_subscribed},
      {"channels_unsubscribed", &EngineStats::channels_unsubscribed},
      {"clients", &EngineStats::clients},
      {"entities", &EngineStats::entities},
      {"edges", &EngineStats::edges},
  };
  const auto found = counters->find(std::string(name));
  if (found == counters->end()) return Malformed("no such counter: ", name);
  return stats.*found->second;
}

}  // namespace nearby::test
