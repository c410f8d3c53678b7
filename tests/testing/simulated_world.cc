#include "tests/testing/simulated_world.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "nearby/effects.h"
#include "nearby/friendship.h"
#include "nearby/geo.h"
#include "nearby/hash_ring.h"
#include "nearby/testing/simulated_friend_store.h"
#include "nearby/testing/simulated_history_store.h"
#include "nearby/testing/simulated_session_directory.h"
#include "nearby/time.h"

namespace nearby::test {
namespace {

const std::vector<RingSource::Ring>& Rings() {
  static const auto* const rings = [] {
    auto* const made = new std::vector<RingSource::Ring>;
    for (std::uint64_t version = 1; version <= 5; ++version) {
      made->push_back(*HashRing::Create(RingVersion{version}, {{"a", 100, "s0"}}));
    }
    return made;
  }();
  return *rings;
}

std::string ServerName(std::size_t server) { return absl::StrCat("s", server); }

}  // namespace

// One life of one node.
class SimulatedHost : public Transport::Receiver {
  // A completion that must come once, and not after the node's end.
  template <typename Action>
  auto Done(Action action) {
    return [this, action, is_done = false](auto result) mutable {
      CheckAlive();
      if (std::exchange(is_done, true)) world_->Violate("a completion that comes twice");
      action(result);
    };
  }

 public:
  SimulatedHost(SimulatedWorld* world, std::size_t node, std::uint64_t life)
      : world_(world),
        life_(life),
        id_(NodeId{node}),
        clock_(&world->simulation_),
        transport_(&world->servers_, id_),
        locations_(&world->locations_backend_, &world->locations_, id_),
        friends_(&world->friends_backend_, &world->friends_, id_),
        history_(&world->history_backend_, &world->history_, id_),
        sessions_(&world->sessions_backend_, &world->sessions_, id_),
        rings_(&world->authority_, id_) {
    world_->faults_.Add(&clock_);
    transport_.SetReceiver(this);
    watcher_ = rings_.Watch([this](const RingSource::Ring& ring) {
      CheckAlive();
      if (ring == nullptr || (ring_ != nullptr && ring->version() <= ring_->version())) {
        world_->Violate("a ring that is not newer");
      }
      ring_ = ring;
    });
    sessions_.BeginLease(id_, absl::Seconds(30), Done([this](absl::StatusOr<Epoch> epoch) {
                           if (epoch.ok()) lease_ = NodeLease{id_, *epoch};
                         }));
  }

  ~SimulatedHost() override { world_->faults_.Remove(&clock_); }

  void Crash() {
    transport_.Crash();
    locations_.Crash();
    friends_.Crash();
    history_.Crash();
    sessions_.Crash();
    rings_.Crash();
    has_crashed_ = true;
  }

  void Act() {
    CheckAlive();
    const Time now = clock_.Now();
    if (now < last_now_) world_->Violate("a clock that goes backward");
    last_now_ = now;
    SimulatedRandom& random = world_->random_;
    const std::string server = ServerName(random.Below(SimulatedWorld::kServers));
    const UserId user{random.Below(SimulatedWorld::kUsers)};
    switch (random.Below(4)) {
      case 0:
        return Publish(server, user);
      case 1:
        return ActOnStores(user, now);
      case 2:
        return Subscribe(server, user);
      default:
        return random.Chance(0.7) ? Publish(server, user) : Unsubscribe(server, user);
    }
  }

  void Publish(const std::string& server, UserId user) {
    const SimulatedWorld::Stream stream{server, ToInt(user), absl::StrCat(ToInt(id_), ".", life_)};
    auto& published = world_->published_[stream];
    const std::size_t number = published.size();
    published.push_back({world_->simulation_.now(), false});
    transport_.Publish(server, user, absl::StrCat(std::get<2>(stream), " ", number),
                       Done([this, stream, number](const absl::Status& status) {
                         world_->published_[stream][number].is_ok = status.ok();
                       }));
  }

  void Subscribe(const std::string& server, UserId user) {
    Subscription& subscription = subscriptions_[{server, ToInt(user)}];
    subscription.may_come = true;
    transport_.Subscribe(
        server, user,
        Done([this, &subscription, number = subscription.number](const absl::Status& status) {
          // Since then it may have been ended.
          const bool holds = status.ok() && subscription.number == number;
          if (holds && !subscription.holds_since.has_value()) {
            subscription.holds_since = world_->simulation_.now();
          }
        }));
  }

  void Unsubscribe(const std::string& server, UserId user) {
    subscriptions_[{server, ToInt(user)}].End();
    transport_.Unsubscribe(server, user, Done([this](const absl::Status& status) {
                             if (!status.ok()) world_->Violate("an Unsubscribe that failed");
                           }));
  }

