#ifndef NEARBY_SRC_TESTING_SIMULATED_SERVERS_H_
#define NEARBY_SRC_TESTING_SIMULATED_SERVERS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "nearby/ids.h"
#include "nearby/testing/simulated_faults.h"
#include "nearby/testing/simulated_note.h"
#include "nearby/testing/simulated_random.h"
#include "nearby/testing/simulated_transport.h"
#include "nearby/testing/simulation.h"
#include "nearby/transport.h"

namespace nearby {

// The servers, the nodes' ends of their links, and the links themselves. Everything is named by a
// number, for what is scheduled must not point at what may be gone by then.
//
// A link is connected from the first call that gets through until it breaks. What travels on it
// bears the number of the connection, and is lost if that is another when it arrives.
//
// Invariants:
//   1. A link stands under a channel of its server exactly if the channel is among its own; then it
//      is connected.
//   2. A link that is not connected carries nothing, and nothing is held for it.
//   3. A payload has as many references as packets name it.
class SimulatedServers final : public SimulatedFaults::Part {
 public:
  using Options = SimulatedPubSub::Options;
  using Cut = SimulatedPubSub::Cut;
  using Number = std::uint32_t;
  static constexpr Number kNone = 0xFFFFFFFFu;
  // Packets of one lane keep their order. A channel's are all in one.
  static constexpr std::size_t kLanes = 8;

  enum class Way : std::uint8_t { kToServer, kFromServer };

  struct Packet {
    enum class Kind : std::uint8_t { kPublish, kSubscribe, kUnsubscribe, kMessage, kAnswer };

    Channel channel;
    Number payload = kNone;  // of kPublish and kMessage
    Number call = kNone;     // to complete, or kNone
    std::uint32_t call_use = 0;
    std::uint32_t receiver = 0;  // the node's, at the time of subscribing
    Kind kind = Kind::kAnswer;
    absl::StatusCode code = absl::StatusCode::kOk;  // of kAnswer
  };

  // A completion that is due. `use` tells one call in a place from the next.
  struct Call {
    Transport::Done done;
    Number link = kNone;
    std::uint32_t connection = 0;  // of the link
    std::uint32_t use = 0;
    Packet::Kind kind = Packet::Kind::kAnswer;
    bool waits_for_link = false;  // fails if that connection breaks
  };

  struct Payload {
    std::string bytes;
    std::uint32_t references = 0;
  };

  struct Direction {
    std::int64_t latency_ms = 0;
    std::array<std::int64_t, kLanes> last_ms{};  // when the last packet of the lane arrives
    std::deque<Packet> held;                     // by a partition
  };

  struct Link {
    Number node = 0;
    Number server = 0;
    std::uint32_t connection = 0;  // the number of the current one, or the next
    bool is_connected = false;
    bool is_loss_untold = false;  // it broke, and the node has not noticed
    Cut cut = Cut::kNone;
    std::uint32_t cut_number = 0;
    // Of the connection that ended with its node: until then what was sent still arrives.
    std::uint32_t last_words = 0;
    std::int64_t last_words_until_ms = -1;
    Direction to_server;
    Direction from_server;
    absl::flat_hash_set<Channel> channels;

    Direction& way(Way way) { return way == Way::kToServer ? to_server : from_server; }
    bool is_cut(Way way) const {
      const int bit = static_cast<int>(way == Way::kToServer ? Cut::kToServer : Cut::kFromServer);
      return (static_cast<int>(cut) & bit) != 0;
    }
  };

  struct Node {
    NodeId id{};
    SimulatedTransport* transport = nullptr;  // null if it is gone
    Transport::Receiver* receiver = nullptr;
    std::uint32_t receiver_number = 0;
    std::vector<Number> links;  // by server, or kNone
    std::vector<Call> calls;
    std::vector<Number> free_calls;
    std::size_t calls_under_way = 0;
  };

  struct Server {
    std::string name;
    bool is_up = true;
    std::uint32_t crash_number = 0;
    absl::flat_hash_map<Channel, absl::InlinedVector<Number, 4>> channels;  // links, in order
  };

  SimulatedServers(SimulatedFaults* the_faults, const Options& the_options);
  ~SimulatedServers() override;

