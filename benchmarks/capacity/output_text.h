#ifndef BENCHMARKS_CAPACITY_OUTPUT_TEXT_H_
#define BENCHMARKS_CAPACITY_OUTPUT_TEXT_H_

#include <string>

#include "absl/status/status.h"

namespace capacity {

/// Writes a file anew; "-" is standard output. `Unavailable`, naming the path, if it cannot.
absl::Status WriteText(const std::string& path, const std::string& text);

}  // namespace capacity

#endif  // BENCHMARKS_CAPACITY_OUTPUT_TEXT_H_
