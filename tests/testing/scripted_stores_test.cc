// That each call of each scripted store reaches the store behind it, and obeys its own script.

#include <cstddef>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/effects.h"
#include "nearby/friendship.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/in_memory_friend_store.h"
#include "nearby/in_memory_history_store.h"
#include "nearby/in_memory_location_store.h"
#include "nearby/testing/scripted_friend_store.h"
#include "nearby/testing/scripted_history_store.h"
#include "nearby/testing/scripted_location_store.h"
#include "nearby/testing/simulated_clock.h"
#include "nearby/time.h"

namespace nearby {
namespace {

using ::testing::ElementsAre;

const UserId kAlice{1};
const UserId kBob{2};
const absl::Status kDown = absl::UnavailableError("down");

AcceptedLocation At(UserId user, std::int64_t ms) {
  return {user, Position::FromLatLng({1, 2}), Time::Millis(ms), Time::Millis(ms)};
}

TEST(ScriptedStoresTest, FriendStore) {
  InMemoryFriendStore behind;
  ScriptedFriendStore store(&behind);
  absl::StatusOr<FriendshipOutcome> outcome;
  const FriendEdit edit{FriendEdit::Kind::kBefriend, kAlice, kBob};
  const auto edit_done = [&](absl::StatusOr<FriendshipOutcome> result) { outcome = result; };
  store.Edit(edit, edit_done);
  ASSERT_TRUE(outcome.ok());
  EXPECT_TRUE(outcome->changed);

  absl::StatusOr<FriendList> list;
  const auto list_done = [&](absl::StatusOr<FriendList> result) { list = result; };
  store.List(kAlice, list_done);
  ASSERT_TRUE(list.ok());
  EXPECT_EQ(list->friends.size(), 1u);
  EXPECT_EQ(list->version, outcome->change.version);

  store.lists().FailNext(1, kDown);
  store.List(kAlice, list_done);
  EXPECT_EQ(list.status(), kDown);
  store.edits().Hold();
  store.Edit(edit, edit_done);
  EXPECT_THAT(store.edits().held(), ElementsAre(ElementsAre(kAlice, kBob)));
  EXPECT_TRUE(outcome->changed) << "not answered yet";
  EXPECT_TRUE(store.edits().ReleaseFor(kBob));
  EXPECT_FALSE(outcome->changed);
}

TEST(ScriptedStoresTest, LocationStore) {
  SimulatedClock clock;
  InMemoryLocationStore behind(&clock);
  ScriptedLocationStore store(&behind);
  absl::Status status = absl::InternalError("not answered");
  const auto done = [&](const absl::Status& result) { status = result; };
  std::size_t found = 0;
  absl::Status read_status;
  const auto read = [&](absl::StatusOr<std::vector<std::optional<AcceptedLocation>>> result) {
    read_status = result.status();
    found = 0;
    if (!result.ok()) return;
    for (const auto& location : *result) found += location.has_value() ? 1 : 0;
  };
  store.Write({At(kAlice, 0), At(kBob, 0)}, absl::Seconds(1), done);
  EXPECT_TRUE(status.ok());
  store.Read({kAlice, kBob, UserId{3}}, read);
  EXPECT_EQ(found, 2u);
  store.Erase({{kBob, Time::Millis(0)}}, done);
  EXPECT_EQ(behind.size(), 1u);
  clock.Advance(absl::Seconds(1));
  store.Read({kAlice}, read);
  EXPECT_EQ(found, 0u) << "the time to live is handed on";

  store.writes().FailNext(1, kDown);
  store.Write({At(kAlice, 5)}, absl::Seconds(1), done);
  EXPECT_EQ(status, kDown);
  store.reads().FailNext(1, kDown);
  store.Read({kAlice}, read);
  EXPECT_EQ(read_status, kDown);
  store.erasures().Hold();
  store.Erase({{kAlice, Time::Millis(9)}, {kBob, Time::Millis(9)}}, done);
  EXPECT_THAT(store.erasures().held(), ElementsAre(ElementsAre(kAlice, kBob)));
  EXPECT_TRUE(store.erasures().ReleaseFor(kBob));
  EXPECT_TRUE(status.ok());
  store.writes().Hold();
  store.Write({At(kBob, 7), At(kAlice, 7)}, absl::Seconds(1), done);
  EXPECT_THAT(store.writes().held(), ElementsAre(ElementsAre(kBob, kAlice)));
}

TEST(ScriptedStoresTest, HistoryStore) {
  InMemoryHistoryStore behind;
  ScriptedHistoryStore store(&behind);
  absl::Status status = absl::InternalError("not answered");
  const auto done = [&](const absl::Status& result) { status = result; };
  absl::StatusOr<std::vector<AcceptedLocation>> found;
  const auto read = [&](absl::StatusOr<std::vector<AcceptedLocation>> result) { found = result; };
  store.Append({At(kAlice, 0), At(kBob, 0)}, done);
  EXPECT_TRUE(status.ok());
  store.Read({kAlice, Time::Millis(0), Time::Millis(1)}, read);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->size(), 1u);

  store.appends().FailNextAfterwards(1, kDown);
  store.Append({At(kBob, 1)}, done);
  EXPECT_EQ(status, kDown);
  EXPECT_EQ(behind.size(), 3u);
  store.appends().Hold();
  store.Append({At(kBob, 2), At(kAlice, 2)}, done);
  EXPECT_THAT(store.appends().held(), ElementsAre(ElementsAre(kBob, kAlice)));
  store.reads().Hold();
  store.Read({kBob, Time::Millis(0), Time::Millis(9)}, read);
  EXPECT_THAT(store.reads().held(), ElementsAre(ElementsAre(kBob)));
  EXPECT_TRUE(store.reads().ReleaseFor(kBob));
  EXPECT_EQ(found->size(), 3u);
}

}  // namespace
}  // namespace nearby
