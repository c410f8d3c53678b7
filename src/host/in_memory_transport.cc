#include "nearby/in_memory_transport.h"

#include <algorithm>
#include <cassert>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace nearby {
namespace {

// What a waiting message counts besides its payload.
constexpr std::size_t kMessageBytes = 64;

// What waits for a receiver: a message, or the news that the link is lost.
struct Item {
  std::shared_ptr<const std::string> payload;  // null if the link is lost
  Channel channel;
  absl::Status lost;

  std::size_t bytes() const { return payload == nullptr ? 0 : kMessageBytes + payload->size(); }
};

struct Link;

// One transport.
struct Endpoint {
  Transport::Receiver* receiver = nullptr;
  int calls_running = 0;  // of the receiver
  std::condition_variable idle;
  absl::flat_hash_map<std::string, std::shared_ptr<Link>> links;  // by server
};

// One transport's subscriptions on one server, and what waits for it from there. Whoever finds
// nobody delivering delivers until nothing waits: so the receiver's calls do not overlap, keep
// their order, and no lock is held meanwhile.
struct Link {
  std::shared_ptr<Endpoint> endpoint;
  std::string server;
  absl::flat_hash_set<Channel> channels;
  std::deque<Item> waiting;
  std::size_t waiting_bytes = 0;
  bool is_delivering = false;

  // It waits alone: until the receiver hears of it, nothing can be subscribed to.
  bool loss_waits() const { return !waiting.empty() && waiting.front().payload == nullptr; }
};

struct Server {
  bool is_down = false;
  // In order of subscribing, so that the order of deliveries does not depend on a hash.
  std::vector<std::shared_ptr<Link>> links;
  absl::flat_hash_map<Channel, absl::InlinedVector<Link*, 1>> channels;
};

using Links = std::vector<std::shared_ptr<Link>>;

absl::Status HasNoName() { return absl::InvalidArgumentError("the server has no name"); }

absl::Status Down(absl::string_view server) {
  return absl::UnavailableError(absl::StrCat("the server ", server, " is down"));
}

}  // namespace

struct InMemoryTransport::Node : Endpoint {};

// Everything but Deliver requires the lock.
//
// Invariants:
//   1. A link is among its server's and its endpoint's as long as it has channels or something
//      waits for it or is being delivered; a server is held as long as it has links or is down.
//   2. A link stands under a channel of its server exactly when the channel is among its own.
struct InMemoryBroker::State {
  explicit State(const Options& the_options) : options(the_options) {}

  absl::Status Subscribe(const std::shared_ptr<Endpoint>& endpoint, absl::string_view server,
                         Channel channel);
  void Unsubscribe(const Endpoint& endpoint, absl::string_view server, Channel channel);
  /// Ok, and the links to deliver to.
  absl::Status Publish(absl::string_view server, Channel channel, absl::string_view payload,
                       Links* links);
  Links TakeDown(absl::string_view server);
  void End(Endpoint& endpoint);

  void Enqueue(Link& link, Item item);
  void DropChannels(Link& link);
  void DropWaiting(Link& link);
  void Break(Link& link, absl::Status why);
  void ForgetIfIdle(Link& link);
  void ForgetIfEmpty(absl::string_view server);
  /// Hands over what waits, unless somebody is at it. Calls the receiver, without the lock.
  void Deliver(Link& link);

  const Options options;
  mutable std::mutex mutex;
  absl::flat_hash_map<std::string, Server> servers;
  std::size_t subscriptions = 0;
};

absl::Status InMemoryBroker::State::Subscribe(const std::shared_ptr<Endpoint>& endpoint,
                                              absl::string_view server, Channel channel) {
  if (endpoint->receiver == nullptr) {
    return absl::FailedPreconditionError("a receiver must be set before the first subscription");
  }
  const auto known = servers.find(server);
  if (known != servers.end() && known->second.is_down) return Down(server);
  const auto linked = endpoint->links.find(server);
  if (linked != endpoint->links.end()) {
    if (linked->second->loss_waits()) {
      return absl::UnavailableError("the link was lost, which the receiver is still to hear");
    }
    if (linked->second->channels.contains(channel)) return absl::OkStatus();
  }
  if (subscriptions >= options.max_subscriptions) {
    return absl::ResourceExhaustedError(absl::StrCat("the broker has its maximum of ",
                                                     options.max_subscriptions, " subscriptions"));
  }
  std::shared_ptr<Link>& link = endpoint->links[server];
  Server& at = servers[server];
  if (link == nullptr) {
    link = std::make_shared<Link>();
    link->endpoint = endpoint;
    link->server.assign(server.data(), server.size());
    at.links.push_back(link);
  }
  link->channels.insert(channel);
  at.channels[channel].push_back(link.get());
  ++subscriptions;
  return absl::OkStatus();
}

