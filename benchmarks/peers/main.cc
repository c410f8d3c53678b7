// nearby_peers: drives one peer through friends and a trace, and prints what it cost as a line of
// JSON. See kHelp.

#include <malloc.h>
#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "benchmarks/peers/bus_peer.h"
#include "benchmarks/peers/bus_protocol.h"
#include "benchmarks/peers/peer.h"
#include "benchmarks/peers/process_usage.h"
#include "benchmarks/peers/world.h"
#include "examples/replay/json_object.h"
#include "nearby/effects.h"

namespace peers {
namespace {

const char kHelp[] =
    R"(Drives one peer through friends and a trace; prints what it cost as one line of JSON.

  nearby_peers --peer NAME --friends FILE --trace FILE [options]
  nearby_peers --export FILE --friends FILE --trace FILE [--warm-up-s X]

  --peer NAME        nearby, nearby-skipping, textbook, rtree, redis or nats
  --label TEXT       goes into the JSON ("")
  --warm-up-s X      so much of the trace comes before what is measured (40)
  --batch-s X        so much of it is reported at once, before the deliveries are waited for (1)
  --port N           where the server listens on loopback (redis and nats)
  --pid N            the server's process, whose CPU time and memory count as well
  --connections N    among which users are divided (40)
  --per-friend 1     a subscription for each friend, not one for each connection (nats)
  --export FILE      writes the world for peers.erl
)";

using Flags = std::map<std::string, std::string>;

absl::StatusOr<Flags> ParseFlags(int argc, char** argv) {
  Flags flags = {{"peer", ""},   {"friends", ""},  {"trace", ""},         {"label", ""},
                 {"port", "0"},  {"pid", "0"},     {"connections", "40"}, {"per-friend", "0"},
                 {"export", ""}, {"batch-s", "1"}, {"warm-up-s", "40"}};
  for (int i = 1; i < argc; i += 2) {
    absl::string_view name = argv[i];
    if (!absl::ConsumePrefix(&name, "--") || flags.count(std::string(name)) == 0 || i + 1 == argc) {
      return absl::InvalidArgumentError(
          absl::StrCat(argv[i], ": no such flag, or no value\n", kHelp));
    }
    flags[std::string(name)] = argv[i + 1];
  }
  return flags;
}

template <typename Number>
Number NumberOf(const Flags& flags, const char* name) {
  Number number{};
  if (!absl::SimpleAtoi(flags.at(name), &number)) number = 0;
  return number;
}

absl::StatusOr<std::unique_ptr<Peer>> MakePeer(const Flags& flags, const World& world) {
  const std::string& name = flags.at("peer");
  if (name == "nearby") return MakeNearbyPeer(world, /*skipping=*/false);
  if (name == "nearby-skipping") return MakeNearbyPeer(world, /*skipping=*/true);
  if (name == "textbook") return MakeTextbookPeer(world);
  if (name == "rtree") return MakeRtreePeer(world);
  BusOptions options;
  options.port = static_cast<std::uint16_t>(NumberOf<std::uint32_t>(flags, "port"));
  options.connections = NumberOf<std::size_t>(flags, "connections");
  options.per_friend = flags.at("per-friend") == "1";
  if (options.connections == 0) return absl::InvalidArgumentError("--connections: at least 1");
  if (name == "redis") return MakeBusPeer(world, MakeRedisProtocol(), options);
  if (name == "nats") return MakeBusPeer(world, MakeNatsProtocol(), options);
  return absl::InvalidArgumentError(absl::StrCat("--peer ", name, ": no such peer\n", kHelp));
}

struct Counts {
  std::uint64_t enters = 0;
  std::uint64_t moves = 0;
  std::uint64_t leaves = 0;
  std::uint64_t reports = 0;
  std::uint64_t pairs = 0;  // Reports times friends of who reports.
};

absl::Status RunBatches(const World& world, std::size_t from, std::size_t to, Peer* peer,
                        Counts* counts) {
  std::vector<nearby::Delivery> deliveries;
  for (std::size_t batch = from; batch < to; ++batch) {
    deliveries.clear();
    if (absl::Status status = peer->Report(world.Batch(batch), &deliveries); !status.ok()) {
      return status;
    }
    for (const nearby::Delivery& delivery : deliveries) {
      counts->enters += delivery.kind == nearby::DeliveryKind::kEnter ? 1 : 0;
      counts->moves += delivery.kind == nearby::DeliveryKind::kMove ? 1 : 0;
      counts->leaves += delivery.kind == nearby::DeliveryKind::kLeave ? 1 : 0;
    }
    counts->reports += world.Batch(batch).size();
    for (const TraceReport& report : world.Batch(batch)) {
      counts->pairs += world.FriendsOf(report.user).size();
    }
  }
  return absl::OkStatus();
}

// What is to be written about a run; servers count as far as --pid names one.
struct Outcome {
  Counts counts;
  double client_cpu_s = 0;
  double server_cpu_s = 0;
  double wall_s = 0;
  std::uint64_t client_bytes = 0;
  std::uint64_t server_bytes = 0;
  Peer::Traffic traffic;
  std::uint64_t checks_skipped = 0;
};

std::uint64_t Growth(std::uint64_t before, std::uint64_t after) {
  return after > before ? after - before : 0;
}

absl::StatusOr<Outcome> Run(const World& world, pid_t server, Peer* peer) {
  using Clock = std::chrono::steady_clock;
  // What loading left behind must not serve the peer: its memory is what the process grows by.
  malloc_trim(0);
  const ProcessUsage empty = OwnUsage();
  const ProcessUsage server_empty = UsageOf(server);
  Counts warm_up;
  absl::Status status = peer->Connect();
  if (status.ok()) status = RunBatches(world, 0, world.first_measured_batch, peer, &warm_up);
  if (!status.ok()) return status;

  Outcome outcome;
  const Peer::Traffic before = peer->traffic();
  const std::uint64_t skipped_before = peer->checks_skipped();
  const ProcessUsage start = OwnUsage();
  const ProcessUsage server_start = UsageOf(server);
  const Clock::time_point wall_start = Clock::now();
  status = RunBatches(world, world.first_measured_batch, world.batches(), peer, &outcome.counts);
  if (!status.ok()) return status;
  outcome.wall_s = std::chrono::duration<double>(Clock::now() - wall_start).count();
  const ProcessUsage end = OwnUsage();
  const ProcessUsage server_end = UsageOf(server);
  outcome.client_cpu_s = end.cpu_s - start.cpu_s;
  outcome.server_cpu_s = server_end.cpu_s - server_start.cpu_s;
  outcome.client_bytes = Growth(empty.rss_bytes, end.rss_bytes);
  outcome.server_bytes = Growth(server_empty.rss_bytes, server_end.rss_bytes);
  outcome.traffic = peer->traffic();
  outcome.traffic.pushes -= before.pushes;
  outcome.traffic.bytes -= before.bytes;
  outcome.checks_skipped = peer->checks_skipped() - skipped_before;
  return outcome;
}

std::string ToJson(const Flags& flags, const World& world, const Outcome& outcome) {
  replay::JsonObject json;
  json.AddText("peer", flags.at("peer"));
  json.AddText("label", flags.at("label"));
  json.Add("users", std::uint64_t{world.users()});
  json.Add("friendships", std::uint64_t{world.friends.size() / 2});
  json.Add("reports", outcome.counts.reports);
  json.Add("pairs", outcome.counts.pairs);
  json.Add("enters", outcome.counts.enters);
  json.Add("moves", outcome.counts.moves);
  json.Add("leaves", outcome.counts.leaves);
  json.Add("client_cpu_s", outcome.client_cpu_s);
  json.Add("server_cpu_s", outcome.server_cpu_s);
  json.Add("wall_s", outcome.wall_s);
  json.Add("client_bytes", outcome.client_bytes);
  json.Add("server_bytes", outcome.server_bytes);
  json.Add("pushes", outcome.traffic.pushes);
  json.Add("bytes_received", outcome.traffic.bytes);
  json.Add("subscriptions", outcome.traffic.subscriptions);
  json.Add("checks_skipped", outcome.checks_skipped);
  return json.ToString();
}

absl::Status RunProgram(const Flags& flags) {
  Pace pace;
  if (!absl::SimpleAtod(flags.at("warm-up-s"), &pace.warm_up_s) ||
      !absl::SimpleAtod(flags.at("batch-s"), &pace.batch_s) || !(pace.batch_s >= 0.001)) {
    return absl::InvalidArgumentError("--warm-up-s, --batch-s: numbers of seconds expected");
  }
  const absl::StatusOr<World> world = LoadWorld(flags.at("friends"), flags.at("trace"), pace);
  if (!world.ok()) return world.status();
  if (!flags.at("export").empty()) return ExportWorld(*world, flags.at("export"));
  const absl::StatusOr<std::unique_ptr<Peer>> peer = MakePeer(flags, *world);
  if (!peer.ok()) return peer.status();
  const absl::StatusOr<Outcome> outcome = Run(*world, NumberOf<pid_t>(flags, "pid"), peer->get());
  if (!outcome.ok()) return outcome.status();
  std::puts(ToJson(flags, *world, *outcome).c_str());
  return absl::OkStatus();
}

}  // namespace
}  // namespace peers

int main(int argc, char** argv) {
  if (argc == 2 && absl::string_view(argv[1]) == "--help") {
    std::fputs(peers::kHelp, stdout);
    return 0;
  }
  const absl::StatusOr<peers::Flags> flags = peers::ParseFlags(argc, argv);
  const absl::Status status = flags.ok() ? peers::RunProgram(*flags) : flags.status();
  if (status.ok()) return 0;
  std::fprintf(stderr, "nearby_peers: %s\n", std::string(status.message()).c_str());
  return status.code() == absl::StatusCode::kInvalidArgument ? 2 : 1;
}
