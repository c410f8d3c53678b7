#include "benchmarks/capacity/batches.h"

#include <cstddef>
#include <vector>

namespace capacity {

std::vector<Batch> CutIntoBatches(absl::Span<const TracedReport> reports, std::size_t size) {
  constexpr std::int64_t kMostMs = 1'000;
  std::vector<Batch> batches;
  for (std::size_t begin = 0; begin < reports.size();) {
    std::size_t end = begin + 1;
    while (end < reports.size() && end - begin < size &&
           reports[end].time.ms - reports[begin].time.ms < kMostMs) {
      ++end;
    }
    batches.push_back({reports.subspan(begin, end - begin), reports[end - 1].time});
    begin = end;
  }
  return batches;
}

}  // namespace capacity
