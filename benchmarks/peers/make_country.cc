// make_country: friends and a trace for the comparison with peers, in the form of make_trace.
//
//   make_country USERS FRIENDS MINUTES FRIENDS_FILE TRACE_FILE

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "benchmarks/peers/country.h"
#include "examples/replay/city.h"
#include "examples/replay/movement.h"
#include "examples/replay/population.h"
#include "examples/replay/trace_maker.h"
#include "examples/replay/trace_writer.h"
#include "nearby/ids.h"

namespace {

constexpr std::uint64_t kSeed = 1;

absl::Status WriteFriends(const replay::Population& population, const std::string& path) {
  absl::StatusOr<std::unique_ptr<replay::TextOutput>> output = replay::TextOutput::Create(path);
  if (!output.ok()) return output.status();
  for (const auto& [a, b] : population.friendships) {
    (*output)->Append(absl::StrCat(nearby::ToInt(a), "\t", nearby::ToInt(b), "\n"));
  }
  return (*output)->Commit();
}

absl::Status WriteTrace(const replay::Population& population, double minutes,
                        const std::string& path) {
  absl::StatusOr<std::unique_ptr<replay::TextOutput>> output = replay::TextOutput::Create(path);
  if (!output.ok()) return output.status();
  replay::TraceOptions options;
  options.duration_ms = static_cast<std::int64_t>(minutes * 60'000);
  options.seed = kSeed;
  const replay::MovementModel model = replay::MakeCityMovement(kSeed);
  replay::TraceWriter writer(output->get(), replay::TraceWriter::TimeFormat::kSeconds);
  replay::TraceMaker maker(population, model, options);
  while (maker.WriteNext(&writer)) {
  }
  return (*output)->Commit();
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t users = 0;
  std::size_t friends = 0;
  double minutes = 0;
  if (argc != 6 || !absl::SimpleAtoi(argv[1], &users) || !absl::SimpleAtoi(argv[2], &friends) ||
      !absl::SimpleAtod(argv[3], &minutes) || users < 2 || friends >= users || minutes <= 0) {
    std::fputs("usage: make_country USERS FRIENDS MINUTES FRIENDS_FILE TRACE_FILE\n", stderr);
    return 2;
  }
  const replay::Population population = peers::MakeCountry(users, friends, kSeed);
  absl::Status status = WriteFriends(population, argv[4]);
  if (status.ok()) status = WriteTrace(population, minutes, argv[5]);
  if (status.ok()) return 0;
  std::fprintf(stderr, "make_country: %s\n", std::string(status.message()).c_str());
  return 1;
}
