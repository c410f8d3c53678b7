#ifndef NEARBY_TESTING_RECORDING_METRICS_SINK_H_
#define NEARBY_TESTING_RECORDING_METRICS_SINK_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "nearby/export.h"
#include "nearby/metrics_sink.h"

namespace nearby {

/// Keeps the metrics of the latest export, and notes what is wrong with each: a counter that went
/// down, a metric that comes twice or has no name, metrics of one name that do not follow each
/// other or differ in kind.
///
/// Thread-safe.
class NEARBY_API RecordingMetricsSink : public MetricsSink {
 public:
  void Export(absl::Span<const Metric> metrics) override;

  std::size_t exports() const;
  /// The value of the latest export, if it had the metric. The label value tells apart several of
  /// one name.
  std::optional<std::uint64_t> value(absl::string_view name,
                                     absl::string_view label_value = "") const;
  /// The first hundred, a line each.
  std::vector<std::string> violations() const;

 private:
  struct Entry {
    Metric::Kind kind = Metric::Kind::kCounter;
    std::uint64_t value = 0;
  };
  using Key = std::pair<std::string, std::string>;  // name, label value

  void Fail(const Metric& metric, absl::string_view what);

  mutable std::mutex mutex_;
  std::size_t exports_ = 0;
  std::map<Key, Entry> latest_;
  std::vector<std::string> violations_;
};

}  // namespace nearby

#endif  // NEARBY_TESTING_RECORDING_METRICS_SINK_H_