  // --- names -------------------------------------------------------------------------------------
  // kNone if there is no room for another.
  Number ServerOf(absl::string_view name);
  Number FindServer(absl::string_view name) const;
  Number NodeOf(NodeId id);
  Number LinkOf(Number node, Number server);
  std::uint64_t IdOf(const Link& link) const { return ToInt(nodes[link.node].id); }

  // --- links -------------------------------------------------------------------------------------
  // Connects if need be; false if that is not possible.
  bool Connect(Number link);
  // Lets a packet travel, that much longer than usual. One that is not in order overtakes.
  void Send(Number link, Way way, const Packet& packet, std::int64_t extra_ms, bool in_order);
  void Arrive(Number link, std::uint32_t connection, Way way, const Packet& packet);
  void Take(Number link, Way way, const Packet& packet);
  void ReleaseHeld(Number link, std::uint32_t connection, Way way);
  void Discard(const Link& link, const Packet& packet);
  void DropHeld(Link& link);
  // The connection is gone; nobody is told.
  void Disconnect(Link& link);
  void Break(Number link, SimulatedFault why);
  void TellLoss(Number link, std::uint32_t connection, std::uint32_t receiver, bool had_channels);
  void FailCalls(Number link, std::uint32_t connection);
  void SetCut(Number link, Cut cut);
  void Crash(Number server);
  void Restart(Number server);

  // --- servers -----------------------------------------------------------------------------------
  // What a server does with a packet; the answer to its call.
  absl::StatusCode Serve(Number link, const Packet& packet);
  void FanOut(Number server, const Packet& packet);
  void Forward(Number link, const Packet& subscribed);
  absl::StatusCode Subscribe(Number link, const Packet& packet);
  void Unsubscribe(Number link, Channel channel);
  void DropChannels(Link& link);

  // --- nodes -------------------------------------------------------------------------------------
  // Any call of a transport. kNone for a server that there is no room for.
  void Start(Number node, Number server, Packet::Kind kind, Channel channel,
             absl::string_view payload, Transport::Done done);
  // What makes a call fail before it is sent; Ok if nothing does.
  absl::StatusCode Refuse(const Node& node, Packet::Kind kind, absl::string_view payload);
  // Ok, or what the caller is told although the call is carried out.
  absl::StatusCode DrawUnknown(const Node& node, Packet::Kind kind);
  void Dispatch(Number node, Number link, Packet packet, absl::string_view payload);
  bool MayCompleteInline(const Link& link, Channel channel) const;
  Packet NewCall(Number node, Packet::Kind kind, Channel channel, Transport::Done done);
  void Complete(Number node, const Packet& packet, absl::StatusCode code);
  // The same after a round trip.
  void CompleteLater(Number node, Number link, const Packet& packet, absl::StatusCode code);
  void Receive(Number link, const Packet& packet);
  void SetReceiver(Number node, Transport::Receiver* receiver);
  // The node's end; its completions are appended to `buried`.
  void End(Number node, std::vector<Transport::Done>* buried);
  Number Keep(absl::string_view payload);
  void Release(Number payload);

  // --- faults ------------------------------------------------------------------------------------
  void BeginFaults() override;
  void Heal() override;
  void BeginLinkFaults(Number link);
  // Within the second to come, unless all is quiet by then.
  template <typename Action>
  void SoonUnlessQuiet(Action action);

  const SimulatedFaultOptions::Transport& hardships() const { return faults->options().transport; }
  static std::size_t LaneOf(Channel channel) {
    // Neighbouring users are in different lanes.
    return static_cast<std::size_t>((channel.id ^ (channel.id >> 3)) % kLanes);
  }
  void Note(SimulatedNote kind, Number node, std::uint64_t what) {
    simulation->Note(static_cast<std::uint64_t>(kind), ToInt(nodes[node].id), what);
  }

  SimulatedFaults* const faults;
  Simulation* const simulation;
  const Options options;
  SimulatedRandom random;
  std::deque<Node> nodes;
  std::deque<Link> links;
  std::deque<Server> servers;
  std::deque<Payload> payloads;
  std::vector<Number> free_payloads;
  absl::flat_hash_map<NodeId, Number> node_numbers;
  absl::flat_hash_map<std::string, Number> server_numbers;
  std::size_t subscriptions = 0;
};

// The completions of a node that has crashed.
struct SimulatedTransport::Buried {
  std::vector<Transport::Done> dones;
};

}  // namespace nearby

#endif  // NEARBY_SRC_TESTING_SIMULATED_SERVERS_H_
