#ifndef NEARBY_TESTS_ENGINE_PARKING_FIXTURE_H_
#define NEARBY_TESTS_ENGINE_PARKING_FIXTURE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "nearby/effects.h"
#include "nearby/engine.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/options.h"
#include "nearby/time.h"
#include "tests/engine/raw_cluster.h"

namespace nearby::test {

using Kind = PeerMessage::Kind;

// At home on different shards of two.
inline constexpr UserId kAlice{1};
inline constexpr UserId kBob{3};
static_assert(HomeShard(kAlice, 2) == ShardId{1} && HomeShard(kBob, 2) == ShardId{0});

inline constexpr double kApart = 60'000;
inline constexpr double kWalk = 0.0249;  // just within the class of speed that users begin with
inline constexpr std::int64_t kReportMs = 30'000;
inline constexpr double kMetersPerDegree = kEarthRadiusMeters * 3.14159265358979323846 / 180;

inline LatLng North(double meters) { return {meters / kMetersPerDegree, 0}; }

/// Several engines whose messages are carried when the test says so, and their clients.
class Shards {
 public:
  explicit Shards(const EngineOptions& options = {}, std::uint32_t count = 2)
      : cluster_(RawCluster::Create(options, count).value()) {
    AdvanceBy(0);
  }

  Engine& engine_of(UserId user) { return cluster_.engine(cluster_.home(user)); }
  std::int64_t now_ms() const { return now_ms_; }

  void AdvanceBy(std::int64_t ms) {
    now_ms_ += ms;
    for (std::uint32_t shard = 0; shard < cluster_.size(); ++shard) {
      EXPECT_TRUE(cluster_.engine(shard).Advance(Time{now_ms_}, &effects_).ok());
      Take();
    }
  }

  void Connect(UserId user, std::optional<double> radius_m = std::nullopt) {
    clients_[user] = engine_of(user).Connect({user, 0, radius_m}, &effects_).value();
  }
  void Join(UserId user, const std::vector<FriendEntry>& friends,
            std::optional<double> radius_m = std::nullopt) {
    Connect(user, radius_m);
    Load(user, friends);
  }
  void Load(UserId user, const std::vector<FriendEntry>& friends) {
    EXPECT_TRUE(
        engine_of(user).FriendsLoaded(clients_[user], FriendVersion{1}, friends, &effects_).ok());
    effects_.friend_requests.clear();
    Take();
  }
  void Disconnect(UserId user) {
    EXPECT_TRUE(engine_of(user).Disconnect(clients_[user], &effects_).ok());
    clients_.erase(user);
    Take();
  }
  bool is_connected(UserId user) const { return clients_.count(user) > 0; }
  void SetRadius(UserId user, double meters) {
    EXPECT_TRUE(engine_of(user).SetRadius(clients_[user], meters, &effects_).ok());
    Take();
  }
  void Report(UserId user, LatLng location) {
    EXPECT_EQ(engine_of(user).Report({clients_[user], location, Time{now_ms_}}, &effects_),
              ReportOutcome::kAccepted);
    Take();
  }
  void Report(UserId user, double meters) { Report(user, North(meters)); }

  /// Carries one message, the head of the `choice`-th queue; false if there is none.
  bool CarryOne(std::size_t choice = 0) {
    const std::optional<PeerMessage> message = cluster_.TakeMessage(choice);
    if (!message) return false;
    Receive(*message);
    return true;
  }
  void Carry() {
    while (CarryOne()) {
    }
  }
  /// Carries up to so many, those to one shard by one call.
  void CarryTogether(std::size_t count, std::mt19937_64* random) {
    std::map<ShardId, std::vector<PeerMessage>> by_shard;
    for (; count > 0; --count) {
      const std::optional<PeerMessage> message = cluster_.TakeMessage((*random)());
      if (message) by_shard[message->to].push_back(*message);
    }
    for (const auto& [shard, messages] : by_shard) {
      cluster_.engine(ToInt(shard)).Receive(messages, &effects_);
      Take();
    }
  }
  void Receive(const PeerMessage& message) {
    cluster_.engine(ToInt(message.to)).Receive({&message, 1}, &effects_);
    Take();
  }
  /// From now on one in eight reports of users elsewhere is lost, as in a mailbox that is full.
  void LoseSome(bool on) { loses_some_ = on; }
  std::optional<PeerMessage> TakeMessage() { return cluster_.TakeMessage(0); }
  bool has_messages() const { return cluster_.has_messages(); }

