// nearby_redis_rates: what a Redis server does in a second of its processor's time, command by
// command. See kHelp.

#include <sys/types.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "benchmarks/capacity/flag_values.h"
#include "benchmarks/capacity/median.h"
#include "benchmarks/capacity/text_table.h"
#include "benchmarks/peers/process_usage.h"
#include "benchmarks/peers/redis_commands.h"
#include "benchmarks/peers/redis_stores.h"

namespace peers {
namespace {

const char kHelp[] =
    R"(Measures what a Redis server does in a second of its processor's time. benchmarks/peers/run.sh --peers rates
starts a server for it.

  nearby_redis_rates --port N --pid N [options]

  --port N          where the server listens on loopback; whatever it holds is added to
  --pid N           its process, whose CPU time is what counts
  --users N         channels and keys (500000)
  --connections N   that publish, and as many that listen: one of each for each node (100)
  --listeners N     connections that listen to each channel (6)
  --depth N         commands that are under way on each connection, besides one alone (16)
  --repetitions N   of each measurement; medians are shown (5)
)";

struct Flags {
  RedisLoad load = {0, 500'000, 100, 6};
  std::uint32_t depth = 16;
  pid_t pid = 0;
  std::uint32_t repetitions = 5;
};

absl::Status SetFlag(absl::string_view name, absl::string_view value, Flags* flags) {
  using capacity::SetNumber;
  if (name == "port") return SetNumber(name, value, {1, 65'535}, &flags->load.port);
  if (name == "pid") return SetNumber(name, value, {1, 1u << 30}, &flags->pid);
  if (name == "users") return SetNumber(name, value, {1'000, 100'000'000}, &flags->load.users);
  if (name == "connections") return SetNumber(name, value, {1, 5'000}, &flags->load.connections);
  if (name == "listeners") return SetNumber(name, value, {1, 5'000}, &flags->load.listeners);
  if (name == "depth") return SetNumber(name, value, {1, 10'000}, &flags->depth);
  if (name == "repetitions") return SetNumber(name, value, {1, 1'000}, &flags->repetitions);
  return capacity::NoSuchFlag(name);
}

absl::StatusOr<Flags> ParseFlags(absl::Span<const char* const> arguments) {
  Flags flags;
  const absl::Status status =
      capacity::ForEachFlag(arguments, [&flags](absl::string_view name, absl::string_view value) {
        return SetFlag(name, value, &flags);
      });
  if (!status.ok()) return status;
  if (flags.load.port == 0 || flags.pid == 0) {
    return absl::InvalidArgumentError("--port and --pid are needed");
  }
  flags.load.listeners = std::min(flags.load.listeners, flags.load.connections);
  return flags;
}

// Of its processor's time the server spends so much on each kind of work before the next.
constexpr double kSliceS = 0.25;

// One kind: does some of it, and answers how much.
struct Work {
  std::string name;
  std::function<absl::StatusOr<std::uint64_t>()> some;
};

std::vector<Work> AllWork(const Flags& flags, RedisCommands* commands, RedisStores* stores) {
  std::vector<Work> all;
  for (const std::uint32_t depth : {1u, flags.depth}) {
    const auto add = [&](const std::string& name, auto some) {
      all.push_back({absl::StrCat(name, ", ", depth, " under way"), some});
    };
    add("PUBLISH, nobody listens", [=] { return commands->PublishUnheard(depth); });
    add(absl::StrCat("PUBLISH, ", flags.load.listeners, " listen"),
        [=] { return commands->PublishHeard(depth); });
    add("SET with EX", [=] { return commands->Set(depth); });
    add("GET", [=] { return commands->Get(depth); });
    add("keys in MGETs of 40", [=] { return commands->GetMany(depth); });
  }
  for (const std::size_t batch : {std::size_t{16}, std::size_t{512}}) {
    const std::string at_once = absl::StrCat(", ", batch, " at once");
    all.push_back({"locations written" + at_once, [=] { return stores->Write(batch); }});
    all.push_back({"locations read" + at_once, [=] { return stores->Read(batch); }});
    all.push_back({"users looked up" + at_once, [=] { return stores->LookUp(batch); }});
    all.push_back({"sessions claimed" + at_once, [=] { return stores->Claim(batch); }});
  }
  return all;
}

// How much of it the server does in a second of its processor's time.
absl::StatusOr<double> Rate(const Work& work, pid_t server) {
  const double start_s = UsageOf(server).cpu_s;
  double passed_s = 0;
  double done = 0;
  while (passed_s < kSliceS) {
    const absl::StatusOr<std::uint64_t> some = work.some();
    if (!some.ok()) return some.status();
    done += static_cast<double>(*some);
    passed_s = UsageOf(server).cpu_s - start_s;
  }
  return done / passed_s;
}

absl::Status RunProgram(const Flags& flags) {
  if (UsageOf(flags.pid).rss_bytes == 0) {
    return absl::InvalidArgumentError(absl::StrCat("--pid ", flags.pid, ": no such process"));
  }
  RedisCommands commands(flags.load);
  RedisStores stores(flags.load.port, flags.load.users);
  absl::Status status = commands.Begin();
  if (status.ok()) status = stores.Begin();
  if (!status.ok()) return status;
  const std::vector<Work> all = AllWork(flags, &commands, &stores);
  std::vector<std::vector<double>> rates(all.size());
  for (std::uint32_t i = 0; i < flags.repetitions; ++i) {
    for (std::size_t kind = 0; kind < all.size(); ++kind) {
      const absl::StatusOr<double> rate = Rate(all[kind], flags.pid);
      if (!rate.ok()) return rate.status();
      rates[kind].push_back(*rate);
    }
  }
  capacity::TextTable table;
  table.Heading(absl::StrCat("A second of the server's processor, ", flags.load.connections,
                             " connections that send"));
  for (std::size_t kind = 0; kind < all.size(); ++kind) {
    table.Row(all[kind].name, capacity::Median(rates[kind]));
  }
  std::fputs(table.text().c_str(), stdout);
  return absl::OkStatus();
}

}  // namespace
}  // namespace peers

int main(int argc, char** argv) {
  const std::vector<const char*> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  if (capacity::AsksForHelp(arguments)) {
    std::fputs(peers::kHelp, stdout);
    return 0;
  }
  const absl::StatusOr<peers::Flags> flags = peers::ParseFlags(arguments);
  const absl::Status status = flags.ok() ? peers::RunProgram(*flags) : flags.status();
  if (status.ok()) return 0;
  std::fprintf(stderr, "nearby_redis_rates: %s\n", std::string(status.message()).c_str());
  return status.code() == absl::StatusCode::kInvalidArgument ? 2 : 1;
}
