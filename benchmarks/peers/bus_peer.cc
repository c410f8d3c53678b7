#include "benchmarks/peers/bus_peer.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "benchmarks/peers/bus_connection.h"
#include "benchmarks/peers/bus_protocol.h"
#include "benchmarks/peers/haversine.h"
#include "benchmarks/peers/pair_states.h"
#include "benchmarks/peers/peer.h"
#include "benchmarks/peers/world.h"
#include "nearby/effects.h"
#include "nearby/geo.h"

namespace peers {
namespace {

using nearby::Delivery;

constexpr int kPatienceMs = 20'000;

// What is published: 16 bytes. Traces have seven decimals, so nothing is lost.
struct Payload {
  std::int64_t time_ms = 0;
  std::int32_t lat_e7 = 0;
  std::int32_t lng_e7 = 0;
};
static_assert(sizeof(Payload) == 16);

std::int32_t ToE7(double degrees) { return static_cast<std::int32_t>(std::lround(degrees * 1e7)); }

class BusPeer : public Peer {
 public:
  BusPeer(const World& world, std::unique_ptr<BusProtocol> protocol, const BusOptions& options)
      : world_(&world),
        protocol_(std::move(protocol)),
        options_(options),
        states_(world),
        connections_(options.connections + 1) {}
  ~BusPeer() override {
    if (epoll_ >= 0) close(epoll_);
  }

  absl::Status Connect() override;
  absl::Status Report(absl::Span<const TraceReport> batch,
                      std::vector<Delivery>* deliveries) override;
  Traffic traffic() const override;

 private:
  // Who listens to a channel on one connection: edges of the channel's user, edge_order_[begin] ..
  // edge_order_[end - 1]. With per_friend there is one for each edge.
  struct Subscription {
    User channel = 0;
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
  };

  // Connection 0 publishes.
  std::size_t ConnectionOf(User user) const { return 1 + user % options_.connections; }
  void OrderEdges();
  void AddSubscription(User channel, std::uint32_t begin, std::uint32_t end);
  const Subscription* Find(std::size_t connection, std::uint32_t key) const;
  absl::Status OpenAll();

  // Lets the sockets work until as many pushes, pongs and confirmations have come as are expected.
  absl::Status Pump(std::vector<Delivery>* deliveries);
  bool is_settled() const { return pushes_ == expected_pushes_ && answers_ == expected_answers_; }
  absl::Status ReadAll(std::size_t connection, std::vector<Delivery>* deliveries);
  absl::Status Handle(std::size_t connection, const BusMessage& message,
                      std::vector<Delivery>* deliveries);
  void HandlePush(const Subscription& subscription, absl::string_view bytes,
                  std::vector<Delivery>* deliveries);

  const World* world_;
  std::unique_ptr<BusProtocol> protocol_;
  BusOptions options_;
  PairStates states_;
  std::vector<BusConnection> connections_;
  int epoll_ = -1;

  // Each row of edges, those of one connection together.
  std::vector<std::uint32_t> edge_order_;
  std::vector<Subscription> subscriptions_;  // in order of channel, then connection
  // The subscriptions of a channel are those from subscription_begin_[channel] on.
  std::vector<std::uint32_t> subscription_begin_;

