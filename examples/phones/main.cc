// phones: simulated phones against a running echo_server. See kHelp in flags.cc.

#include <cstdio>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "examples/phones/flags.h"
#include "examples/phones/program.h"

namespace {

constexpr int kWentWrong = 1;
constexpr int kBadInput = 2;

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "%.*s\n", static_cast<int>(status.message().size()),
               status.message().data());
  return status.code() == absl::StatusCode::kInvalidArgument ? kBadInput : kWentWrong;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<const char*> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  const absl::StatusOr<phones::Flags> flags = phones::ParseFlags(arguments);
  if (!flags.ok()) {
    const int code = Fail(flags.status());
    std::fputs("Try: phones --help\n", stderr);
    return code;
  }
  if (flags->help) {
    std::fputs(phones::kHelp, stdout);
    return 0;
  }
  const absl::Status status = phones::RunProgram(*flags);
  return status.ok() ? 0 : Fail(status);
}
