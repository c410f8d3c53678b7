#include "nearby/testing/simulated_transport.h"

#include <utility>

#include "src/testing/simulated_servers.h"

namespace nearby {

using Kind = SimulatedServers::Packet::Kind;

SimulatedTransport::SimulatedTransport(SimulatedPubSub* servers, NodeId node)
    : servers_(servers->servers_.get()),
      node_(servers_->NodeOf(node)),
      buried_(std::make_unique<Buried>()) {
  SimulatedTransport*& transport = servers_->nodes[node_].transport;
  if (transport != nullptr) transport->Crash();
  transport = this;
}

SimulatedTransport::~SimulatedTransport() {
  if (!has_crashed()) servers_->End(node_, &buried_->dones);
}

bool SimulatedTransport::has_crashed() const { return servers_->nodes[node_].transport != this; }

void SimulatedTransport::Crash() {
  if (has_crashed()) return;
  servers_->faults->Count(SimulatedFault::kNodeCrashed, ToInt(servers_->nodes[node_].id), 0);
  servers_->End(node_, &buried_->dones);
}

void SimulatedTransport::SetReceiver(Receiver* receiver) {
  if (!has_crashed()) servers_->SetReceiver(node_, receiver);
}

void SimulatedTransport::Publish(absl::string_view server, Channel channel,
                                 absl::string_view payload, Done done) {
  if (has_crashed()) return Bury(std::move(done));
  if (server.empty()) return done(absl::InvalidArgumentError("the server has no name"));
  servers_->Start(node_, servers_->ServerOf(server), Kind::kPublish, channel, payload,
                  std::move(done));
}

void SimulatedTransport::Subscribe(absl::string_view server, Channel channel, Done done) {
  if (has_crashed()) return Bury(std::move(done));
  if (server.empty()) return done(absl::InvalidArgumentError("the server has no name"));
  servers_->Start(node_, servers_->ServerOf(server), Kind::kSubscribe, channel, {},
                  std::move(done));
}

void SimulatedTransport::Unsubscribe(absl::string_view server, Channel channel, Done done) {
  if (has_crashed()) return Bury(std::move(done));
  servers_->Start(node_, servers_->ServerOf(server), Kind::kUnsubscribe, channel, {},
                  std::move(done));
}

std::size_t SimulatedTransport::max_payload() const { return servers_->options.max_payload_bytes; }

void SimulatedTransport::Bury(Done done) {
  // Beyond the limit it goes at once.
  if (buried_->dones.size() < servers_->options.max_calls) {
    buried_->dones.push_back(std::move(done));
  }
}

}  // namespace nearby
