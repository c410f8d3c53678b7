// make_trace: friends and their movements, invented or from public data. See kMakeTraceHelp in
// make_trace_flags.cc.

#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "examples/replay/make_trace_flags.h"
#include "examples/replay/make_trace_program.h"
#include "examples/replay/output_file.h"

namespace {

constexpr int kCannotWrite = 1;
constexpr int kBadInput = 2;

volatile std::sig_atomic_t reader_is_gone = 0;

void NoteThatReaderIsGone(int) { reader_is_gone = 1; }

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "%.*s\n", static_cast<int>(status.message().size()),
               status.message().data());
  return status.code() == absl::StatusCode::kInvalidArgument ? kBadInput : kCannotWrite;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<const char*> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  const absl::StatusOr<replay::MakeTraceFlags> flags = replay::ParseMakeTraceFlags(arguments);
  if (!flags.ok()) {
    const int code = Fail(flags.status());
    std::fputs("Try: make_trace --help\n", stderr);
    return code;
  }
  if (flags->help) {
    std::fputs(replay::kMakeTraceHelp, stdout);
    return 0;
  }
  replay::RemoveTemporaryFilesOnSignals();
  // A reader who has seen enough ends an endless trace: no failure. The write then fails, too.
  std::signal(SIGPIPE, NoteThatReaderIsGone);
  std::string summary;
  const absl::Status status = replay::RunMakeTrace(*flags, &summary);
  if (reader_is_gone != 0) return 0;
  if (!status.ok()) return Fail(status);
  std::fprintf(stderr, "%s\n", summary.c_str());
  return 0;
}
