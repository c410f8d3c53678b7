#include "examples/phones/report.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "examples/phones/latency_histogram.h"
#include "examples/phones/tally.h"
#include "examples/phones/violations.h"
#include "examples/replay/json_object.h"
#include "examples/replay/live_text.h"
#include "nearby/wire_format.h"

namespace phones {
namespace {

using replay::Grouped;
using replay::JsonObject;

double Rate(std::uint64_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

const char* Name(nearby::WireFormat format) {
  return format == nearby::WireFormat::kJson ? "json" : "protobuf";
}

JsonObject LatencyJson(const LatencyHistogram& latency) {
  JsonObject json;
  json.Add("samples", latency.count());
  json.Add("p50_us", static_cast<std::uint64_t>(latency.Quantile(0.5)));
  json.Add("p90_us", static_cast<std::uint64_t>(latency.Quantile(0.9)));
  json.Add("p99_us", static_cast<std::uint64_t>(latency.Quantile(0.99)));
  json.Add("p999_us", static_cast<std::uint64_t>(latency.Quantile(0.999)));
  json.Add("max_us", static_cast<std::uint64_t>(latency.max_us()));
  return json;
}

JsonObject LoadJson(const LoadFigures& load, double rate) {
  JsonObject json;
  json.Add("rate", rate);
  json.Add("seconds", load.seconds);
  json.Add("cpu_s", absl::ToDoubleSeconds(load.cpu));
  json.Add("reports", load.reports);
  json.Add("reports_per_s", Rate(load.reports, load.seconds));
  json.Add("events", load.events);
  json.Add("events_per_s", Rate(load.events, load.seconds));
  json.Add("frames", load.frames);
  json.Add("bytes_sent", load.bytes_sent);
  json.Add("bytes_received", load.bytes_received);
  json.Add("unheard", load.unheard);
  json.Add("latency", LatencyJson(load.latency));
  return json;
}

std::string Micros(std::int64_t us) {
  if (us < 10'000) return absl::StrFormat("%d us", us);
  return absl::StrFormat("%.1f ms", static_cast<double>(us) / 1000);
}

std::string LoadSummary(const LoadFigures& load) {
  const LatencyHistogram& latency = load.latency;
  return absl::StrFormat(
      "%.0f reports/s, %.0f events/s over %.1f s; %.2f cores for the phones\n"
      "report to event: p50 %s, p99 %s, p99.9 %s, at most %s\n",
      Rate(load.reports, load.seconds), Rate(load.events, load.seconds), load.seconds,
      absl::ToDoubleSeconds(load.cpu) / std::max(load.seconds, 1e-9), Micros(latency.Quantile(0.5)),
      Micros(latency.Quantile(0.99)), Micros(latency.Quantile(0.999)), Micros(latency.max_us()));
}

}  // namespace

void LoadFigures::Add(const LoadFigures& other) {
  seconds = std::max(seconds, other.seconds);
  cpu += other.cpu;
  reports += other.reports;
  events += other.events;
  frames += other.frames;
  bytes_sent += other.bytes_sent;
  bytes_received += other.bytes_received;
  unheard += other.unheard;
  latency.Add(other.latency);
}

std::string ToJson(const Figures& figures) {
  const Tally& tally = figures.tally;
  JsonObject json;
  json.AddText("format", Name(figures.format));
  json.Add("phones", std::uint64_t{figures.phones});
  json.Add("threads", std::uint64_t{figures.threads});
  json.Add("elapsed_s", absl::ToDoubleSeconds(figures.elapsed));
  json.Add("sessions", tally.sessions);
  json.Add("reconnects", tally.reconnects);
  json.Add("drops", tally.drops);
  json.Add("failed_connects", tally.failed_connects);
  json.Add("reports", tally.reports);
  json.Add("calls", tally.calls);
  json.Add("frames", tally.frames);
  json.Add("bytes_sent", tally.bytes_sent);
  json.Add("bytes_received", tally.bytes_received);
  json.Add("enters", tally.enters);
  json.Add("moves", tally.moves);
  json.Add("leaves", tally.leaves);
  json.Add("resets", tally.resets);
  json.Add("resyncs", tally.resyncs);
  json.Add("drains", tally.drains);
  json.Add("refusals", tally.refusals);
  json.Add("errors", tally.errors);
  json.Add("violations", tally.violations.total());
  json.Add("passed_over", figures.passed_over);
  if (figures.load.has_value()) json.Add("load", LoadJson(*figures.load, figures.rate));
  return absl::StrCat(json.ToString(), "\n");
}

std::string ToSummary(const Figures& figures) {
  const Tally& tally = figures.tally;
  std::string text = absl::StrFormat(
      "%s phones, %.1f s: %s sessions, %s reconnects, %s connections lost\n"
      "%s reports; %s events: %s enters, %s moves, %s leaves; %s resets, %s resyncs\n"
      "%s errors, %s refusals, %s violations\n",
      Grouped(figures.phones), absl::ToDoubleSeconds(figures.elapsed), Grouped(tally.sessions),
      Grouped(tally.reconnects), Grouped(tally.drops), Grouped(tally.reports),
      Grouped(tally.events()), Grouped(tally.enters), Grouped(tally.moves), Grouped(tally.leaves),
      Grouped(tally.resets), Grouped(tally.resyncs), Grouped(tally.errors), Grouped(tally.refusals),
      Grouped(tally.violations.total()));
  if (figures.load.has_value()) text += LoadSummary(*figures.load);
  if (figures.passed_over > 0) {
    absl::StrAppend(&text, Grouped(figures.passed_over),
                    " lines of the trace passed over: no phone can act upon them\n");
  }
  return text;
}

absl::Status Verdict(const Figures& figures) {
  const Tally& tally = figures.tally;
  if (tally.violations.total() > 0) {
    std::string text = absl::StrCat("the server broke the protocol ", tally.violations.total(),
                                    " times; first ", ToString(*tally.violations.first()));
    for (std::size_t i = 0; i < kViolationKinds; ++i) {
      const auto kind = static_cast<ViolationKind>(i);
      const std::uint64_t count = tally.violations.count(kind);
      if (count > 0) absl::StrAppend(&text, "\n  ", count, "  ", ToString(kind));
    }
    return absl::InternalError(text);
  }
  if (tally.errors > 0) {
    return absl::InternalError(absl::StrCat(tally.errors, " errors; first ", tally.first_error));
  }
  return absl::OkStatus();
}

}  // namespace phones
