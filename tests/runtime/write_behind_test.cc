#include "src/runtime/write_behind.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/effects.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/time.h"
#include "src/runtime/backoff.h"

namespace nearby::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

constexpr Time kNow{1'000'000};

AcceptedLocation At(std::uint64_t user, std::int64_t accepted_ms) {
  return {UserId{user}, Position::FromLatLng({1, 2}), Time{accepted_ms}, Time{accepted_ms}};
}

using Batch = std::vector<std::pair<std::uint64_t, std::int64_t>>;  // user, accepted_at

Batch Names(absl::Span<const AcceptedLocation> locations) {
  Batch batch;
  for (const AcceptedLocation& location : locations) {
    EXPECT_TRUE(location.position.is_somewhere());
    batch.emplace_back(ToInt(location.user), location.accepted_at.ms);
  }
  return batch;
}

WriteBehind Make(WriteBehind::Keep keep, std::size_t limit = 100) {
  return {keep, limit, Backoff(absl::Milliseconds(100), absl::Seconds(10), /*seed=*/1)};
}
WriteBehind Newest(std::size_t limit = 100) {
  return Make(WriteBehind::Keep::kNewestOfEachUser, limit);
}
WriteBehind All(std::size_t limit = 100) { return Make(WriteBehind::Keep::kAll, limit); }

TEST(WriteBehindTest, HandsOverWhatHasGathered) {
  WriteBehind writes = All();
  EXPECT_THAT(writes.Begin(kNow), IsEmpty());
  EXPECT_FALSE(writes.is_under_way());
  writes.Add(At(2, 1));
  writes.Add(At(1, 2));
  EXPECT_THAT(Names(writes.Begin(kNow)), ElementsAre(Pair(2, 1), Pair(1, 2)));
  EXPECT_TRUE(writes.is_under_way());
}

TEST(WriteBehindTest, ALogKeepsAllAndAStoreTheNewestOfEachUser) {
  WriteBehind all = All();
  WriteBehind newest = Newest();
  for (WriteBehind* writes : {&all, &newest}) {
    writes->Add(At(1, 1));
    writes->Add(At(2, 2));
    writes->Add(At(1, 3));
  }
  EXPECT_THAT(Names(all.Begin(kNow)), ElementsAre(Pair(1, 1), Pair(2, 2), Pair(1, 3)));
  EXPECT_THAT(Names(newest.Begin(kNow)), ElementsAre(Pair(1, 3), Pair(2, 2)));
}

TEST(WriteBehindTest, OneBatchIsUnderWayAtATime) {
  WriteBehind writes = Newest();
  writes.Add(At(1, 1));
  writes.Begin(kNow);
  writes.Add(At(1, 2));
  EXPECT_THAT(writes.Begin(kNow), IsEmpty());
  EXPECT_EQ(writes.next_attempt(), kNever);
  writes.End(absl::OkStatus(), kNow);
  EXPECT_EQ(writes.stored(), 1u);
  EXPECT_THAT(Names(writes.Begin(kNow)), ElementsAre(Pair(1, 2)));
}

TEST(WriteBehindTest, WhatFailedIsTriedAgainLaterEachTimeBeforeAnythingElse) {
  WriteBehind writes = All();
  writes.Add(At(1, 1));
  Time now = kNow;
  for (std::int64_t least = 100; least <= 1'600; least *= 2) {
    ASSERT_THAT(Names(writes.Begin(now)), ElementsAre(Pair(1, 1)));
    writes.Add(At(2, now.ms));
    writes.End(absl::UnavailableError("down"), now);
    const Time next = writes.next_attempt();
    EXPECT_GE(next.ms - now.ms, least);
    EXPECT_LE(next.ms - now.ms, least + least / 2);
    EXPECT_THAT(writes.Begin(Time{next.ms - 1}), IsEmpty());
    now = next;
  }
  EXPECT_EQ(writes.failures(), 5u);
  writes.Begin(now);
  writes.End(absl::OkStatus(), now);
  EXPECT_EQ(writes.stored(), 1u);
  EXPECT_THAT(writes.Begin(now), SizeIs(5));
}

