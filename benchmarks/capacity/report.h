#ifndef BENCHMARKS_CAPACITY_REPORT_H_
#define BENCHMARKS_CAPACITY_REPORT_H_

#include <string>

#include "benchmarks/capacity/measurement.h"

namespace capacity {

/// A table for people.
std::string ToTable(const Measurement& found);

/// One JSON object, ending in a newline. Rates are medians over the slices, ratios medians of the
/// slices' ratios. What was not measured is null.
std::string ToJson(const Measurement& found);

}  // namespace capacity

#endif  // BENCHMARKS_CAPACITY_REPORT_H_