void InMemoryBroker::State::Unsubscribe(const Endpoint& endpoint, absl::string_view server,
                                        Channel channel) {
  const auto linked = endpoint.links.find(server);
  if (linked == endpoint.links.end()) return;
  const std::shared_ptr<Link> link = linked->second;
  if (link->channels.erase(channel) == 0) return;
  --subscriptions;
  Server& at = servers.find(server)->second;
  const auto subscribers = at.channels.find(channel);
  auto& links = subscribers->second;
  links.erase(std::find(links.begin(), links.end(), link.get()));
  if (links.empty()) at.channels.erase(subscribers);
  ForgetIfIdle(*link);
}

absl::Status InMemoryBroker::State::Publish(absl::string_view server, Channel channel,
                                            absl::string_view payload, Links* links) {
  const auto at = servers.find(server);
  if (at == servers.end()) return absl::OkStatus();
  if (at->second.is_down) return Down(server);
  const auto subscribers = at->second.channels.find(channel);
  if (subscribers == at->second.channels.end()) return absl::OkStatus();
  for (Link* link : subscribers->second) {
    links->push_back(link->endpoint->links.find(server)->second);
  }
  const auto shared = std::make_shared<const std::string>(payload);
  // Not over the subscribers themselves: a link that breaks is taken out of them.
  for (const std::shared_ptr<Link>& link : *links) Enqueue(*link, {shared, channel, {}});
  return absl::OkStatus();
}

Links InMemoryBroker::State::TakeDown(absl::string_view server) {
  Server& at = servers[server];
  at.is_down = true;
  Links links;
  for (const std::shared_ptr<Link>& link : at.links) {
    if (!link->channels.empty()) links.push_back(link);
  }
  for (const std::shared_ptr<Link>& link : links) Break(*link, Down(server));
  return links;
}

void InMemoryBroker::State::End(Endpoint& endpoint) {
  endpoint.receiver = nullptr;
  Links links;
  for (const auto& [server, link] : endpoint.links) links.push_back(link);
  for (const std::shared_ptr<Link>& link : links) {
    DropChannels(*link);
    DropWaiting(*link);
    ForgetIfIdle(*link);
  }
}

void InMemoryBroker::State::Enqueue(Link& link, Item item) {
  const std::size_t bytes = item.bytes();
  const bool is_busy = link.is_delivering || !link.waiting.empty();
  if (is_busy && link.waiting_bytes + bytes > options.max_waiting_bytes) {
    return Break(link, absl::ResourceExhaustedError(
                           absl::StrCat("more than ", options.max_waiting_bytes,
                                        " bytes wait for a receiver that is too slow")));
  }
  link.waiting_bytes += bytes;
  link.waiting.push_back(std::move(item));
}

void InMemoryBroker::State::DropChannels(Link& link) {
  if (link.channels.empty()) return;
  Server& at = servers.find(link.server)->second;
  for (const Channel channel : link.channels) {
    const auto subscribers = at.channels.find(channel);
    auto& links = subscribers->second;
    links.erase(std::find(links.begin(), links.end(), &link));
    if (links.empty()) at.channels.erase(subscribers);
  }
  subscriptions -= link.channels.size();
  link.channels.clear();
}

void InMemoryBroker::State::DropWaiting(Link& link) {
  link.waiting.clear();
  link.waiting_bytes = 0;
}

void InMemoryBroker::State::Break(Link& link, absl::Status why) {
  DropChannels(link);
  // News of an earlier loss that still waits covers this one, too; there is one at most.
  DropWaiting(link);
  link.waiting.push_back({nullptr, Channel(), std::move(why)});
}

