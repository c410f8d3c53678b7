#include "nearby/testing/recording_metrics_sink.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"

namespace nearby {
namespace {

constexpr std::size_t kMaxViolations = 100;

}  // namespace

void RecordingMetricsSink::Fail(const Metric& metric, absl::string_view what) {
  if (violations_.size() >= kMaxViolations) return;
  violations_.push_back(absl::StrCat(metric.name, "{", metric.label, "=\"", metric.label_value,
                                     "\"} ", metric.value, ": ", what));
}

void RecordingMetricsSink::Export(absl::Span<const Metric> metrics) {
  const std::lock_guard<std::mutex> lock(mutex_);
  ++exports_;
  std::map<Key, Entry> exported;
  std::set<absl::string_view> names;
  const Metric* previous = nullptr;
  for (const Metric& metric : metrics) {
    if (metric.name.empty()) Fail(metric, "a metric without a name");
    const bool follows = previous != nullptr && previous->name == metric.name;
    if (!follows && !names.insert(metric.name).second) {
      Fail(metric, "does not follow the others of its name");
    }
    if (follows && previous->kind != metric.kind) Fail(metric, "differs in kind from its name's");
    previous = &metric;

    const Key key(metric.name, metric.label_value);
    if (!exported.try_emplace(key, Entry{metric.kind, metric.value}).second) {
      Fail(metric, "comes twice");
    }
    const auto before = latest_.find(key);
    if (before != latest_.end() && metric.kind == Metric::Kind::kCounter &&
        metric.value < before->second.value) {
      Fail(metric, absl::StrCat("a counter that went down from ", before->second.value));
    }
  }
  latest_ = std::move(exported);
}

std::size_t RecordingMetricsSink::exports() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return exports_;
}

std::optional<std::uint64_t> RecordingMetricsSink::value(absl::string_view name,
                                                         absl::string_view label_value) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto it = latest_.find(Key(name, label_value));
  if (it == latest_.end()) return std::nullopt;
  return it->second.value;
}

std::vector<std::string> RecordingMetricsSink::violations() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return violations_;
}

}  // namespace nearby
