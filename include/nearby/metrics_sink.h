#ifndef NEARBY_METRICS_SINK_H_
#define NEARBY_METRICS_SINK_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "nearby/export.h"

namespace nearby {

/// One number about a runtime, named as Prometheus would have it.
struct Metric {
  enum class Kind : std::uint8_t {
    kCounter,  ///< Only grows; since the runtime was made.
    kGauge,    ///< As it is now.
  };

  absl::string_view name;  ///< "nearby_reports_total"; static.
  absl::string_view help;  ///< One line; static.
  Kind kind = Kind::kCounter;
  /// What tells apart several metrics of one name, or empty; static. Metrics of one name follow
  /// each other.
  absl::string_view label;
  absl::string_view label_value;
  std::uint64_t value = 0;
};

/// Where a runtime's statistics go. The default is nowhere: `Runtime::stats` has them all.
///
/// Contract:
///   1. Export is called about every `RuntimeOptions::metrics_interval`, with all metrics, by a
///      thread that polls the runtime; calls do not overlap.
///   2. It does not block. Spans and views are valid during the call alone, but for those said to
///      be static.
class NEARBY_API MetricsSink {
 public:
  virtual ~MetricsSink() = default;

  virtual void Export(absl::Span<const Metric> metrics) = 0;
};

}  // namespace nearby

#endif  // NEARBY_METRICS_SINK_H_