  std::uint64_t expected_pushes_ = 0;
  std::uint64_t pushes_ = 0;
  std::uint64_t expected_answers_ = 0;
  std::uint64_t answers_ = 0;
};

void BusPeer::AddSubscription(User channel, std::uint32_t begin, std::uint32_t end) {
  subscriptions_.push_back({channel, begin, end});
}

void BusPeer::OrderEdges() {
  const auto connection_of_edge = [this](std::uint32_t edge) {
    return ConnectionOf(world_->friends[edge]);
  };
  edge_order_.resize(world_->friends.size());
  for (std::uint32_t edge = 0; edge < edge_order_.size(); ++edge) edge_order_[edge] = edge;
  for (User user = 0; user < world_->users(); ++user) {
    const std::uint32_t begin = states_.RowBegin(user);
    const std::uint32_t end = states_.RowEnd(user);
    std::sort(edge_order_.begin() + begin, edge_order_.begin() + end,
              [&](std::uint32_t a, std::uint32_t b) {
                return std::pair(connection_of_edge(a), a) < std::pair(connection_of_edge(b), b);
              });
    subscription_begin_.push_back(static_cast<std::uint32_t>(subscriptions_.size()));
    for (std::uint32_t at = begin; at < end;) {
      std::uint32_t next = at + 1;
      while (!options_.per_friend && next < end &&
             connection_of_edge(edge_order_[next]) == connection_of_edge(edge_order_[at])) {
        ++next;
      }
      AddSubscription(user, at, next);
      at = next;
    }
  }
  subscription_begin_.push_back(static_cast<std::uint32_t>(subscriptions_.size()));
}

// With free keys the key is the subscription's number; otherwise the channel and the connection
// tell which it is.
const BusPeer::Subscription* BusPeer::Find(std::size_t connection, std::uint32_t key) const {
  if (protocol_->has_free_keys()) {
    return key < subscriptions_.size() ? &subscriptions_[key] : nullptr;
  }
  if (key >= world_->users()) return nullptr;
  const auto begin = subscriptions_.begin() + subscription_begin_[key];
  const auto end = subscriptions_.begin() + subscription_begin_[key + 1];
  const auto found =
      std::lower_bound(begin, end, connection, [this](const Subscription& s, std::size_t wanted) {
        return ConnectionOf(world_->friends[edge_order_[s.begin]]) < wanted;
      });
  return found == end ? nullptr : &*found;
}

absl::Status BusPeer::OpenAll() {
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    if (absl::Status status = connections_[i].Open(options_.port); !status.ok()) return status;
    epoll_event event = {};
    event.events = EPOLLIN;
    event.data.u64 = i;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, connections_[i].descriptor(), &event);
    protocol_->AppendHello(/*is_publisher=*/i == 0, connections_[i].out());
  }
  return absl::OkStatus();
}

absl::Status BusPeer::Connect() {
  if (options_.per_friend && !protocol_->has_free_keys()) {
    return absl::InvalidArgumentError("this peer hears a channel once on a connection");
  }
  OrderEdges();
  if (absl::Status status = OpenAll(); !status.ok()) return status;
  for (std::uint32_t i = 0; i < subscriptions_.size(); ++i) {
    const Subscription& subscription = subscriptions_[i];
    const std::size_t connection = ConnectionOf(world_->friends[edge_order_[subscription.begin]]);
    protocol_->AppendSubscribe(subscription.channel, i, connections_[connection].out());
    if (!protocol_->has_free_keys()) ++expected_answers_;
    // A bounded number under way: neither side's buffers need to hold all the answers.
    if (i % 4096 != 0) continue;
    if (absl::Status status = Pump(nullptr); !status.ok()) return status;
  }
  if (protocol_->has_free_keys()) {
    for (std::size_t i = 1; i < connections_.size(); ++i) {
      protocol_->AppendPing(connections_[i].out());
      ++expected_answers_;
    }
  }
  return Pump(nullptr);
}

absl::Status BusPeer::Report(absl::Span<const TraceReport> batch,
                             std::vector<Delivery>* deliveries) {
  for (const TraceReport& report : batch) {
    states_.Move(report.user, report.location, report.time);
    const Payload payload{report.time.ms, ToE7(report.location.lat), ToE7(report.location.lng)};
    protocol_->AppendReport(
        report.user, absl::string_view(reinterpret_cast<const char*>(&payload), sizeof(payload)),
        connections_[0].out());
    expected_pushes_ += subscription_begin_[report.user + 1] - subscription_begin_[report.user];
  }
  return Pump(deliveries);
}

