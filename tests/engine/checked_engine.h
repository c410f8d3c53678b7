#ifndef NEARBY_TESTS_ENGINE_CHECKED_ENGINE_H_
#define NEARBY_TESTS_ENGINE_CHECKED_ENGINE_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "nearby/effects.h"
#include "nearby/engine.h"
#include "nearby/ids.h"
#include "nearby/options.h"
#include "tests/engine/friend_store_model.h"
#include "tests/engine/oracle.h"

namespace nearby::test {

/// One engine for tests that spell out what is done to it. Each call must succeed, deliver what the
/// oracle expects, and leave the invariants intact; a failure is a failure of the test.
class CheckedEngine {
 public:
  explicit CheckedEngine(const EngineOptions& options = {})
      : engine_(Engine::Create(options).value()), oracle_(options) {}

  void Advance(std::int64_t ms) {
    effects_.Clear();
    EXPECT_TRUE(engine_->Advance(Time{ms}, &effects_).ok());
    oracle_.Advance({effects_.deliveries}, Time{ms});
    Check();
  }

  /// A session whose friends have not arrived yet. The cookie is the user's id.
  ClientHandle Connect(std::uint64_t user, std::optional<double> radius_m = std::nullopt) {
    effects_.Clear();
    const ConnectRequest request{UserId{user}, user, radius_m};
    const ClientHandle client = engine_->Connect(request, &effects_).value();
    oracle_.Connect({effects_.deliveries}, request);
    clients_[user] = client;
    Check();
    return client;
  }

  /// A list as of a version; by default the present one.
  void Load(std::uint64_t user, std::optional<FriendVersion> version = std::nullopt) {
    const FriendVersion at = version.value_or(store_.version());
    LoadList(user, at, store_.ListAt(UserId{user}, at));
  }
  void LoadList(std::uint64_t user, FriendVersion version, absl::Span<const FriendEntry> list) {
    effects_.Clear();
    EXPECT_EQ(engine_->FriendsLoaded(client(user), version, list, &effects_), absl::OkStatus());
    const ConnectAnswer* answer = effects_.answers.empty() ? nullptr : effects_.answers.data();
    oracle_.FriendsLoaded({effects_.deliveries, answer}, UserId{user}, version, list);
    Check();
  }

  /// Connect and Load.
  void Join(std::uint64_t user, std::optional<double> radius_m = std::nullopt) {
    Connect(user, radius_m);
    Load(user);
  }

  void Disconnect(std::uint64_t user) {
    effects_.Clear();
    EXPECT_TRUE(engine_->Disconnect(client(user), &effects_).ok());
    clients_.erase(user);
    oracle_.Disconnect({effects_.deliveries}, UserId{user});
    Check();
  }

  /// A report dated by the engine's time, or any other; of any outcome that the oracle agrees with.
  ReportOutcome Report(std::uint64_t user, LatLng location) {
    return Report(user, location, engine_->now());
  }
  ReportOutcome Report(std::uint64_t user, LatLng location, Time reported_at) {
    effects_.Clear();
    const ReportOutcome outcome = engine_->Report({client(user), location, reported_at}, &effects_);
    oracle_.Report({effects_.deliveries}, UserId{user}, {location, reported_at}, outcome);
    Check();
    return outcome;
  }

  void SetRadius(std::uint64_t user, double radius_m) {
    effects_.Clear();
    EXPECT_TRUE(engine_->SetRadius(client(user), radius_m, &effects_).ok());
    oracle_.SetRadius({effects_.deliveries}, UserId{user}, radius_m);
    Check();
  }

  /// Commits a state of the pair, seen from `a`; the engine hears of it with Apply.
  FriendshipChange Commit(std::uint64_t a, std::uint64_t b, const Friendship& friendship) {
    return store_.Commit(UserId{a}, UserId{b}, friendship);
  }
  void Apply(const FriendshipChange& change) {
    effects_.Clear();
    EXPECT_EQ(engine_->Apply(change, &effects_), absl::OkStatus());
    oracle_.Apply({effects_.deliveries}, change);
    Check();
  }
  /// Commit and Apply.
  FriendshipChange Change(std::uint64_t a, std::uint64_t b, const Friendship& friendship) {
    const FriendshipChange change = Commit(a, b, friendship);
    Apply(change);
    return change;
  }

  NearbyPage Nearby(std::uint64_t user, PageToken after, std::size_t page_size) {
    effects_.Clear();
    const absl::StatusOr<NearbyPage> page =
        engine_->Nearby(client(user), after, page_size, &effects_);
    EXPECT_TRUE(page.ok()) << page.status();
    oracle_.Nearby({effects_.deliveries}, UserId{user}, after, page_size, page.value());
    Check();
    return *page;
  }

  /// For calls that this class does not make: they must have delivered nothing.
  void ExpectNothingDelivered() {
    oracle_.Nothing({effects_.deliveries});
    Check();
  }

  ClientHandle client(std::uint64_t user) const {
    const auto found = clients_.find(user);
    return found == clients_.end() ? ClientHandle() : found->second;
  }
  Engine& engine() { return *engine_; }
  FriendStoreModel& store() { return store_; }
  const EngineOracle& oracle() const { return oracle_; }
  /// Of the last call.
  Effects& effects() { return effects_; }

 private:
  void Check() {
    for (const std::string& complaint : oracle_.TakeComplaints()) ADD_FAILURE() << complaint;
    EXPECT_EQ(engine_->CheckInvariants(), absl::OkStatus());
  }

  std::unique_ptr<Engine> engine_;
  EngineOracle oracle_;
  FriendStoreModel store_;
  Effects effects_;
  std::map<std::uint64_t, ClientHandle> clients_;
};

inline constexpr Friendship kFriends{/*friends=*/true};
inline constexpr Friendship kStrangers{};

}  // namespace nearby::test

#endif  // NEARBY_TESTS_ENGINE_CHECKED_ENGINE_H_
