// The nodes' ends of the links: their calls, completions and receivers.

#include <algorithm>
#include <utility>

#include "src/testing/simulated_servers.h"

namespace nearby {
namespace {

absl::Status StatusOf(absl::StatusCode code) {
  if (code == absl::StatusCode::kOk) return absl::OkStatus();
  return absl::Status(code, "so it went in the simulation");
}

}  // namespace

void SimulatedServers::Start(Number node_number, Number server, Packet::Kind kind, Channel channel,
                             absl::string_view payload, Transport::Done done) {
  Node& node = nodes[node_number];
  if (node.calls_under_way >= options.max_calls) {
    return done(absl::ResourceExhaustedError("too many calls are under way"));
  }
  const Packet packet = NewCall(node_number, kind, channel, std::move(done));
  const absl::StatusCode refusal = Refuse(node, kind, payload);
  if (refusal != absl::StatusCode::kOk) return CompleteLater(node_number, kNone, packet, refusal);
  const bool is_unsubscribe = kind == Packet::Kind::kUnsubscribe;
  const Number link = server == kNone ? kNone : LinkOf(node_number, server);
  // To unsubscribe, no link is made: where there is none, nothing is subscribed to.
  const bool is_connected =
      link != kNone && (is_unsubscribe ? links[link].is_connected : Connect(link));
  if (is_connected) return Dispatch(node_number, link, packet, payload);
  CompleteLater(node_number, link, packet,
                is_unsubscribe ? absl::StatusCode::kOk : absl::StatusCode::kUnavailable);
}

absl::StatusCode SimulatedServers::Refuse(const Node& node, Packet::Kind kind,
                                          absl::string_view payload) {
  if (payload.size() > options.max_payload_bytes) return absl::StatusCode::kInvalidArgument;
  const bool is_publish = kind == Packet::Kind::kPublish;
  if (kind == Packet::Kind::kSubscribe && node.receiver == nullptr) {
    return absl::StatusCode::kFailedPrecondition;
  }
  if (kind == Packet::Kind::kUnsubscribe) return absl::StatusCode::kOk;
  if (!random.Chance(is_publish ? hardships().refuse_publish : hardships().refuse_subscribe)) {
    return absl::StatusCode::kOk;
  }
  faults->Count(is_publish ? SimulatedFault::kPublishRefused : SimulatedFault::kSubscribeRefused,
                ToInt(node.id), 0);
  return is_publish && random.Chance(0.5) ? absl::StatusCode::kResourceExhausted
                                          : absl::StatusCode::kUnavailable;
}

absl::StatusCode SimulatedServers::DrawUnknown(const Node& node, Packet::Kind kind) {
  if (kind == Packet::Kind::kUnsubscribe) return absl::StatusCode::kOk;
  const bool is_publish = kind == Packet::Kind::kPublish;
  if (!random.Chance(is_publish ? hardships().unknown_publish : hardships().unknown_subscribe)) {
    return absl::StatusCode::kOk;
  }
  faults->Count(is_publish ? SimulatedFault::kPublishUnknown : SimulatedFault::kSubscribeUnknown,
                ToInt(node.id), 0);
  return random.Chance(0.5) ? absl::StatusCode::kDeadlineExceeded : absl::StatusCode::kUnavailable;
}

void SimulatedServers::Dispatch(Number node_number, Number link, Packet packet,
                                absl::string_view payload) {
  Call& call = nodes[node_number].calls[packet.call];
  call.link = link;
  call.connection = links[link].connection;
  call.waits_for_link = true;
  packet.code = DrawUnknown(nodes[node_number], packet.kind);
  if (packet.kind == Packet::Kind::kPublish) packet.payload = Keep(payload);
  if (MayCompleteInline(links[link], packet.channel) &&
      random.Chance(hardships().complete_inline)) {
    faults->Count(SimulatedFault::kInlineCompletion, ToInt(nodes[node_number].id),
                  links[link].server);
    const absl::StatusCode code = Serve(link, packet);
    if (packet.payload != kNone) Release(packet.payload);
    return Complete(node_number, packet, packet.code == absl::StatusCode::kOk ? code : packet.code);
  }
  std::int64_t extra_ms = 0;
  if (packet.kind == Packet::Kind::kPublish && random.Chance(hardships().delay_message)) {
    faults->Count(SimulatedFault::kMessageDelayed, ToInt(nodes[node_number].id), packet.channel.id);
    extra_ms = random.Draw(hardships().message_delay);
  }
  Send(link, Way::kToServer, packet, extra_ms, /*in_order=*/true);
}

bool SimulatedServers::MayCompleteInline(const Link& link, Channel channel) const {
  return link.cut == Cut::kNone && link.to_server.held.empty() &&
         link.to_server.last_ms[LaneOf(channel)] < simulation->now().ms;
}

SimulatedServers::Packet SimulatedServers::NewCall(Number node_number, Packet::Kind kind,
                                                   Channel channel, Transport::Done done) {
  Node& node = nodes[node_number];
  if (node.free_calls.empty()) {
    node.free_calls.push_back(static_cast<Number>(node.calls.size()));
    node.calls.emplace_back();
  }
  Packet packet;
  packet.kind = kind;
  packet.channel = channel;
  packet.call = node.free_calls.back();
  packet.receiver = node.receiver_number;
  node.free_calls.pop_back();
  ++node.calls_under_way;
  Call& call = node.calls[packet.call];
  call.done = std::move(done);
  call.link = kNone;
  call.kind = kind;
  call.waits_for_link = false;
  packet.call_use = call.use;
  return packet;
}

void SimulatedServers::Complete(Number node_number, const Packet& packet, absl::StatusCode code) {
  Node& node = nodes[node_number];
  Call& call = node.calls[packet.call];
  // A call that has failed with its link, or was buried with its node, is over.
  if (call.use != packet.call_use) return;
  Transport::Done done = std::exchange(call.done, nullptr);
  call.waits_for_link = false;
  ++call.use;
  node.free_calls.push_back(packet.call);
  --node.calls_under_way;
  Note(SimulatedNote::kCompletion, node_number, static_cast<std::uint64_t>(code));
  done(StatusOf(code));
}

void SimulatedServers::CompleteLater(Number node_number, Number link, const Packet& packet,
                                     absl::StatusCode code) {
  if (random.Chance(hardships().complete_inline)) {
    faults->Count(SimulatedFault::kInlineCompletion, ToInt(nodes[node_number].id), 0);
    return Complete(node_number, packet, code);
  }
  std::int64_t delay_ms = 1 + random.Draw(hardships().jitter);
  if (link != kNone) {
    delay_ms += links[link].to_server.latency_ms + links[link].from_server.latency_ms;
  }
  if (random.Chance(hardships().delay_completion)) {
    faults->Count(SimulatedFault::kCompletionDelayed, ToInt(nodes[node_number].id), 0);
    delay_ms += random.Draw(hardships().completion_delay);
  }
  Packet answer;
  answer.call = packet.call;
  answer.call_use = packet.call_use;
  simulation->After(delay_ms,
                    [this, node_number, answer, code] { Complete(node_number, answer, code); });
}

void SimulatedServers::FailCalls(Number link, std::uint32_t connection) {
  const Number number = links[link].node;
  std::vector<Packet> failing;
  for (Number i = 0; i < nodes[number].calls.size(); ++i) {
    const Call& call = nodes[number].calls[i];
    if (!call.waits_for_link || call.link != link || call.connection != connection) continue;
    Packet& packet = failing.emplace_back();
    packet.call = i;
    packet.call_use = call.use;
    // Whoever wanted to unsubscribe has what they wanted.
    packet.code = call.kind == Packet::Kind::kUnsubscribe ? absl::StatusCode::kOk
                                                          : absl::StatusCode::kUnavailable;
  }
  for (const Packet& packet : failing) Complete(number, packet, packet.code);
}

void SimulatedServers::Receive(Number link, const Packet& packet) {
  const Number number = links[link].node;
  const Node& node = nodes[number];
  if (node.receiver != nullptr && node.receiver_number == packet.receiver) {
    Note(SimulatedNote::kMessage, number, packet.channel.id);
    node.receiver->OnMessage(servers[links[link].server].name, packet.channel,
                             payloads[packet.payload].bytes);
  }
  Release(packet.payload);
}

void SimulatedServers::SetReceiver(Number node_number, Transport::Receiver* receiver) {
  Node& node = nodes[node_number];
  for (const Number link : node.links) {
    if (link != kNone) DropChannels(links[link]);
  }
  node.receiver = receiver;
  ++node.receiver_number;
}

void SimulatedServers::End(Number node_number, std::vector<Transport::Done>* buried) {
  Node& node = nodes[node_number];
  SetReceiver(node_number, nullptr);
  node.transport = nullptr;
  for (Number i = 0; i < node.calls.size(); ++i) {
    Call& call = node.calls[i];
    if (call.done == nullptr) continue;
    buried->push_back(std::exchange(call.done, nullptr));
    call.waits_for_link = false;
    ++call.use;
    node.free_calls.push_back(i);
  }
  node.calls_under_way = 0;
  for (const Number i : node.links) {
    if (i == kNone) continue;
    Link& link = links[i];
    link.is_loss_untold = false;
    if (!link.is_connected) continue;
    const auto& last_ms = link.to_server.last_ms;
    const std::int64_t now_ms = simulation->now().ms;
    link.last_words = link.connection;
    link.last_words_until_ms = random.Between(
        now_ms - 1, std::max(now_ms, *std::max_element(last_ms.begin(), last_ms.end())));
    Disconnect(link);
  }
}

SimulatedServers::Number SimulatedServers::Keep(absl::string_view payload) {
  if (free_payloads.empty()) {
    free_payloads.push_back(static_cast<Number>(payloads.size()));
    payloads.emplace_back();
  }
  const Number number = free_payloads.back();
  free_payloads.pop_back();
  payloads[number].bytes.assign(payload.data(), payload.size());
  payloads[number].references = 1;
  return number;
}

void SimulatedServers::Release(Number payload_number) {
  if (--payloads[payload_number].references == 0) free_payloads.push_back(payload_number);
}

}  // namespace nearby