absl::Status BusPeer::Pump(std::vector<Delivery>* deliveries) {
  std::array<epoll_event, 256> events;
  for (BusConnection& connection : connections_) {
    if (absl::Status status = connection.Send(); !status.ok()) return status;
  }
  while (!is_settled()) {
    bool has_unsent = false;
    for (BusConnection& connection : connections_) {
      if (!connection.has_unsent()) continue;
      if (absl::Status status = connection.Send(); !status.ok()) return status;
      has_unsent |= connection.has_unsent();
    }
    // What the socket did not take is tried again as soon as the server has answered something, or
    // a moment later.
    const int count =
        epoll_wait(epoll_, events.data(), events.size(), has_unsent ? 1 : kPatienceMs);
    if (count < 0 && errno != EINTR) return absl::InternalError("epoll_wait");
    if (count == 0 && !has_unsent) {
      return absl::DeadlineExceededError(absl::StrCat("the server is silent: ", pushes_, " of ",
                                                      expected_pushes_, " pushes have come"));
    }
    for (int i = 0; i < count; ++i) {
      if (absl::Status status = ReadAll(events[static_cast<std::size_t>(i)].data.u64, deliveries);
          !status.ok()) {
        return status;
      }
    }
  }
  return absl::OkStatus();
}

absl::Status BusPeer::ReadAll(std::size_t index, std::vector<Delivery>* deliveries) {
  BusConnection& connection = connections_[index];
  if (absl::Status status = connection.Receive(); !status.ok()) return status;
  BusMessage message;
  while (const std::size_t bytes = protocol_->Decode(connection.in(), &message)) {
    if (absl::Status status = Handle(index, message, deliveries); !status.ok()) return status;
    connection.Consume(bytes);
  }
  return absl::OkStatus();
}

absl::Status BusPeer::Handle(std::size_t connection, const BusMessage& message,
                             std::vector<Delivery>* deliveries) {
  switch (message.kind) {
    case BusMessage::Kind::kPush: {
      const Subscription* subscription = Find(connection, message.key);
      if (subscription == nullptr || message.payload.size() != sizeof(Payload)) {
        return absl::InternalError("a push that nobody asked for");
      }
      ++pushes_;
      HandlePush(*subscription, message.payload, deliveries);
      return absl::OkStatus();
    }
    case BusMessage::Kind::kSubscribed:
    case BusMessage::Kind::kPong:
      ++answers_;
      return absl::OkStatus();
    case BusMessage::Kind::kPing:
      protocol_->AppendPong(connections_[connection].out());
      return absl::OkStatus();
    case BusMessage::Kind::kError:
      return absl::InternalError(message.payload);
    case BusMessage::Kind::kOther:
      return absl::OkStatus();
  }
  return absl::OkStatus();
}

void BusPeer::HandlePush(const Subscription& subscription, absl::string_view bytes,
                         std::vector<Delivery>* deliveries) {
  Payload payload;
  std::memcpy(&payload, bytes.data(), sizeof(payload));
  const nearby::LatLng location{payload.lat_e7 / 1e7, payload.lng_e7 / 1e7};
  const PairStates::Update update{subscription.channel, location, ToPoint(location),
                                  nearby::Time{payload.time_ms}};
  for (std::uint32_t i = subscription.begin; i < subscription.end; ++i) {
    states_.Settle(update, edge_order_[i], deliveries);
  }
}

Peer::Traffic BusPeer::traffic() const {
  Traffic traffic;
  traffic.pushes = pushes_;
  for (const BusConnection& connection : connections_) traffic.bytes += connection.received();
  traffic.subscriptions = subscriptions_.size();
  return traffic;
}

}  // namespace

std::unique_ptr<Peer> MakeBusPeer(const World& world, std::unique_ptr<BusProtocol> protocol,
                                  const BusOptions& options) {
  return std::make_unique<BusPeer>(world, std::move(protocol), options);
}

}  // namespace peers
