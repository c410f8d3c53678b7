#ifndef NEARBY_TESTS_ENGINE_ENGINE_FIXTURE_H_
#define NEARBY_TESTS_ENGINE_ENGINE_FIXTURE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/engine.h"

namespace nearby::test {

inline constexpr UserId kAlice{1};
inline constexpr UserId kBob{2};
inline constexpr UserId kCarol{3};
inline constexpr LatLng kHome{48.137, 11.575};
inline constexpr LatLng kNearby{48.138, 11.575};  // 111.2 m to the north
inline constexpr LatLng kFar{49, 11.575};
inline constexpr Time kNow{1'000'000};

constexpr Friendship Friends() { return Friendship{/*friends=*/true}; }
inline FriendEntry EntryFor(UserId user) { return {user, Friends()}; }
inline FriendVersion Version(std::uint64_t version) { return FriendVersion{version}; }

inline bool IsEmpty(const Effects& effects) {
  return effects.deliveries.empty() && effects.answers.empty() && effects.replaced.empty() &&
         effects.friend_requests.empty() && effects.messages.empty() && effects.locations.empty();
}

/// One engine at kNow.
class EngineTest : public ::testing::Test {
 protected:
  EngineTest() { Restart(EngineOptions()); }

  void Restart(const EngineOptions& options) {
    engine_ = *Engine::Create(options);
    ASSERT_TRUE(engine_->Advance(kNow, &effects_).ok());
    effects_.Clear();
  }

  ClientHandle Connect(UserId user, const std::vector<FriendEntry>& friends,
                       std::uint64_t cookie = 0) {
    const ClientHandle client = *engine_->Connect({user, cookie, {}}, &effects_);
    EXPECT_TRUE(engine_->FriendsLoaded(client, Version(1), friends, &effects_).ok());
    effects_.Clear();
    return client;
  }

  ReportOutcome Report(ClientHandle client, LatLng location, Time reported_at = kNow) {
    return engine_->Report({client, location, reported_at}, &effects_);
  }

  /// Alice and Bob in sight of each other.
  void Meet() {
    alice_ = Connect(kAlice, {EntryFor(kBob)}, 71);
    bob_ = Connect(kBob, {EntryFor(kAlice)}, 72);
    ASSERT_EQ(Report(alice_, kHome), ReportOutcome::kAccepted);
    ASSERT_EQ(Report(bob_, kNearby), ReportOutcome::kAccepted);
    ASSERT_EQ(effects_.deliveries.size(), 2u);
    effects_.Clear();
  }

  /// That the last call failed with this code, said why, and had no effects.
  void ExpectRefused(const absl::Status& status, absl::StatusCode code, const char* why) {
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr(why));
    EXPECT_TRUE(IsEmpty(effects_));
    EXPECT_TRUE(engine_->CheckInvariants().ok()) << engine_->CheckInvariants();
  }

  std::unique_ptr<Engine> engine_;
  Effects effects_;
  ClientHandle alice_;
  ClientHandle bob_;
};

}  // namespace nearby::test

#endif  // NEARBY_TESTS_ENGINE_ENGINE_FIXTURE_H_
