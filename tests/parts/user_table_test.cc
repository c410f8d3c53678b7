#include "src/parts/user_table.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "src/parts/slot_bucket.h"
#include "src/parts/user_hash.h"

namespace nearby {
namespace {

TEST(SlotBucketTest, MatchesAreThoseFoundOneByOne) {
  std::mt19937 random(1);
  for (int round = 0; round < 10'000; ++round) {
    SlotBucket bucket;
    // Of few values, so that some tags are there several times, and counts beside them as well.
    for (std::uint8_t& tag : bucket.tags) tag = static_cast<std::uint8_t>(random() % 5 * 63);
    bucket.passed_counts = static_cast<std::uint32_t>(random() % 3 * 0x3F3F3F3F);
    for (const unsigned tag : {0u, 63u, 126u, 189u, 252u, 1u}) {
      std::uint32_t expected = 0;
      for (std::size_t i = 0; i < SlotBucket::kPlaces; ++i) {
        if (bucket.tags[i] == tag) expected |= 1u << i;
      }
      EXPECT_EQ(bucket.Matches(static_cast<std::uint8_t>(tag)), expected);
      EXPECT_EQ(bucket.MatchesOneByOne(static_cast<std::uint8_t>(tag)), expected);
    }
  }
}

TEST(SlotBucketTest, EachGroupHasItsOwnCountWhichStaysAtItsEnd) {
  SlotBucket bucket;
  std::map<std::uint32_t, std::uint32_t> counts;
  std::mt19937 random(2);
  for (int step = 0; step < 2'000; ++step) {
    const auto group = static_cast<std::uint32_t>(random() % SlotBucket::kGroups);
    std::uint32_t& count = counts[group];
    const bool is_counted = count < SlotBucket::kUncounted;
    if (random() % 2 == 0) {
      bucket.CountPassed(group);
      count += is_counted ? 1 : 0;
    } else if (count > 0) {
      bucket.DiscountPassed(group);
      count -= is_counted ? 1 : 0;
    }
    for (std::uint32_t g = 0; g < SlotBucket::kGroups; ++g) ASSERT_EQ(bucket.passed(g), counts[g]);
  }
  EXPECT_EQ(counts.begin()->second, SlotBucket::kUncounted);
}

// The users of slots, as many as a test wants.
struct TestUsers {
  const std::vector<UserId>* users;
  UserId operator()(Slot slot) const { return (*users)[ToInt(slot)]; }
  void Prefetch(Slot /*slot*/) const {}
};

// Hashes of which some bits are the same for all.
struct MaskedHash {
  std::uint64_t mask = 0;
  std::uint64_t fixed = 0;
  UserHash hash = {};
  std::uint64_t operator()(UserId user) const { return (hash(user) & mask) | fixed; }
};

constexpr std::uint64_t kOfTheBucket = 0xFFFFFFFF00000000;
constexpr std::uint64_t kOfTheTag = 0xFF;
constexpr std::uint64_t kOfTheGroup = 0x700;

struct HashCase {
  const char* name;
  MaskedHash hash;
  std::size_t most;  // entries: where all are in each other's way, each step takes as long
};

const HashCase kHashCases[] = {
    {"good", {~std::uint64_t{0}}, 3'000},
    {"all in the first bucket", {~kOfTheBucket}, 600},
    {"all in the last bucket", {~kOfTheBucket, kOfTheBucket}, 600},
    {"a quarter of the buckets", {kOfTheBucket >> 2 | 0xFFFFFFFF}, 1'000},
    {"one tag, that of free places at that", {~kOfTheTag}, 1'000},
    {"one group", {~kOfTheGroup, 0x300}, 1'000},
    {"the longest steps", {~kOfTheGroup, 0x700}, 1'000},
    {"all alike", {0}, 300},
};

// A table beside its oracle. Slots are given as the cache does, latest first.
class Subject {
 public:
  using Table = UserTable<TestUsers, MaskedHash>;

  explicit Subject(const MaskedHash& hash) : table_(TestUsers{&users_}, hash) {}

  Table& table() { return table_; }
  std::size_t size() const { return model_.size(); }
  bool IsFull() const { return (size() + 1) * 5 > table_.bucket_count() * SlotBucket::kPlaces * 4; }

  void Insert(UserId user) {
    if (model_.count(ToInt(user)) != 0) return;
    if (free_.empty()) {
      free_.push_back(Slot{static_cast<std::uint32_t>(users_.size())});
      users_.emplace_back();
    }
    const Slot slot = free_.back();
    free_.pop_back();
    users_[ToInt(slot)] = user;
    table_.Insert(slot);
    model_.emplace(ToInt(user), slot);
    known_.push_back(user);
  }
  // Whoever is the n-th, in an order that erasing changes.
  UserId EraseNth(std::size_t n) {
    const UserId user = std::exchange(known_[n], known_.back());
    known_.pop_back();
    const auto found = model_.find(ToInt(user));
    table_.Erase(found->second);
    free_.push_back(found->second);
    model_.erase(found);
    return user;
  }

  Slot Expected(UserId user) const {
    const auto found = model_.find(ToInt(user));
    return found == model_.end() ? kNoSlot : found->second;
  }
  void ExpectAgreement(const std::vector<UserId>& strangers) {
    ASSERT_EQ(table_.size(), model_.size());
    ASSERT_TRUE(table_.CheckInvariants().ok()) << table_.CheckInvariants();
    std::vector<UserId> asked = known_;
    asked.insert(asked.end(), strangers.begin(), strangers.end());
    std::shuffle(asked.begin(), asked.end(), std::mt19937(3));
    std::vector<Slot> found(asked.size(), kNoSlot);
    std::size_t next = 0;
    table_.FindAll(asked, [&](std::size_t i, Slot slot) {
      ASSERT_GE(i, next) << "not ascending";
      next = i + 1;
      found[i] = slot;
    });
    for (std::size_t i = 0; i < asked.size(); ++i) {
      ASSERT_EQ(table_.Find(asked[i]), Expected(asked[i])) << ToInt(asked[i]);
      ASSERT_EQ(found[i], Expected(asked[i])) << ToInt(asked[i]);
    }
  }

 private:
  std::vector<UserId> users_;
  std::vector<Slot> free_;
  std::vector<UserId> known_;
  std::unordered_map<std::uint64_t, Slot> model_;
  Table table_;
};

std::vector<UserId> Strangers(std::size_t count) {
  std::vector<UserId> strangers;
  for (std::uint64_t i = 0; i < count; ++i) strangers.push_back(UserId{(1ull << 40) + i});
  return strangers;
}

TEST(UserTableTest, AnEmptyTableKnowsNobody) {
  Subject subject({~std::uint64_t{0}});
  subject.ExpectAgreement({UserId{0}, UserId{1}, UserId{~std::uint64_t{0}}});
}

TEST(UserTableTest, TheFirstAndTheLastIdAreUsersLikeOthers) {
  Subject subject({~std::uint64_t{0}});
  const UserId first{0};
  const UserId last{~std::uint64_t{0}};
  subject.Insert(first);
  subject.ExpectAgreement({last});
  subject.Insert(last);
  subject.ExpectAgreement({UserId{1}});
  EXPECT_EQ(subject.EraseNth(0), first);
  subject.ExpectAgreement({first});
  EXPECT_EQ(subject.EraseNth(0), last);
  subject.ExpectAgreement({first, last});
}

TEST(UserTableTest, RandomOperationsAgreeWithAMap) {
  for (const HashCase& hash : kHashCases) {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
      SCOPED_TRACE(absl::StrCat(hash.name, ", seed ", seed));
      std::mt19937_64 random(seed);
      Subject subject(hash.hash);
      for (int step = 0; step < 6'000; ++step) {
        // Grows for a while, then shrinks.
        const bool inserts = random() % 100 < (step / 1'500 % 2 == 0 ? 80u : 30u);
        if (inserts && subject.size() < hash.most) {
          subject.Insert(UserId{random() % 8'000});
        } else if (subject.size() > 0) {
          subject.EraseNth(random() % subject.size());
        }
        if (step % 500 == 0) subject.ExpectAgreement(Strangers(50));
        if (::testing::Test::HasFatalFailure()) return;
      }
      while (subject.size() > 0) subject.EraseNth(random() % subject.size());
      subject.ExpectAgreement(Strangers(50));
    }
  }
}

TEST(UserTableTest, ChurnAtTheHighestLoadLeavesNothingBehind) {
  for (const HashCase& hash : kHashCases) {
    SCOPED_TRACE(hash.name);
    std::mt19937_64 random(9);
    Subject subject(hash.hash);
    std::uint64_t next = 0;
    while (subject.size() < hash.most || !subject.IsFull()) subject.Insert(UserId{next++});
    const std::size_t buckets = subject.table().bucket_count();
    for (std::size_t step = 0; step < 5 * subject.size(); ++step) {
      subject.EraseNth(random() % subject.size());
      subject.Insert(UserId{next++});
    }
    // As full as it can be, and no larger for all that has come and gone.
    EXPECT_EQ(subject.table().bucket_count(), buckets);
    subject.ExpectAgreement(Strangers(200));
    if (::testing::Test::HasFatalFailure()) return;
  }
}

// Half of the users begin at the first bucket, half at the middle one, and go on by the same steps.
TEST(UserTableTest, LookUpsEndThoughEveryBucketHasCeasedToCount) {
  constexpr std::uint64_t kHalf = std::uint64_t{1} << 63;
  Subject subject({kHalf});
  subject.table().Reserve(200);
  for (const std::uint64_t half : {std::uint64_t{0}, kHalf}) {
    for (std::uint64_t user = 0; !subject.IsFull(); ++user) {
      if ((UserHash()(UserId{user}) & kHalf) == half) subject.Insert(UserId{user});
    }
    subject.ExpectAgreement(Strangers(50));
    while (subject.size() > 0) subject.EraseNth(0);
  }
  subject.ExpectAgreement(Strangers(50));
}

TEST(UserTableTest, EverybodyIsFoundAfterEachGrowth) {
  for (const HashCase& hash : kHashCases) {
    SCOPED_TRACE(hash.name);
    Subject subject(hash.hash);
    std::size_t buckets = subject.table().bucket_count();
    for (std::uint64_t user = 0; user < hash.most; ++user) {
      subject.Insert(UserId{user << 24});
      if (subject.table().bucket_count() == buckets) continue;
      EXPECT_LE(subject.table().bucket_count(), buckets * 3 / 2 + 2);
      buckets = subject.table().bucket_count();
      EXPECT_EQ(buckets % 2, 1u);
      subject.ExpectAgreement(Strangers(20));
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

TEST(UserTableTest, WhatHasBeenReservedIsEnough) {
  for (const std::size_t count : {0u, 1u, 7u, 8u, 9u, 100u, 12'345u}) {
    SCOPED_TRACE(count);
    Subject subject({~std::uint64_t{0}});
    subject.table().Reserve(count);
    const std::size_t bytes = subject.table().allocated_bytes();
    EXPECT_LE(bytes, 8 * count + 2 * sizeof(SlotBucket));
    for (std::uint64_t user = 0; user < count; ++user) subject.Insert(UserId{user});
    EXPECT_EQ(subject.table().allocated_bytes(), bytes);
    subject.ExpectAgreement(Strangers(50));
    // To reserve less than there is changes nothing.
    subject.table().Reserve(count / 2);
    EXPECT_EQ(subject.table().allocated_bytes(), bytes);
  }
}

}  // namespace
}  // namespace nearby