  // Whether everything answers now that nothing goes wrong.
  void CheckHealth() {
    for (std::size_t server = 0; server < SimulatedWorld::kServers; ++server) {
      subscriptions_[{ServerName(server), 0}].may_come = true;
      transport_.Subscribe(ServerName(server), UserId{0}, Done([this](const absl::Status& status) {
                             EXPECT_TRUE(status.ok()) << status;
                             ++healthy_answers_;
                           }));
    }
    friends_.List(UserId{0}, Done([this](const absl::StatusOr<FriendList>& list) {
                    EXPECT_TRUE(list.ok()) << list.status();
                    ++healthy_answers_;
                  }));
    locations_.Read({UserId{0}}, Done([this](const auto& found) {
                      EXPECT_TRUE(found.ok()) << found.status();
                      ++healthy_answers_;
                    }));
    received_at_health_ = received_;
  }
  std::size_t healthy_answers() const { return healthy_answers_; }
  std::uint64_t received_since() const { return received_ - received_at_health_; }
  bool knows(const RingSource::Ring& ring) const { return ring_ == ring; }

  void OnMessage(absl::string_view server, Channel channel, absl::string_view payload) override {
    CheckAlive();
    ++received_;
    ++world_->messages_received_;
    const Subscription& subscription = subscriptions_[{std::string(server), channel.id}];
    if (!subscription.may_come) {
      world_->Violate("a message of a channel that is not subscribed to");
    }
    if (!world_->keeps_order_) return;
    const std::vector<std::string> parts = absl::StrSplit(payload, ' ');
    std::size_t number = 0;
    EXPECT_TRUE(absl::SimpleAtoi(parts.at(1), &number));
    const SimulatedWorld::Stream stream{std::string(server), channel.id, parts[0]};
    std::size_t& next = next_from_[stream];
    if (number < next) world_->Violate("messages out of order, or twice");
    for (; next < number; ++next) {
      const bool was_promised = subscription.holds_since.has_value() &&
                                world_->published_[stream][next].at > *subscription.holds_since;
      if (was_promised) world_->missed_.emplace_back(stream, next);
    }
    ++next;
  }

  void OnLinkLost(absl::string_view server, const absl::Status&) override {
    CheckAlive();
    for (auto it = subscriptions_.lower_bound({std::string(server), 0});
         it != subscriptions_.end() && it->first.first == server; ++it) {
      it->second.End();
      it->second.may_come = false;
    }
  }

 private:
  struct Subscription {
    // Whether messages may come: it was asked for since the link was last lost.
    bool may_come = false;
    // Since when all messages must come, until it is ended.
    std::optional<Time> holds_since;
    std::uint64_t number = 0;

    void End() {
      holds_since.reset();
      ++number;
    }
  };

  void ActOnStores(UserId user, Time now) {
    SimulatedRandom& random = world_->random_;
    const UserId other{random.Below(SimulatedWorld::kUsers)};
    const AcceptedLocation location{user, Position::FromLatLng({1, 2}), now, now};
    const AcceptedLocation location_of_other{other, Position::FromLatLng({1, 2}), now, now};
    const auto ignore = [](const auto&) {};
    switch (random.Below(9)) {
      case 0:
        return locations_.Write({location, location_of_other}, absl::Minutes(1), Done(ignore));
      case 1:
        return locations_.Read({user, other}, Done([this](const auto& found) {
                                 if (found.ok() && found->size() != 2)
                                   world_->Violate("a Read that answers too little");
                               }));
      case 2:
        return locations_.Erase({{user, now}, {other, now}}, Done(ignore));
      case 3:
        return friends_.Edit({FriendEdit::Kind::kBefriend, user, other}, Done(ignore));
      case 4:
        return List(user);
      case 5:
        return history_.Append({location, location_of_other}, Done(ignore));
      case 6:
        return history_.Read({user, Time::Millis(0), now}, Done(ignore));
      case 7:
        return sessions_.Lookup({user, other}, Done([this](const auto& found) {
                                  if (found.ok() && found->size() != 2)
                                    world_->Violate("a Lookup that answers too little");
                                }));
      default:
        return sessions_.Claim(lease_, {user}, Done(ignore));
    }
  }

  void List(UserId user) {
    const FriendVersion at_call = world_->friends_.graph().version();
    friends_.List(user, Done([this, at_call](const absl::StatusOr<FriendList>& list) {
                    if (list.ok() && list->version < at_call)
                      world_->Violate("a list older than its call");
                  }));
  }

  void CheckAlive() {
    if (has_crashed_) world_->Violate("news for a node that has crashed");
  }

