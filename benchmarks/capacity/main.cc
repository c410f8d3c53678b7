// nearby_capacity: the engine under its full load, beside the textbook and the machine's memory.
// See kHelp in flags.cc.

#include <cstdio>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "benchmarks/capacity/exporter.h"
#include "benchmarks/capacity/flags.h"
#include "benchmarks/capacity/measurement.h"
#include "benchmarks/capacity/output_text.h"
#include "benchmarks/capacity/report.h"

namespace {

constexpr int kVoidOrCannotWrite = 1;
constexpr int kBadCommandLine = 2;

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return status.code() == absl::StatusCode::kInvalidArgument ? kBadCommandLine : kVoidOrCannotWrite;
}

int MeasureAndReport(const capacity::Flags& flags) {
  if (!flags.json.empty()) {
    // To find out after a quarter of an hour would be late.
    if (const absl::Status status = capacity::WriteText(flags.json, ""); !status.ok()) {
      return Fail(status);
    }
  }
  const capacity::Measurement measurement = capacity::Measure(flags);
  // Standard output is the JSON's alone if it goes there.
  std::fputs(capacity::ToTable(measurement).c_str(), flags.json == "-" ? stderr : stdout);
  if (!flags.json.empty()) {
    const absl::Status status = capacity::WriteText(flags.json, capacity::ToJson(measurement));
    if (!status.ok()) return Fail(status);
  }
  return measurement.voids.empty() ? 0 : kVoidOrCannotWrite;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<const char*> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  const absl::StatusOr<capacity::Flags> flags = capacity::ParseFlags(arguments);
  if (!flags.ok()) {
    const int code = Fail(flags.status());
    std::fputs("Try: nearby_capacity --help\n", stderr);
    return code;
  }
  if (flags->help) {
    std::fputs(capacity::kHelp, stdout);
    return 0;
  }
  if (flags->export_dir.empty()) return MeasureAndReport(*flags);
  const absl::Status status = capacity::Export(*flags);
  return status.ok() ? 0 : Fail(status);
}
