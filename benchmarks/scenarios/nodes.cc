#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "benchmarks/capacity/engine_side.h"
#include "benchmarks/capacity/load.h"
#include "benchmarks/capacity/memory.h"
#include "benchmarks/capacity/movement.h"
#include "benchmarks/capacity/stage.h"
#include "benchmarks/capacity/world.h"
#include "benchmarks/scenarios/listening.h"
#include "benchmarks/scenarios/node_sessions.h"
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

struct Subscribing {
  std::uint64_t held = 0;      // subscriptions, of all nodes
  double messages = 0;         // a report
  double bytes = 0;            // of payloads, there and out again, a report
  double begun_and_ended = 0;  // subscribes and unsubscribes, a session
  double looked_up = 0;        // users, in the directory, a session
  double read = 0;             // the same in the location store
  double letters = 0;          // there and out again, a session
  double told = 0;             // publishes and pushes, a session
  double told_bytes = 0;
};

void Add(const Subscribing& way, const std::string& key, absl::string_view name,
         Findings* findings) {
  findings->Heading(name);
  findings->AddCount(key + "_subscriptions", "subscriptions of all nodes", way.held);
  findings->Add(key + "_messages_per_report", "messages a report", way.messages);
  findings->Add(key + "_bytes_per_report", "bytes of payloads, there and out again, a report",
                way.bytes);
  findings->Add(key + "_subscribes_per_session", "subscribes and unsubscribes a session",
                way.begun_and_ended);
  findings->Add(key + "_lookups_per_session", "users looked up in the directory a session",
                way.looked_up);
  findings->Add(key + "_reads_per_session", "users read from the location store a session",
                way.read);
  findings->Add(key + "_letters_per_session", "letters, there and out again, a session",
                way.letters);
  findings->Add(key + "_told_per_session", "publishes and pushes a session", way.told);
  findings->Add(key + "_told_bytes_per_session", "bytes of payloads a session", way.told_bytes);
}

Subscribing Measured(const Traffic& traffic, std::uint64_t reports, std::uint64_t held,
                     const NodeSessions& sessions) {
  const auto a_report = [reports](std::uint64_t count) {
    return static_cast<double>(count) / static_cast<double>(reports);
  };
  const auto a_session = [&sessions](std::uint64_t count) {
    return static_cast<double>(count) / static_cast<double>(sessions.count);
  };
  const auto told = [](const Traffic& some) { return some.publishes + some.pushes; };
  Subscribing way;
  way.held = held;
  way.messages = a_report(traffic.messages());
  way.bytes = a_report(traffic.payload_bytes + traffic.pushed_bytes);
  // What is subscribed to for a session is given up after it.
  way.begun_and_ended = 2 * a_session(sessions.beginning.subscriptions);
  way.looked_up = a_session(sessions.lookups);
  way.read = a_session(sessions.reads);
  way.letters = a_session(sessions.beginning.letters + sessions.ending.letters);
  way.told = a_session(told(sessions.beginning) + told(sessions.ending));
  way.told_bytes = a_session(sessions.beginning.payload_bytes + sessions.beginning.pushed_bytes +
                             sessions.ending.payload_bytes + sessions.ending.pushed_bytes);
  return way;
}

/// The same by a model: every node listens to all that its clients list, and pushes come from those
/// who are online. A session reads its friends' locations, says where it is, and asks nobody else.
Subscribing Modelled(const Listening& listening, double textbook, double payload_bytes,
                     std::uint32_t listed) {
  Subscribing way;
  way.held = listening.subscriptions;
  way.messages = textbook;
  way.bytes = textbook * payload_bytes;
  way.begun_and_ended = 2 * listening.per_client;
  way.read = listed;
  way.told = textbook;
  way.told_bytes = textbook * payload_bytes;
  return way;
}

void CompareSubscribing(const capacity::World& world, const NodeSide& side,
                        const NodeSideOptions& options, const Subscribing& measured,
                        double textbook, double payload_bytes, Findings* findings) {
  const auto node_of = [&side](std::uint32_t user) { return side.NodeOf(user); };
  const auto online = static_cast<std::uint32_t>(world.friends.size() / world.size());
  const Listening to_online = CountListening(world, options.nodes, node_of, 0);
  const Listening to_all = CountListening(world, options.nodes, node_of, options.offline_friends);
  Add(measured, "near", "Subscribing to friends online who may come near: measured", findings);
  findings->Heading("To all who are online, with the same look-ups: counted");
  findings->AddCount("online_subscriptions", "subscriptions of all nodes", to_online.subscriptions);
  // Those of the client's own node, and those of its friends' nodes to the client.
  findings->Add("online_subscribes_per_session", "subscribes and unsubscribes a session",
                2 * (to_online.per_client + textbook - 1));
  Add(Modelled(to_all, textbook, payload_bytes, online + options.offline_friends), "all",
      "To all friends, without look-ups: counted", findings);
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
  const std::uint64_t bytes_before = capacity::ResidentBytes();
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
  const std::uint64_t bytes = capacity::ResidentBytes() - bytes_before;
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
  findings.Add("bytes_per_guest", "memory of it all to such a user, bytes",
               static_cast<double>(bytes) / static_cast<double>(after.guests));
  const Traffic traffic = side.traffic() - before;
  const double textbook = 1 + MeanNodesOfFriends(world, side, options.nodes);
  Conclude(traffic, reports, textbook, stats_before, after, &findings);
  const double in_sight = CompareInSight(world, &side, &load);
  findings.Heading("Held against one engine with the same reports");
  findings.Add("in_sight_to_one_engine", "friends in sight, to those of one engine", in_sight);
  if (in_sight < 1 - kMostInSightApart || in_sight > 1 + kMostInSightApart) {
    findings.Void("the nodes' clients do not see what those of one engine see");
  }
  const NodeSessions sessions = MeasureNodeSessions(flags, &load, &side);
  const double payload_bytes =
      static_cast<double>(traffic.payload_bytes - traffic.letter_bytes / 2) /
      static_cast<double>(traffic.publishes);
  CompareSubscribing(world, side, options,
                     Measured(traffic, reports, after.channels_live, sessions), textbook,
                     payload_bytes, &findings);
  if (side.failures() + sink.ended() > 0) findings.Void("calls failed, or sessions ended");
  Judge(&load, &findings);
  return findings;
}

}  // namespace scenarios
