#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmarks/capacity/engine_side.h"
#include "benchmarks/capacity/load.h"
#include "benchmarks/capacity/movement.h"
#include "benchmarks/capacity/stage.h"
#include "benchmarks/capacity/world.h"
#include "benchmarks/scenarios/node_side.h"
#include "benchmarks/scenarios/scenarios.h"
#include "benchmarks/scenarios/setup.h"
#include "nearby/client_sink.h"
#include "nearby/effects.h"
#include "nearby/hash_ring.h"
#include "nearby/runtime_options.h"

namespace scenarios {
namespace {

// Nodes learn of each other's reports a little later than of their own; more is a fault.
constexpr double kMostInSightApart = 0.02;
constexpr std::uint32_t kNodes = 100;
constexpr std::uint32_t kServers = 8;

/// Counts what clients are told.
class CountingSink : public nearby::ClientSink {
 public:
  Flow Deliver(const nearby::ClientBatch& batch) override {
    events_ += batch.events.size();
    return Flow::kReady;
  }
  void Ended(nearby::SessionId /*session*/, std::uint64_t /*cookie*/,
             EndReason /*reason*/) override {
    ++ended_;
  }

  std::uint64_t events() const { return events_; }
  std::uint64_t ended() const { return ended_; }

 private:
  std::uint64_t events_ = 0;
  std::uint64_t ended_ = 0;
};

/// Nodes, other than the user's own, where a friend of theirs is connected: whom the textbook
/// pushes each report to.
double MeanNodesOfFriends(const capacity::World& world, const NodeSide& side, std::uint32_t nodes) {
  std::vector<bool> has_friend(nodes);
  std::uint64_t sum = 0;
  for (std::uint32_t user = 0; user < world.size(); ++user) {
    has_friend.assign(nodes, false);
    for (const std::uint32_t other : world.FriendsOf(user)) has_friend[side.NodeOf(other)] = true;
    has_friend[side.NodeOf(user)] = false;
    sum += static_cast<std::uint64_t>(std::count(has_friend.begin(), has_friend.end(), true));
  }
  return static_cast<double>(sum) / world.size();
}

/// What the nodes' clients see, to what those of one engine see.
double CompareInSight(const capacity::World& world, NodeSide* side, capacity::Load* load) {
  std::uint64_t there = 0;
  std::uint64_t here = 0;
  capacity::EngineSide& alone = load->engine();
  nearby::Effects effects;
  for (std::uint32_t user = 0; user < world.size(); ++user) {
    there += side->CountInSight(user);
    effects.Clear();
    const auto page = alone.engine().Nearby(alone.client(user), nearby::PageToken(), 1, &effects);
    here += page.ok() ? page->in_sight : 0;
  }
  return static_cast<double>(there) / static_cast<double>(std::max<std::uint64_t>(here, 1));
}

void Conclude(const Traffic& traffic, std::uint64_t reports, double textbook,
              const nearby::ClusterStats& before, const nearby::ClusterStats& after,
              Findings* findings) {
  const auto count = static_cast<double>(reports);
  const auto per_report = [count](std::uint64_t value) {
    return static_cast<double>(value) / count;
  };
  findings->Heading("Messages between nodes and pub/sub servers, a report");
  findings->Add("publishes_per_report", "publishes", per_report(traffic.publishes));
  findings->Add("pushes_per_report", "pushes", per_report(traffic.pushes));
  findings->Add("subscriptions_per_report", "subscribes and unsubscribes",
                per_report(traffic.subscriptions));
  findings->Add("letters_per_report", "letters", per_report(traffic.letters));
  findings->Add("messages_per_report", "all", per_report(traffic.messages()));
  findings->Add("textbook_messages_per_report", "the textbook's: a publish, and a push a server",
                textbook);
  findings->Add("messages_to_textbook", "all, to the textbook's",
                per_report(traffic.messages()) / textbook);
  findings->Add("payload_bytes_per_report", "bytes published", per_report(traffic.payload_bytes));
  findings->Heading("Beside them, a report");
  findings->Add("reads_per_report", "users read from the location store",
                per_report(after.reads - before.reads));
  findings->Add("lookups_per_report", "users looked up in the directory",
                per_report(after.lookups - before.lookups));
}

}  // namespace

Findings MeasureNodes(const Flags& flags) {
  const capacity::World world = capacity::MakeWorld(WorldOptionsOf(flags));
  capacity::Load load(world, LoadOptionsOf(flags, capacity::Mobility::kAsPeopleDo));
  Connect(flags, world, &load);
  CountingSink sink;
  NodeSideOptions options;
  options.nodes = flags.nodes == 0 ? kNodes : flags.nodes;
  options.runtime.engine.skip_far_pairs = flags.skipping;
  options.runtime.max_queued_reports = flags.batch;
  options.ring = nearby::HashRing::Create(nearby::RingVersion{1}, MakeSeats(kServers)).value();
  options.offline_friends = kOfflineForEachOnline * flags.friends;
  NodeSide side(world, options, &sink);
  nearby::ClusterStats connected;
  {
    const capacity::Stage stage("connecting to the nodes");
    side.ConnectAll();
    connected = side.stats();
  }
  const std::uint32_t round = (flags.users + flags.chunk - 1) / flags.chunk;
  Traffic before;
  nearby::ClusterStats stats_before;
  std::uint64_t reports = 0;
  const capacity::Stage stage("reporting");
  for (std::uint32_t i = 0; i < flags.warmup_rounds * round + flags.repetitions; ++i) {
    if (i == flags.warmup_rounds * round) {
      before = side.traffic();
      stats_before = side.stats();
      reports = 0;
    }
    const auto& batches = load.NextBatches(flags.chunk);
    reports += load.engine().ReportAll(batches).calls;
    side.ReportAll(batches);
  }
  Findings findings;
  findings.AddText("scenario", "nodes");
  findings.AddCount("users", "users", flags.users);
  findings.AddCount("nodes", "nodes", options.nodes);
  findings.AddCount("reports", "reports", reports);
  findings.Add("lookups_per_connect", "users looked up in the directory, a connect",
               static_cast<double>(connected.lookups) / flags.users);
  const nearby::ClusterStats after = side.stats();
  findings.Add("guests_per_node", "users elsewhere known to a node",
               static_cast<double>(after.guests) / options.nodes);
  findings.Add("channels_per_node", "of these, listened to",
               static_cast<double>(after.channels_live) / options.nodes);
  Conclude(side.traffic() - before, reports, 1 + MeanNodesOfFriends(world, side, options.nodes),
           stats_before, after, &findings);
  const double in_sight = CompareInSight(world, &side, &load);
  findings.Heading("Held against one engine with the same reports");
  findings.Add("in_sight_to_one_engine", "friends in sight, to those of one engine", in_sight);
  if (in_sight < 1 - kMostInSightApart || in_sight > 1 + kMostInSightApart) {
    findings.Void("the nodes' clients do not see what those of one engine see");
  }
  if (side.failures() + sink.ended() > 0) findings.Void("calls failed, or sessions ended");
  Judge(&load, &findings);
  return findings;
}

}  // namespace scenarios
