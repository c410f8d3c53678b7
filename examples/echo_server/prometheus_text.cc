#include "examples/echo_server/prometheus_text.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"

namespace echo_server {

using nearby::Metric;

std::string ToPrometheusText(absl::Span<const Metric> metrics) {
  std::string text;
  absl::string_view family;
  for (const Metric& metric : metrics) {
    if (metric.name != family) {
      family = metric.name;
      const std::string help = absl::StrReplaceAll(metric.help, {{"\\", "\\\\"}, {"\n", "\\n"}});
      const char* const type = metric.kind == Metric::Kind::kCounter ? "counter" : "gauge";
      absl::StrAppend(&text, "# HELP ", family, " ", help, "\n");
      absl::StrAppend(&text, "# TYPE ", family, " ", type, "\n");
    }
    absl::StrAppend(&text, family);
    if (!metric.label.empty()) {
      const std::string value =
          absl::StrReplaceAll(metric.label_value, {{"\\", "\\\\"}, {"\"", "\\\""}, {"\n", "\\n"}});
      absl::StrAppend(&text, "{", metric.label, "=\"", value, "\"}");
    }
    absl::StrAppend(&text, " ", metric.value, "\n");
  }
  return text;
}

}  // namespace echo_server
