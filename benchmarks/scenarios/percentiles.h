#ifndef BENCHMARKS_SCENARIOS_PERCENTILES_H_
#define BENCHMARKS_SCENARIOS_PERCENTILES_H_

#include <string>

#include "absl/strings/string_view.h"
#include "benchmarks/scenarios/findings.h"
#include "examples/phones/latency_histogram.h"

namespace scenarios {

/// Adds percentiles, in microseconds, under keys and names that begin so.
void AddPercentiles(absl::string_view key, absl::string_view name,
                    const phones::LatencyHistogram& histogram, Findings* findings);

}  // namespace scenarios

#endif  // BENCHMARKS_SCENARIOS_PERCENTILES_H_