  bool Sees(UserId viewer, UserId owner) {
    return engine_of(viewer).InSight(clients_[viewer], owner).has_value();
  }
  /// What has been delivered since this was last asked.
  std::vector<std::string> deliveries() { return std::exchange(deliveries_, {}); }
  /// Messages of a kind sent since this was last asked.
  int sent(Kind kind) { return std::exchange(sent_[kind], 0); }

  EngineStats stats() {
    EngineStats sum;
    for (std::uint32_t shard = 0; shard < cluster_.size(); ++shard) {
      sum += cluster_.engine(shard).stats();
    }
    return sum;
  }
  void CheckInvariants() {
    for (std::uint32_t shard = 0; shard < cluster_.size(); ++shard) {
      EXPECT_EQ(cluster_.engine(shard).CheckInvariants(), absl::OkStatus());
    }
  }

 private:
  void Take() {
    std::vector<PeerMessage> kept;
    for (const PeerMessage& message : effects_.messages) {
      ++sent_[message.kind];
      const bool is_lost = loses_some_ && message.kind == Kind::kLocation && ++locations_ % 8 == 0;
      if (!is_lost) kept.push_back(message);
    }
    effects_.messages.clear();
    cluster_.Enqueue(&kept);
    for (const Delivery& delivery : effects_.deliveries) {
      deliveries_.push_back(absl::StrCat(ToString(delivery.kind), " ", ToInt(delivery.subscriber),
                                         " ", ToInt(delivery.friend_id), " ",
                                         (delivery.distance_mm + 500) / 1000, " m"));
    }
    effects_.Clear();
  }

  RawCluster cluster_;
  std::int64_t now_ms_ = 1'000'000;
  std::map<UserId, ClientHandle> clients_;
  Effects effects_;
  std::vector<std::string> deliveries_;
  std::map<Kind, int> sent_;
  bool loses_some_ = false;
  int locations_ = 0;
};

class ParkingTest : public ::testing::Test {
 protected:
  // Alice and Bob far apart, both channels parked.
  void Begin(const EngineOptions& options = {}, double apart_m = kApart) {
    bob_m_ = apart_m;
    shards_.emplace(options);
    shards_->Join(kAlice, {{kBob, {true}}});
    shards_->Join(kBob, {{kAlice, {true}}});
    shards_->Carry();
    shards_->Report(kAlice, 0.0);
    shards_->Report(kBob, bob_m_);
    shards_->Carry();
    for (const UserId user : {kAlice, kBob}) {
      shards_->Report(user, user == kAlice ? 0 : bob_m_);
      shards_->Carry();
    }
    EXPECT_GE(shards_->sent(Kind::kPark), 2);
    shards_->sent(Kind::kLocation);
  }

  Shards& shards() { return *shards_; }

  // Alice walks north; Bob stays. Both report.
  void Walk(std::int64_t ms) {
    shards_->AdvanceBy(ms);
    shards_->Report(kBob, bob_m_);
    shards_->Carry();
    alice_m_ += kWalk * static_cast<double>(ms);
    shards_->Report(kAlice, alice_m_);
  }

  // The next message of a kind; the others are lost.
  std::optional<PeerMessage> Next(Kind kind) {
    for (;;) {
      std::optional<PeerMessage> message = shards_->TakeMessage();
      if (!message || message->kind == kind) return message;
    }
  }

  std::optional<Shards> shards_;
  double alice_m_ = 0;
  double bob_m_ = kApart;
};

}  // namespace nearby::test

#endif  // NEARBY_TESTS_ENGINE_PARKING_FIXTURE_H_
