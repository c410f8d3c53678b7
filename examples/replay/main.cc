// nearby_replay: recorded locations in, who came near whom out. See kHelp in flags.cc.

#include <cstdio>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "examples/replay/flags.h"
#include "examples/replay/output_file.h"
#include "examples/replay/program.h"

namespace {

constexpr int kCannotWrite = 1;
constexpr int kBadInput = 2;

// `message` is in the form "file:line: reason" where a file is to blame: nothing goes before it, so
// that editors and people find the place.
int Fail(const absl::Status& status) {
  std::fprintf(stderr, "%.*s\n", static_cast<int>(status.message().size()),
               status.message().data());
  return status.code() == absl::StatusCode::kInvalidArgument ? kBadInput : kCannotWrite;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<const char*> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  const absl::StatusOr<replay::Flags> flags = replay::ParseFlags(arguments);
  if (!flags.ok()) {
    const int code = Fail(flags.status());
    std::fputs("Try: nearby_replay --help\n", stderr);
    return code;
  }
  if (flags->help) {
    std::fputs(replay::kHelp, stdout);
    return 0;
  }
  replay::RemoveTemporaryFilesOnSignals();
  const absl::Status status = replay::RunProgram(*flags);
  return status.ok() ? 0 : Fail(status);
}
