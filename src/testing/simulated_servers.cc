#include "src/testing/simulated_servers.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "absl/strings/str_cat.h"

namespace nearby {

SimulatedServers::SimulatedServers(SimulatedFaults* the_faults, const Options& the_options)
    : faults(the_faults),
      simulation(&the_faults->simulation()),
      options(the_options),
      random(simulation->random().Fork()) {
  faults->Add(this);
}

SimulatedServers::~SimulatedServers() { faults->Remove(this); }

SimulatedServers::Number SimulatedServers::FindServer(absl::string_view name) const {
  const auto it = server_numbers.find(name);
  return it == server_numbers.end() ? kNone : it->second;
}

SimulatedServers::Number SimulatedServers::ServerOf(absl::string_view name) {
  const Number known = FindServer(name);
  if (known != kNone || servers.size() >= options.max_servers) return known;
  const auto number = static_cast<Number>(servers.size());
  servers.emplace_back().name.assign(name.data(), name.size());
  server_numbers.emplace(servers.back().name, number);
  return number;
}

SimulatedServers::Number SimulatedServers::NodeOf(NodeId id) {
  const auto it = node_numbers.find(id);
  if (it != node_numbers.end()) return it->second;
  assert(nodes.size() < options.max_nodes);
  const auto number = static_cast<Number>(nodes.size());
  nodes.emplace_back().id = id;
  node_numbers.emplace(id, number);
  return number;
}

SimulatedServers::Number SimulatedServers::LinkOf(Number node, Number server) {
  std::vector<Number>& of_node = nodes[node].links;
  if (of_node.size() <= server) of_node.resize(server + 1, kNone);
  if (of_node[server] == kNone) {
    of_node[server] = static_cast<Number>(links.size());
    Link& link = links.emplace_back();
    link.node = node;
    link.server = server;
    link.to_server.latency_ms = random.Draw(hardships().latency);
    link.from_server.latency_ms = random.Draw(hardships().latency);
  }
  return of_node[server];
}

// --- links
// -----------------------------------------------------------------------------------------

bool SimulatedServers::Connect(Number link_number) {
  Link& link = links[link_number];
  if (link.is_connected) return true;
  // While its loss is untold, the node takes a broken link for a good one.
  if (link.is_loss_untold || link.cut != Cut::kNone || !servers[link.server].is_up) return false;
  link.is_connected = true;
  link.to_server.last_ms.fill(-kMaxTimeMs);
  link.from_server.last_ms.fill(-kMaxTimeMs);
  return true;
}

void SimulatedServers::Send(Number link_number, Way way, const Packet& packet,
                            std::int64_t extra_ms, bool in_order) {
  Link& link = links[link_number];
  Direction& direction = link.way(way);
  std::int64_t at_ms =
      simulation->now().ms + direction.latency_ms + random.Draw(hardships().jitter) + extra_ms;
  if (in_order) {
    std::int64_t& last_ms = direction.last_ms[LaneOf(packet.channel)];
    at_ms = last_ms = std::max(at_ms, last_ms);
  }
  simulation->At(Time::Millis(at_ms), [this, packet, link_number, connection = link.connection,
                                       way] { Arrive(link_number, connection, way, packet); });
}

void SimulatedServers::Arrive(Number link_number, std::uint32_t connection, Way way,
                              const Packet& packet) {
  Link& link = links[link_number];
  if (!link.is_connected || link.connection != connection) {
    const bool is_heard = way == Way::kToServer && packet.kind == Packet::Kind::kPublish &&
                          link.last_words == connection &&
                          simulation->now().ms <= link.last_words_until_ms &&
                          servers[link.server].is_up && !link.is_cut(way);
    return is_heard ? Take(link_number, way, packet) : Discard(link, packet);
  }
  std::deque<Packet>& held = link.way(way).held;
  // What comes while others are held comes after them.
  if (!link.is_cut(way) && held.empty()) return Take(link_number, way, packet);
  held.push_back(packet);
  if (held.size() > options.max_held) Break(link_number, SimulatedFault::kLinkOverflowed);
}

void SimulatedServers::Take(Number link_number, Way way, const Packet& packet) {
  if (way == Way::kToServer) {
    const absl::StatusCode code = Serve(link_number, packet);
    if (packet.payload != kNone) Release(packet.payload);
    if (packet.call == kNone || !links[link_number].is_connected) return;
    Packet answer = packet;
    answer.kind = Packet::Kind::kAnswer;
    answer.payload = kNone;
    // What was drawn for an unknown fate stays.
    if (packet.code == absl::StatusCode::kOk) answer.code = code;
    std::int64_t extra_ms = 0;
    if (random.Chance(hardships().delay_completion)) {
      faults->Count(SimulatedFault::kCompletionDelayed, IdOf(links[link_number]),
                    links[link_number].server);
      extra_ms = random.Draw(hardships().completion_delay);
    }
    return Send(link_number, Way::kFromServer, answer, extra_ms, /*in_order=*/false);
  }
  if (packet.kind == Packet::Kind::kMessage) return Receive(link_number, packet);
  Complete(links[link_number].node, packet, packet.code);
}

void SimulatedServers::ReleaseHeld(Number link_number, std::uint32_t connection, Way way) {
  Link& link = links[link_number];
  Direction& direction = link.way(way);
  // Whoever receives one may cut or break the link again.
  while (!direction.held.empty() && link.connection == connection && !link.is_cut(way)) {
    const Packet packet = direction.held.front();
    direction.held.pop_front();
    Take(link_number, way, packet);
  }
}

void SimulatedServers::Discard(const Link& link, const Packet& packet) {
  if (packet.payload == kNone) return;
  faults->Count(SimulatedFault::kMessageLost, IdOf(link), link.server);
  Release(packet.payload);
}

void SimulatedServers::DropHeld(Link& link) {
  for (Direction* const direction : {&link.to_server, &link.from_server}) {
    std::deque<Packet> held;
    held.swap(direction->held);
    for (const Packet& packet : held) Discard(link, packet);
  }
}

void SimulatedServers::Disconnect(Link& link) {
  DropChannels(link);
  DropHeld(link);
  link.is_connected = false;
  ++link.connection;
}

void SimulatedServers::Break(Number link_number, SimulatedFault why) {
  Link& link = links[link_number];
  if (!link.is_connected) return;
  faults->Count(why, IdOf(link), link.server);
  const bool had_channels = !link.channels.empty();
  Disconnect(link);
  link.is_loss_untold = true;
  // Who gives a link up knows at once.
  const std::int64_t notice_ms =
      why == SimulatedFault::kLinkTimedOut ? 0 : random.Draw(hardships().loss_notice);
  simulation->After(notice_ms, [this, link_number, connection = link.connection,
                                receiver = nodes[link.node].receiver_number, had_channels] {
    TellLoss(link_number, connection, receiver, had_channels);
  });
}

void SimulatedServers::TellLoss(Number link_number, std::uint32_t connection,
                                std::uint32_t receiver_number, bool had_channels) {
  Link& link = links[link_number];
  // Its node may have crashed meanwhile.
  if (!link.is_loss_untold || link.connection != connection) return;
  // The calls that were under way may fail before the receiver hears why, or after.
  const bool calls_first = random.Chance(0.5);
  if (calls_first) FailCalls(link_number, connection - 1);
  if (!link.is_loss_untold || link.connection != connection) return;
  link.is_loss_untold = false;
  const Node& node = nodes[link.node];
  // A link over which nothing was subscribed breaks in silence.
  if (had_channels && node.receiver != nullptr && node.receiver_number == receiver_number) {
    faults->Count(SimulatedFault::kLinkLossTold, IdOf(link), link.server);
    Note(SimulatedNote::kLinkLost, link.node, link.server);
    node.receiver->OnLinkLost(servers[link.server].name,
                              absl::UnavailableError("the link broke, or was given up"));
  }
  if (!calls_first) FailCalls(link_number, connection - 1);
}

void SimulatedServers::SetCut(Number link_number, Cut cut) {
  Link& link = links[link_number];
  if (link.cut == cut) return;
  link.cut = cut;
  ++link.cut_number;
  if (cut != Cut::kNone) {
    faults->Count(cut == Cut::kBoth ? SimulatedFault::kLinkPartitioned
                                    : SimulatedFault::kLinkPartitionedOneWay,
                  IdOf(link), link.server);
    simulation->After(random.Draw(hardships().link_timeout),
                      [this, link_number, cut_number = link.cut_number] {
                        if (links[link_number].cut_number != cut_number) return;
                        Break(link_number, SimulatedFault::kLinkTimedOut);
                      });
  } else {
    faults->Count(SimulatedFault::kLinkHealed, IdOf(link), link.server);
  }
  for (const Way way : {Way::kToServer, Way::kFromServer}) {
    if (link.is_cut(way) || link.way(way).held.empty()) continue;
    simulation->After(random.Draw(hardships().jitter),
                      [this, link_number, connection = link.connection, way] {
                        ReleaseHeld(link_number, connection, way);
                      });
  }
}

void SimulatedServers::Crash(Number server_number) {
  Server& server = servers[server_number];
  if (!server.is_up) return;
  server.is_up = false;
  ++server.crash_number;
  faults->Count(SimulatedFault::kServerCrashed, server_number, 0);
  for (Number link = 0; link < links.size(); ++link) {
    if (links[link].server != server_number) continue;
    links[link].last_words_until_ms = -kMaxTimeMs;
    Break(link, SimulatedFault::kLinkBroken);
  }
  assert(server.channels.empty());
}

void SimulatedServers::Restart(Number server_number) {
  Server& server = servers[server_number];
  if (server.is_up) return;
  server.is_up = true;
  ++server.crash_number;
  faults->Count(SimulatedFault::kServerRestarted, server_number, 0);
}

// --- servers
// ---------------------------------------------------------------------------------------

absl::StatusCode SimulatedServers::Serve(Number link_number, const Packet& packet) {
  const Link& link = links[link_number];
  switch (packet.kind) {
    case Packet::Kind::kPublish:
      Note(SimulatedNote::kPublish, link.node, packet.channel.id);
      FanOut(link.server, packet);
      return absl::StatusCode::kOk;
    case Packet::Kind::kSubscribe:
      Note(SimulatedNote::kSubscribe, link.node, packet.channel.id);
      return Subscribe(link_number, packet);
    case Packet::Kind::kUnsubscribe:
      Note(SimulatedNote::kUnsubscribe, link.node, packet.channel.id);
      Unsubscribe(link_number, packet.channel);
      return absl::StatusCode::kOk;
    case Packet::Kind::kMessage:
    case Packet::Kind::kAnswer:
      break;
  }
  assert(false);
  return absl::StatusCode::kInternal;
}

void SimulatedServers::FanOut(Number server_number, const Packet& packet) {
  const auto it = servers[server_number].channels.find(packet.channel);
  if (it == servers[server_number].channels.end()) return;
  Packet message;
  message.kind = Packet::Kind::kMessage;
  message.channel = packet.channel;
  message.payload = packet.payload;
  for (const Number link : it->second) Forward(link, message);
}

void SimulatedServers::Forward(Number link_number, const Packet& subscribed) {
  const Link& link = links[link_number];
  const SimulatedFaultOptions::Transport& chances = hardships();
  const auto draw = [&](double chance, SimulatedFault fault) {
    if (!random.Chance(chance)) return false;
    faults->Count(fault, IdOf(link), subscribed.channel.id);
    return true;
  };
  if (draw(chances.drop_message, SimulatedFault::kMessageDropped)) return;
  Packet message = subscribed;
  message.receiver = nodes[link.node].receiver_number;
  if (draw(chances.duplicate_message, SimulatedFault::kMessageDuplicated)) {
    ++payloads[message.payload].references;
    Send(link_number, Way::kFromServer, message, random.Draw(chances.duplicate_delay),
         /*in_order=*/false);
  }
  std::int64_t extra_ms = 0;
  if (draw(chances.delay_message, SimulatedFault::kMessageDelayed)) {
    extra_ms = random.Draw(chances.message_delay);
  }
  const bool in_order = !draw(chances.reorder_message, SimulatedFault::kMessageReordered);
  if (!in_order) extra_ms += random.Draw(chances.reorder_delay);
  ++payloads[message.payload].references;
  Send(link_number, Way::kFromServer, message, extra_ms, in_order);
}

absl::StatusCode SimulatedServers::Subscribe(Number link_number, const Packet& packet) {
  Link& link = links[link_number];
  // The receiver that asked may be gone, and its subscriptions with it.
  if (nodes[link.node].receiver_number != packet.receiver) return absl::StatusCode::kCancelled;
  if (link.channels.contains(packet.channel)) return absl::StatusCode::kOk;
  if (subscriptions >= options.max_subscriptions) return absl::StatusCode::kResourceExhausted;
  ++subscriptions;
  link.channels.insert(packet.channel);
  servers[link.server].channels[packet.channel].push_back(link_number);
  return absl::StatusCode::kOk;
}

void SimulatedServers::Unsubscribe(Number link_number, Channel channel) {
  Link& link = links[link_number];
  if (link.channels.erase(channel) == 0) return;
  --subscriptions;
  auto& channels = servers[link.server].channels;
  const auto it = channels.find(channel);
  it->second.erase(std::find(it->second.begin(), it->second.end(), link_number));
  if (it->second.empty()) channels.erase(it);
}

void SimulatedServers::DropChannels(Link& link) {
  const Number number = nodes[link.node].links[link.server];
  // In no order that shows: each channel keeps the order of the others under it.
  while (!link.channels.empty()) Unsubscribe(number, *link.channels.begin());
}

}  // namespace nearby
