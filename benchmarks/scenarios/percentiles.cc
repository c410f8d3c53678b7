#include "benchmarks/scenarios/percentiles.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace scenarios {

void AddPercentiles(absl::string_view key, absl::string_view name,
                    const phones::LatencyHistogram& histogram, Findings* findings) {
  struct Percentile {
    const char* key;
    const char* name;
    double quantile;
  };
  constexpr Percentile kPercentiles[] = {{"p50", "50 %", 0.5},         {"p90", "90 %", 0.9},
                                         {"p99", "99 %", 0.99},        {"p999", "99.9 %", 0.999},
                                         {"p9999", "99.99 %", 0.9999}, {"max", "all", 1}};
  for (const Percentile& percentile : kPercentiles) {
    findings->Add(absl::StrCat(key, percentile.key, "_us"),
                  absl::StrCat(name, ", ", percentile.name, " within, us"),
                  static_cast<double>(histogram.Quantile(percentile.quantile)));
  }
}

}  // namespace scenarios