void InMemoryBroker::State::ForgetIfIdle(Link& link) {
  if (link.is_delivering || !link.waiting.empty() || !link.channels.empty()) return;
  const std::string server = link.server;
  const std::shared_ptr<Endpoint> endpoint = link.endpoint;
  Links& links = servers.find(server)->second.links;
  const auto place = std::find_if(links.begin(), links.end(),
                                  [&link](const auto& other) { return other.get() == &link; });
  assert(place != links.end());
  links.erase(place);
  endpoint->links.erase(server);
  ForgetIfEmpty(server);
}

void InMemoryBroker::State::ForgetIfEmpty(absl::string_view server) {
  const auto at = servers.find(server);
  if (at == servers.end() || at->second.is_down || !at->second.links.empty()) return;
  servers.erase(at);
}

void InMemoryBroker::State::Deliver(Link& link) {
  std::unique_lock<std::mutex> lock(mutex);
  // A link for which nothing waits may be forgotten already: its endpoint has ended meanwhile.
  if (link.is_delivering || link.waiting.empty()) return;
  link.is_delivering = true;
  Endpoint& endpoint = *link.endpoint;
  while (!link.waiting.empty()) {
    // Whoever ends a receiver also drops what waits for it, so there is one.
    Transport::Receiver* const receiver = endpoint.receiver;
    {
      const Item item = std::move(link.waiting.front());
      link.waiting.pop_front();
      link.waiting_bytes -= item.bytes();
      ++endpoint.calls_running;
      lock.unlock();
      if (item.payload != nullptr) {
        receiver->OnMessage(link.server, item.channel, *item.payload);
      } else {
        receiver->OnLinkLost(link.server, item.lost);
      }
    }
    lock.lock();
    if (--endpoint.calls_running == 0) endpoint.idle.notify_all();
  }
  link.is_delivering = false;
  ForgetIfIdle(link);
}

InMemoryBroker::InMemoryBroker() : InMemoryBroker(Options()) {}
InMemoryBroker::InMemoryBroker(const Options& options) : state_(std::make_shared<State>(options)) {}
InMemoryBroker::~InMemoryBroker() = default;

void InMemoryBroker::TakeDown(absl::string_view server) {
  Links links;
  {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    links = state_->TakeDown(server);
  }
  for (const std::shared_ptr<Link>& link : links) state_->Deliver(*link);
}

void InMemoryBroker::BringUp(absl::string_view server) {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  const auto at = state_->servers.find(server);
  if (at == state_->servers.end()) return;
  at->second.is_down = false;
  state_->ForgetIfEmpty(server);
}

std::size_t InMemoryBroker::subscription_count() const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  return state_->subscriptions;
}

InMemoryTransport::InMemoryTransport(InMemoryBroker* broker)
    : broker_(broker->state_), node_(std::make_shared<Node>()) {}

InMemoryTransport::~InMemoryTransport() { InMemoryTransport::SetReceiver(nullptr); }

void InMemoryTransport::SetReceiver(Receiver* receiver) {
  std::unique_lock<std::mutex> lock(broker_->mutex);
  // Another thread may set one while this one waits: the last wins.
  do {
    broker_->End(*node_);
    node_->idle.wait(lock, [this] { return node_->calls_running == 0; });
  } while (node_->receiver != nullptr);
  node_->receiver = receiver;
}

void InMemoryTransport::Publish(absl::string_view server, Channel channel,
                                absl::string_view payload, Done done) {
  if (server.empty()) return done(HasNoName());
  if (payload.size() > max_payload()) {
    return done(absl::InvalidArgumentError(absl::StrCat(
        "a payload of ", payload.size(), " bytes; at most ", max_payload(), " are allowed")));
  }
  Links links;
  absl::Status status;
  {
    const std::lock_guard<std::mutex> lock(broker_->mutex);
    status = broker_->Publish(server, channel, payload, &links);
  }
  for (const std::shared_ptr<Link>& link : links) broker_->Deliver(*link);
  done(std::move(status));
}

void InMemoryTransport::Subscribe(absl::string_view server, Channel channel, Done done) {
  if (server.empty()) return done(HasNoName());
  absl::Status status;
  {
    const std::lock_guard<std::mutex> lock(broker_->mutex);
    status = broker_->Subscribe(node_, server, channel);
  }
  done(std::move(status));
}

void InMemoryTransport::Unsubscribe(absl::string_view server, Channel channel, Done done) {
  {
    const std::lock_guard<std::mutex> lock(broker_->mutex);
    broker_->Unsubscribe(*node_, server, channel);
  }
  done(absl::OkStatus());
}

}  // namespace nearby