  SimulatedWorld* const world_;
  const std::uint64_t life_;
  const NodeId id_;
  bool has_crashed_ = false;
  SimulatedNodeClock clock_;
  Time last_now_{-kMaxTimeMs};
  SimulatedTransport transport_;
  SimulatedLocationStore locations_;
  SimulatedFriendStore friends_;
  SimulatedHistoryStore history_;
  SimulatedSessionDirectory sessions_;
  SimulatedRingSource rings_;
  std::unique_ptr<RingSource::Watcher> watcher_;
  RingSource::Ring ring_;
  NodeLease lease_;
  std::uint64_t received_ = 0;
  std::uint64_t received_at_health_ = 0;
  std::size_t healthy_answers_ = 0;
  // By server and channel; they stay where they are.
  std::map<std::pair<std::string, std::uint64_t>, Subscription> subscriptions_;
  std::map<SimulatedWorld::Stream, std::size_t> next_from_;
};

namespace {

SimulatedPubSub::Options SmallServers() {
  SimulatedPubSub::Options options;
  // Few enough that some partition fills it.
  options.max_held = 100;
  return options;
}

}  // namespace

SimulatedWorld::SimulatedWorld(std::uint64_t seed, const SimulatedFaultOptions& options,
                               bool keeps_order)
    : simulation_(seed),
      random_(simulation_.random().Fork()),
      faults_(&simulation_, options),
      stores_clock_(&simulation_),
      servers_(&faults_, SmallServers()),
      locations_backend_(&faults_, SimulatedStore::kLocations),
      friends_backend_(&faults_, SimulatedStore::kFriends),
      history_backend_(&faults_, SimulatedStore::kHistory),
      sessions_backend_(&faults_, SimulatedStore::kSessions),
      locations_(&stores_clock_),
      sessions_(&stores_clock_),
      authority_(&faults_),
      keeps_order_(keeps_order),
      hosts_(kNodes),
      lives_(kNodes) {
  faults_.Add(this);
  for (std::size_t node = 0; node < kNodes; ++node) StartNode(node);
}

SimulatedWorld::~SimulatedWorld() {
  faults_.Remove(this);
  hosts_.clear();
}

void SimulatedWorld::StartNode(std::size_t node) {
  if (hosts_[node] == nullptr) {
    hosts_[node] = std::make_unique<SimulatedHost>(this, node, ++lives_[node]);
  }
}

void SimulatedWorld::CrashNode(std::size_t node) {
  if (hosts_[node] == nullptr) return;
  hosts_[node]->Crash();
  hosts_[node].reset();
  simulation_.After(random_.Between(100, 20'000), [this, node] { StartNode(node); });
}

void SimulatedWorld::BeginFaults() {
  for (std::size_t node = 0; node < kNodes; ++node) {
    if (random_.Chance(0.01)) CrashNode(node);
  }
}

void SimulatedWorld::Heal() {
  for (std::size_t node = 0; node < kNodes; ++node) StartNode(node);
}

void SimulatedWorld::ScheduleNext(std::size_t node) {
  simulation_.After(random_.Between(1, 100), [this, node] {
    if (!is_busy_) return;
    if (hosts_[node] != nullptr) hosts_[node]->Act();
    ScheduleNext(node);
  });
}

void SimulatedWorld::SetNextRing() {
  if (next_ring_ == Rings().size()) return;
  EXPECT_TRUE(authority_.Set(Rings()[next_ring_++]).ok());
}

void SimulatedWorld::Run(std::int64_t duration_ms) {
  is_busy_ = true;
  for (std::size_t node = 0; node < kNodes; ++node) ScheduleNext(node);
  const std::int64_t slice_ms = duration_ms / static_cast<std::int64_t>(Rings().size());
  for (std::size_t slice = 0; slice < Rings().size(); ++slice) {
    SetNextRing();
    EXPECT_TRUE(simulation_.RunFor(slice_ms));
  }
  is_busy_ = false;
}

void SimulatedWorld::Converge() {
  faults_.Quiet();
  // The longest delays of what is under way.
  EXPECT_TRUE(simulation_.RunFor(120'000));
  EXPECT_EQ(servers_.calls_under_way(), 0u);
  for (const SimulatedBackend* const backend :
       {&locations_backend_, &friends_backend_, &history_backend_, &sessions_backend_}) {
    EXPECT_EQ(backend->calls_under_way(), 0u);
  }
  EXPECT_TRUE(authority_.all_know());
  CheckMissed();
  for (const auto& host : hosts_) host->CheckHealth();
  EXPECT_TRUE(simulation_.RunFor(5'000));
  for (const auto& host : hosts_) {
    EXPECT_EQ(host->healthy_answers(), kServers + 2);
    EXPECT_TRUE(host->knows(authority_.ring()));
    for (std::size_t server = 0; server < kServers; ++server) {
      host->Publish(ServerName(server), UserId{0});
    }
  }
  EXPECT_TRUE(simulation_.RunFor(5'000));
  for (const auto& host : hosts_) EXPECT_EQ(host->received_since(), kNodes * kServers);
}

void SimulatedWorld::CheckMissed() {
  for (const auto& [stream, number] : missed_) {
    if (published_[stream][number].is_ok) Violate("a message that a subscriber missed");
  }
}

void SimulatedWorld::Violate(absl::string_view what) {
  if (violation_.empty()) violation_ = absl::StrCat(what, ", at ", simulation_.now().ms, " ms");
}

}  // namespace nearby::test
