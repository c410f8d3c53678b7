#ifndef BENCHMARKS_CAPACITY_BATCHES_H_
#define BENCHMARKS_CAPACITY_BATCHES_H_

#include <cstddef>
#include <vector>

#include "absl/types/span.h"
#include "benchmarks/capacity/trace.h"
#include "nearby/time.h"

namespace capacity {

/// Reports that a server takes at once, and its clock then: that of the last of them.
struct Batch {
  absl::Span<const TracedReport> reports;
  nearby::Time now;
};

/// Cuts reports, in order of time, into batches of at most `size`, none longer than the second in
/// which a host is to advance the engine.
std::vector<Batch> CutIntoBatches(absl::Span<const TracedReport> reports, std::size_t size);

}  // namespace capacity

#endif  // BENCHMARKS_CAPACITY_BATCHES_H_