TEST(WriteBehindTest, AfterASuccessFailuresAreCountedAnew) {
  WriteBehind writes = All();
  writes.Add(At(1, 1));
  Time now = kNow;
  for (int i = 0; i < 5; ++i) {
    writes.Begin(now);
    writes.End(absl::UnavailableError("down"), now);
    now = writes.next_attempt();
  }
  writes.Begin(now);
  writes.End(absl::OkStatus(), now);
  writes.Add(At(1, 2));
  writes.Begin(now);
  writes.End(absl::UnavailableError("down"), now);
  EXPECT_LE(writes.next_attempt().ms - now.ms, 150);
}

TEST(WriteBehindTest, WhatCannotSucceedIsDroppedAndCounted) {
  WriteBehind writes = All();
  writes.Add(At(1, 1));
  writes.Add(At(2, 1));
  writes.Begin(kNow);
  writes.End(absl::InvalidArgumentError("no"), kNow);
  EXPECT_EQ(writes.dropped(), 2u);
  EXPECT_EQ(writes.failures(), 1u);
  EXPECT_EQ(writes.next_attempt(), kNever);
}

TEST(WriteBehindTest, AFullStoreIsNotAskedAgainForTheSameButALogIs) {
  WriteBehind newest = Newest();
  WriteBehind all = All();
  for (WriteBehind* writes : {&newest, &all}) {
    writes->Add(At(1, 1));
    writes->Begin(kNow);
    writes->End(absl::ResourceExhaustedError("full"), kNow);
    writes->Add(At(1, 2));
    EXPECT_THAT(writes->Begin(kNow), IsEmpty()) << "it is given time";
  }
  EXPECT_EQ(newest.dropped(), 1u);
  EXPECT_EQ(all.dropped(), 0u);
  EXPECT_THAT(Names(newest.Begin(newest.next_attempt())), ElementsAre(Pair(1, 2)));
  EXPECT_THAT(Names(all.Begin(all.next_attempt())), ElementsAre(Pair(1, 1)));
}

