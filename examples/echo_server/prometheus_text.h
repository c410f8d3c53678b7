#ifndef EXAMPLES_ECHO_SERVER_PROMETHEUS_TEXT_H_
#define EXAMPLES_ECHO_SERVER_PROMETHEUS_TEXT_H_

#include <string>

#include "absl/types/span.h"
#include "nearby/metrics_sink.h"

namespace echo_server {

/// The media type of what ToPrometheusText writes.
inline constexpr char kPrometheusType[] = "text/plain; version=0.0.4; charset=utf-8";

/// Metrics in Prometheus's text format, version 0.0.4
/// (https://prometheus.io/docs/instrumenting/exposition_formats/). Metrics of one name must follow
/// each other; they get one HELP and one TYPE line.
std::string ToPrometheusText(absl::Span<const nearby::Metric> metrics);

}  // namespace echo_server

#endif  // EXAMPLES_ECHO_SERVER_PROMETHEUS_TEXT_H_
