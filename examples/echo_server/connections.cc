#include "examples/echo_server/connections.h"

#include <utility>

namespace echo_server {

using nearby::ClientBatch;
using nearby::SessionId;
using nearby::WireFormat;

std::uint64_t Connections::Add(Client client) {
  const std::uint64_t cookie = next_cookie_.fetch_add(1);
  Stripe& stripe = StripeOf(cookie);
  const std::lock_guard<std::mutex> lock(stripe.mutex);
  stripe.clients.emplace(cookie, std::move(client));
  return cookie;
}

void Connections::Remove(std::uint64_t cookie) {
  Client removed;  // may be the last to hold the client, which must not go under the lock
  Stripe& stripe = StripeOf(cookie);
  const std::lock_guard<std::mutex> lock(stripe.mutex);
  const auto found = stripe.clients.find(cookie);
  if (found == stripe.clients.end()) return;
  removed = std::move(found->second);
  stripe.clients.erase(found);
}

Connections::Client Connections::Find(std::uint64_t cookie) {
  Stripe& stripe = StripeOf(cookie);
  const std::lock_guard<std::mutex> lock(stripe.mutex);
  const auto found = stripe.clients.find(cookie);
  return found == stripe.clients.end() ? nullptr : found->second;
}

void Connections::ShutDown() {
  std::vector<Client> clients;
  for (const Stripe& stripe : stripes_) {
    const std::lock_guard<std::mutex> lock(stripe.mutex);
    for (const auto& [cookie, client] : stripe.clients) clients.push_back(client);
  }
  for (Client& client : clients) {
    TaskQueue* const loop = client->loop();
    loop->Post([client = std::move(client)] { client->OnShutdown(); });
  }
}

Connections::Flow Connections::Deliver(const ClientBatch& batch) {
  Client client = Find(batch.cookie);
  // To one who has gone, nothing more.
  if (client == nullptr) return Flow::kBusy;
  const WireFormat format = client->format();
  std::string frame;
  encoders_[nearby::ToInt(batch.session.shard)].EncodeBatch(format, batch, &frame);
  TaskQueue* const loop = client->loop();
  loop->Post([client = std::move(client), format, frame = std::move(frame)]() mutable {
    client->OnBatch(format, std::move(frame));
  });
  return Flow::kBusy;
}

void Connections::Ended(SessionId, std::uint64_t cookie, EndReason reason) {
  Client client = Find(cookie);
  if (client == nullptr) return;
  TaskQueue* const loop = client->loop();
  loop->Post([client = std::move(client), reason] { client->OnEnded(reason); });
}

void Connections::ReportRefused(SessionId, std::uint64_t cookie, nearby::Time reported_at,
                                nearby::ReportOutcome outcome) {
  Client client = Find(cookie);
  if (client == nullptr) return;
  TaskQueue* const loop = client->loop();
  loop->Post([client = std::move(client), reported_at, outcome] {
    client->OnReportRefused(reported_at, outcome);
  });
}

void Connections::MoveAway(SessionId, std::uint64_t cookie, absl::Duration after) {
  Client client = Find(cookie);
  if (client == nullptr) return;
  TaskQueue* const loop = client->loop();
  loop->Post([client = std::move(client), after] { client->OnMoveAway(after); });
}

}  // namespace echo_server