TEST(WriteBehindTest, ABatchThatFailsTooOftenGivesWayToTheNextAndTheStoreIsStillGivenTime) {
  for (const absl::Status& status : {absl::UnavailableError("down"), absl::InternalError("no")}) {
    WriteBehind writes = All();
    writes.Add(At(1, 1));
    Time now = kNow;
    for (std::uint32_t i = 1; i <= WriteBehind::kMaxAttempts; ++i) {
      EXPECT_EQ(writes.dropped(), 0u);
      ASSERT_THAT(Names(writes.Begin(now)), ElementsAre(Pair(1, 1))) << i;
      if (i == 1) writes.Add(At(2, 2));
      writes.End(status, now);
      EXPECT_GE(writes.next_attempt().ms - now.ms, 100);
      now = writes.next_attempt();
    }
    EXPECT_EQ(writes.dropped(), 1u);
    EXPECT_EQ(writes.failures(), WriteBehind::kMaxAttempts);
    // The next batch has all its attempts, but they do not come any faster.
    for (std::uint32_t i = 1; i <= WriteBehind::kMaxAttempts; ++i) {
      ASSERT_THAT(Names(writes.Begin(now)), ElementsAre(Pair(2, 2))) << i;
      writes.End(status, now);
      if (i == WriteBehind::kMaxAttempts) break;
      EXPECT_GE(writes.next_attempt().ms - now.ms, 10'000);
      now = writes.next_attempt();
    }
    EXPECT_EQ(writes.dropped(), 2u);
    EXPECT_EQ(writes.next_attempt(), kNever);
  }
}

// --- limits ---

// What is handed over, part by part, if all goes well.
std::vector<Batch> AllParts(WriteBehind* writes) {
  std::vector<Batch> parts;
  for (;;) {
    parts.push_back(Names(writes->Begin(kNow)));
    if (parts.back().empty()) return parts;
    writes->End(absl::OkStatus(), kNow);
  }
}

TEST(WriteBehindTest, WhatHasGatheredIsHandedOverInPartsInItsOrder) {
  constexpr std::uint64_t kMost = WriteBehind::kMaxBatch;
  WriteBehind writes = All(3 * kMost);
  Batch added;
  for (std::uint64_t user = 1; user <= 2 * kMost + 10; ++user) {
    writes.Add(At(user, 1));
    added.emplace_back(user, 1);
  }
  const std::vector<Batch> parts = AllParts(&writes);
  EXPECT_THAT(parts, ElementsAre(SizeIs(kMost), SizeIs(kMost), SizeIs(10), IsEmpty()));
  Batch handed_over;
  for (const Batch& part : parts) handed_over.insert(handed_over.end(), part.begin(), part.end());
  EXPECT_EQ(handed_over, added);
}

TEST(WriteBehindTest, WhatWaitsForALaterPartIsStillBroughtUpToDate) {
  constexpr std::uint64_t kMost = WriteBehind::kMaxBatch;
  WriteBehind writes = Newest(3 * kMost);
  for (std::uint64_t user = 1; user <= kMost + 4; ++user) writes.Add(At(user, 1));
  writes.Drop(UserId{1});
  EXPECT_EQ(Names(writes.Begin(kNow)).back(), std::make_pair(kMost + 1, std::int64_t{1}))
      << "those who are gone take no place";
  writes.Add(At(kMost + 3, 2));
  writes.Add(At(2, 2));
  writes.Drop(UserId{kMost + 2});
  writes.Add(At(1, 2));
  writes.Add(At(1, 3));
  writes.End(absl::OkStatus(), kNow);
  EXPECT_THAT(AllParts(&writes), ElementsAre(ElementsAre(Pair(kMost + 3, 2), Pair(kMost + 4, 1),
                                                         Pair(2, 2), Pair(1, 3)),
                                             IsEmpty()));
}

TEST(WriteBehindTest, PastTheLimitTheNewestAreDroppedAndCounted) {
  WriteBehind writes = All(3);
  for (std::int64_t i = 1; i <= 5; ++i) writes.Add(At(1, i));
  EXPECT_EQ(writes.dropped(), 2u);
  EXPECT_THAT(Names(writes.Begin(kNow)), ElementsAre(Pair(1, 1), Pair(1, 2), Pair(1, 3)));
  writes.Add(At(1, 6));
  EXPECT_EQ(writes.dropped(), 3u) << "what is under way counts";
  writes.End(absl::OkStatus(), kNow);
  writes.Add(At(1, 7));
  EXPECT_THAT(Names(writes.Begin(kNow)), ElementsAre(Pair(1, 7)));
}

TEST(WriteBehindTest, PastTheLimitThoseWhoWaitAreStillBroughtUpToDate) {
  WriteBehind writes = Newest(2);
  writes.Add(At(1, 1));
  writes.Add(At(2, 1));
  writes.Add(At(3, 1));
  writes.Add(At(1, 2));
  EXPECT_EQ(writes.dropped(), 1u);
  EXPECT_THAT(Names(writes.Begin(kNow)), ElementsAre(Pair(1, 2), Pair(2, 1)));
}

// --- users who are gone ---

TEST(WriteBehindTest, WhatWaitsOfAUserWhoIsGoneIsNotWritten) {
  WriteBehind writes = Newest();
  writes.Add(At(1, 1));
  writes.Add(At(2, 1));
  writes.Drop(UserId{1});
  writes.Drop(UserId{7});
  EXPECT_THAT(Names(writes.Begin(kNow)), ElementsAre(Pair(2, 1)));
}

TEST(WriteBehindTest, AUserWhoComesBackIsWrittenOnceWithTheNewest) {
  WriteBehind writes = Newest();
  writes.Add(At(1, 1));
  writes.Drop(UserId{1});
  writes.Add(At(1, 2));
  writes.Add(At(1, 3));
  EXPECT_THAT(Names(writes.Begin(kNow)), ElementsAre(Pair(1, 3)));
}

TEST(WriteBehindTest, ABatchThatFailedIsNotRepeatedForAUserWhoIsGone) {
  WriteBehind writes = Newest();
  writes.Add(At(1, 1));
  writes.Add(At(2, 1));
  writes.Begin(kNow);
  writes.End(absl::UnavailableError("down"), kNow);
  writes.Drop(UserId{1});
  EXPECT_THAT(Names(writes.Begin(writes.next_attempt())), ElementsAre(Pair(2, 1)));
}

TEST(WriteBehindTest, NorIfTheUserWentWhileItWasUnderWay) {
  WriteBehind writes = Newest();
  writes.Add(At(1, 1));
  writes.Add(At(2, 1));
  writes.Begin(kNow);
  writes.Drop(UserId{1});
  writes.Add(At(1, 5));
  writes.End(absl::UnavailableError("down"), kNow);
  const Time next = writes.next_attempt();
  EXPECT_THAT(Names(writes.Begin(next)), ElementsAre(Pair(2, 1)));
  writes.End(absl::OkStatus(), next);
  // What came after they had gone, and come back, is another matter.
  EXPECT_THAT(Names(writes.Begin(next)), ElementsAre(Pair(1, 5)));
}

TEST(WriteBehindTest, AUserWhoWentWhileABatchSucceededIsNotHeldAgainstTheNextOne) {
  WriteBehind writes = Newest();
  writes.Add(At(1, 1));
  writes.Begin(kNow);
  writes.Drop(UserId{1});
  writes.Add(At(1, 5));
  writes.End(absl::OkStatus(), kNow);
  writes.Begin(kNow);
  writes.End(absl::UnavailableError("down"), kNow);
  EXPECT_THAT(Names(writes.Begin(writes.next_attempt())), ElementsAre(Pair(1, 5)));
}

TEST(WriteBehindTest, HoweverManyComeAndGoThoseOfTheBatchAreRemembered) {
  WriteBehind writes = Newest();
  for (std::uint64_t user = 1; user <= 3; ++user) writes.Add(At(user, 1));
  writes.Begin(kNow);
  writes.Drop(UserId{2});
  for (std::uint64_t user = 1'000; user < 2'000; ++user) writes.Drop(UserId{user});
  writes.Drop(UserId{3});
  writes.End(absl::UnavailableError("down"), kNow);
  EXPECT_THAT(Names(writes.Begin(writes.next_attempt())), ElementsAre(Pair(1, 1)));
}

TEST(WriteBehindTest, HoweverManyComeAndGoBetweenTwoAttemptsThoseOfTheBatchAreRemembered) {
  WriteBehind writes = Newest();
  for (std::uint64_t user = 1; user <= 3; ++user) writes.Add(At(user, 1));
  writes.Begin(kNow);
  writes.End(absl::UnavailableError("down"), kNow);
  writes.Drop(UserId{2});
  for (std::uint64_t user = 1'000; user < 2'000; ++user) writes.Drop(UserId{user});
  writes.Drop(UserId{3});
  EXPECT_THAT(Names(writes.Begin(writes.next_attempt())), ElementsAre(Pair(1, 1)));
}

TEST(WriteBehindTest, ABatchOfUsersWhoAreAllGoneGivesWayToTheNext) {
  WriteBehind writes = Newest();
  writes.Add(At(1, 1));
  writes.Begin(kNow);
  writes.End(absl::UnavailableError("down"), kNow);
  const Time next = writes.next_attempt();
  writes.Drop(UserId{1});
  EXPECT_EQ(writes.next_attempt(), next) << "a disconnect must not search the batch";
  EXPECT_THAT(writes.Begin(next), IsEmpty());
  EXPECT_FALSE(writes.is_under_way());
  EXPECT_EQ(writes.next_attempt(), kNever);
  writes.Add(At(2, 2));
  EXPECT_THAT(Names(writes.Begin(Time{kNow.ms + 1'000})), ElementsAre(Pair(2, 2)));
}

}  // namespace
}  // namespace nearby::internal
