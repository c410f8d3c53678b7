#include "nearby/hash_ring.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/parts/hash_ring_builder.h"

namespace nearby {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::string> Names(const std::vector<const RingSeat*>& seats) {
  std::vector<std::string> names;
  for (const RingSeat* seat : seats) names.push_back(seat->name);
  return names;
}

std::vector<const RingSeat*> OwnersOf(const Ring& ring, UserId channel, std::size_t count) {
  std::vector<const RingSeat*> owners;
  ring->Owners(channel, count, &owners);
  return owners;
}

// The server of each partition, "" for nobody.
std::vector<std::string> Servers(const Ring& ring) {
  std::vector<std::string> servers;
  for (std::uint32_t partition = 0; partition < HashRing::kPartitions; ++partition) {
    const RingSeat* owner = ring->Owner(RingPartition{partition});
    servers.push_back(owner == nullptr ? "" : owner->server);
  }
  return servers;
}

void ExpectInvalid(std::vector<RingSeat> seats, const std::string& message) {
  const auto ring = HashRing::Create(RingVersion{1}, std::move(seats));
  EXPECT_EQ(ring.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(std::string(ring.status().message()), message);
}

TEST(HashRingTest, RefusesWhatIsNoRing) {
  const RingSeat good = MakeSeat("good");
  const std::string longest(255, 'x');
  const std::string too_long(256, 'x');
  ExpectInvalid({good, MakeSeat("")}, "the name of seat 1 is empty");
  ExpectInvalid({good, MakeSeat(too_long)}, "the name of seat 1 has 256 bytes, more than 255");
  ExpectInvalid({{"a", 1, ""}}, "the server of seat \"a\" is empty");
  ExpectInvalid({{"a", 1, too_long}}, "the server of seat \"a\" has 256 bytes, more than 255");
  ExpectInvalid({{"a", 1001, "s"}}, "the weight of seat \"a\" is 1001, more than 1000");
  ExpectInvalid({good, MakeSeat("b\n"), MakeSeat("c"), MakeSeat("b\n")},
                "two seats have the name \"b\\n\"");
  ExpectInvalid(MakeSeats("s", 4097), "the ring has 4097 seats, more than 4096");

  EXPECT_THAT(MakeRing({{longest, 1000, longest}})->seats(), SizeIs(1));
  EXPECT_THAT(MakeRing(MakeSeats("s", 4096))->seats(), SizeIs(4096));
}

TEST(HashRingTest, EmptyRingHasNoOwners) {
  for (const Ring& ring : {MakeRing({}), MakeRing(MakeSeats("idle-", 3, /*weight=*/0))}) {
    EXPECT_TRUE(ring->empty());
    EXPECT_EQ(ring->Owner(UserId{1}), nullptr);
    EXPECT_EQ(ring->Owner(RingPartition{HashRing::kPartitions - 1}), nullptr);
    EXPECT_THAT(OwnersOf(ring, UserId{1}, 3), IsEmpty());
  }
  const Ring idle = MakeRing(MakeSeats("idle-", 3, /*weight=*/0));
  EXPECT_THAT(idle->seats(), SizeIs(3)) << "the seats are kept";
  EXPECT_EQ(idle->share(0), 0);
  EXPECT_EQ(idle->fair_share(0), 0);
}

TEST(HashRingTest, OneSeatOwnsAll) {
  const Ring ring = MakeRing({MakeSeat("only", 1), MakeSeat("idle", 0)}, 77);
  EXPECT_FALSE(ring->empty());
  EXPECT_EQ(ring->version(), RingVersion{77});
  EXPECT_THAT(Servers(ring), ::testing::Each("server of only"));
  ASSERT_EQ(ring->seats()[0].name, "idle") << "in the order of names";
  EXPECT_EQ(ring->partition_count(0), 0u);
  EXPECT_EQ(ring->partition_count(1), HashRing::kPartitions);
  EXPECT_EQ(ring->share(1), 1);
  EXPECT_EQ(ring->fair_share(1), 1);
  EXPECT_THAT(Names(OwnersOf(ring, UserId{5}, 2)), ElementsAre("only"));
}

TEST(HashRingTest, CountsAreThoseOfThePartitions) {
  const Ring ring = MakeRing({MakeSeat("a", 1), MakeSeat("b", 10), MakeSeat("c", 100)});
  std::map<std::string, std::uint32_t> counts;
  for (std::uint32_t partition = 0; partition < HashRing::kPartitions; ++partition) {
    ++counts[ring->Owner(RingPartition{partition})->name];
  }
  for (std::size_t i = 0; i < ring->seats().size(); ++i) {
    EXPECT_EQ(ring->partition_count(i), counts[ring->seats()[i].name]);
    EXPECT_EQ(ring->share(i), double(ring->partition_count(i)) / HashRing::kPartitions);
  }
  EXPECT_EQ(ring->fair_share(1), 10.0 / 111);
}

TEST(HashRingTest, OwnerOfAChannelIsThatOfItsPartition) {
  const Ring ring = MakeRing(MakeSeats("node-", 20));
  std::mt19937_64 random(1);
  for (int i = 0; i < 1000; ++i) {
    const UserId channel{random()};
    EXPECT_LT(ToInt(HashRing::PartitionOf(channel)), HashRing::kPartitions);
    EXPECT_EQ(ring->Owner(channel), ring->Owner(HashRing::PartitionOf(channel)));
  }
  static_assert(HashRing::PartitionOf(UserId{0}) == RingPartition{0});
}

TEST(HashRingTest, OrderOfTheSeatsDoesNotMatter) {
  std::vector<RingSeat> seats = MakeSeats("node-", 40);
  for (std::uint32_t i = 0; i < seats.size(); ++i) seats[i].weight = (i * 83) % 1001;
  const Ring ring = MakeRing(seats);
  std::mt19937_64 random(2);
  for (int i = 0; i < 3; ++i) {
    std::shuffle(seats.begin(), seats.end(), random);
    const Ring shuffled = MakeRing(seats);
    EXPECT_EQ(shuffled->seats(), ring->seats());
    EXPECT_EQ(Servers(shuffled), Servers(ring));
  }
}

TEST(HashRingTest, WeightsMatterByTheirProportionAlone) {
  const Ring ring = MakeRing({MakeSeat("a", 10), MakeSeat("b", 20), MakeSeat("c", 70)});
  const Ring scaled = MakeRing({MakeSeat("a", 100), MakeSeat("b", 200), MakeSeat("c", 700)});
  // Times are rounded to integers, so that a tie may be broken or made; with the quotas' help that
  // concerns hardly a partition.
  EXPECT_LE(Moves(ring, scaled).size(), 2u);
}

TEST(HashRingTest, NamesAreAnyBytes) {
  const std::string with_zero("a\0b", 3);
  const Ring ring = MakeRing({MakeSeat(with_zero), MakeSeat("a"), MakeSeat("\xff\xfe")});
  EXPECT_EQ(ring->seats()[1].name, with_zero);
  EXPECT_EQ(ring->seats()[2].name, "\xff\xfe") << "bytes are compared as unsigned";
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(ring->share(i), 1.0 / 3, 0.003);
}

// --- owners and those who come next ---

TEST(HashRingOwnersTest, BeginWithTheOwnerAndNameEachServerOnce) {
  std::vector<RingSeat> seats = MakeSeats("node-", 30);
  for (std::size_t i = 0; i < seats.size(); ++i) seats[i].server = absl::StrCat("host ", i % 12);
  seats.push_back({"idle", 0, "a host of its own"});
  const Ring ring = MakeRing(seats);
  std::mt19937_64 random(3);
  for (int i = 0; i < 300; ++i) {
    const UserId channel{random()};
    const std::vector<const RingSeat*> all = OwnersOf(ring, channel, 1000);
    ASSERT_THAT(all, SizeIs(12)) << "each server, but not that of the idle seat";
    EXPECT_EQ(all[0], ring->Owner(channel));
    std::set<std::string> servers;
    for (const RingSeat* seat : all) servers.insert(seat->server);
    EXPECT_THAT(servers, SizeIs(12));

    const std::size_t count = random() % 13;
    const std::vector<const RingSeat*> some = OwnersOf(ring, channel, count);
    EXPECT_EQ(some, std::vector<const RingSeat*>(all.begin(), all.begin() + count));
  }
}

TEST(HashRingOwnersTest, AreAppended) {
  const Ring ring = MakeRing(MakeSeats("node-", 3));
  std::vector<const RingSeat*> owners = {nullptr};
  ring->Owners(UserId{1}, 2, &owners);
  ring->Owners(UserId{1}, 1, &owners);
  ASSERT_THAT(owners, SizeIs(4));
  EXPECT_EQ(owners[0], nullptr);
  EXPECT_EQ(owners[1], owners[3]);
  EXPECT_NE(owners[1], owners[2]);
}

TEST(HashRingOwnersTest, NextOneInherits) {
  const std::vector<RingSeat> seats = MakeSeats("node-", 20);
  const Ring before = MakeRing(seats);
  const std::vector<RingSeat> left(seats.begin() + 1, seats.end());
  const Ring after = MakeRing(left);
  std::mt19937_64 random(4);
  int inherited = 0;
  int orphaned = 0;
  int unrelated_changes = 0;
  for (int i = 0; i < 20'000; ++i) {
    const UserId channel{random()};
    const std::vector<std::string> names = Names(OwnersOf(before, channel, 4));
    const std::vector<std::string> names_after = Names(OwnersOf(after, channel, 3));
    if (names[0] == seats[0].name) {
      ++orphaned;
      inherited += static_cast<int>(names_after[0] == names[1]);
    } else {
      // Whoever else goes, the list stays but for the one; only a quota can change the owner.
      std::vector<std::string> rest;
      for (const std::string& name : names) {
        if (name != seats[0].name && rest.size() < 3) rest.push_back(name);
      }
      unrelated_changes += static_cast<int>(names_after != rest);
    }
  }
  EXPECT_GT(orphaned, 800);
  EXPECT_GE(inherited, orphaned * 98 / 100) << "the others had no room";
  EXPECT_LE(unrelated_changes, 20);
}

// --- what differs between two rings ---

TEST(HashRingDifferenceTest, ReplacedServerMovesItsSeatsPartitions) {
  std::vector<RingSeat> seats = MakeSeats("node-", 10);
  const Ring before = MakeRing(seats);
  seats[3].server = "a new one";
  const Ring after = MakeRing(seats, 2);
  const std::vector<PartitionMove> moves = Moves(before, after);
  EXPECT_EQ(moves.size(), before->partition_count(3));
  for (const PartitionMove& move : moves) {
    EXPECT_EQ(move.from, &before->seats()[3]);
    EXPECT_EQ(move.to, &after->seats()[3]);
    EXPECT_EQ(before->Owner(move.partition), move.from);
  }
  EXPECT_TRUE(std::is_sorted(moves.begin(), moves.end(), [](const auto& a, const auto& b) {
    return a.partition < b.partition;
  }));
}

TEST(HashRingDifferenceTest, ComparesServers) {
  const Ring before = MakeRing({{"a", 100, "x"}, {"b", 100, "x"}, {"c", 100, "y"}});
  const Ring same = MakeRing({{"a", 100, "x"}, {"b", 100, "x"}, {"c", 100, "y"}}, 2);
  EXPECT_THAT(Moves(before, same), IsEmpty());
  EXPECT_THAT(Moves(MakeRing({{"a", 100, "x"}}), MakeRing({{"b", 7, "x"}, {"c", 9, "x"}})),
              IsEmpty());
  const Ring swapped = MakeRing({{"a", 100, "y"}, {"b", 100, "x"}, {"c", 100, "x"}}, 3);
  EXPECT_THAT(Moves(before, swapped),
              SizeIs(before->partition_count(0) + before->partition_count(2)));
}

TEST(HashRingDifferenceTest, EmptyRingsOwnersAreNull) {
  const Ring nobody = MakeRing({});
  const Ring idle = MakeRing(MakeSeats("idle-", 2, /*weight=*/0));
  const Ring one = MakeRing({MakeSeat("one")});
  EXPECT_THAT(Moves(nobody, idle), IsEmpty());
  for (const Ring& empty : {nobody, idle}) {
    const std::vector<PartitionMove> filled = Moves(empty, one);
    ASSERT_THAT(filled, SizeIs(HashRing::kPartitions));
    EXPECT_EQ(filled[5].from, nullptr);
    EXPECT_EQ(filled[5].to, &one->seats()[0]);
    const std::vector<PartitionMove> emptied = Moves(one, empty);
    ASSERT_THAT(emptied, SizeIs(HashRing::kPartitions));
    EXPECT_EQ(emptied[5].from, &one->seats()[0]);
    EXPECT_EQ(emptied[5].to, nullptr);
  }
}

std::vector<RingSeat> RandomSeats(std::mt19937_64* random) {
  std::vector<RingSeat> seats;
  for (std::size_t name = 0; name < 12; ++name) {
    if ((*random)() % 3 == 0) continue;
    const std::uint32_t weight = static_cast<std::uint32_t>((*random)() % 5) * 250;
    seats.push_back({absl::StrCat("n", name), weight, absl::StrCat("s", (*random)() % 8)});
  }
  return seats;
}

TEST(HashRingDifferenceTest, AgreesWithBruteForceAndComposes) {
  std::mt19937_64 random(6);
  Ring before = MakeRing(RandomSeats(&random));
  std::vector<std::string> servers = Servers(before);
  for (int i = 0; i < 8; ++i) {
    const Ring after = MakeRing(RandomSeats(&random));
    const std::vector<std::string> servers_after = Servers(after);
    std::vector<std::tuple<std::uint32_t, std::string, std::string>> expected;
    for (std::uint32_t partition = 0; partition < HashRing::kPartitions; ++partition) {
      if (servers[partition] == servers_after[partition]) continue;
      expected.emplace_back(partition, servers[partition], servers_after[partition]);
    }
    std::vector<std::tuple<std::uint32_t, std::string, std::string>> moves;
    for (const PartitionMove& move : Moves(before, after)) {
      moves.emplace_back(ToInt(move.partition), move.from == nullptr ? "" : move.from->server,
                         move.to == nullptr ? "" : move.to->server);
      // A host that follows the differences is always where the newest ring is.
      servers[ToInt(move.partition)] = std::get<2>(moves.back());
    }
    ASSERT_EQ(moves, expected) << "ring " << i;
    ASSERT_EQ(servers, servers_after) << "ring " << i;
    before = after;
  }
}

TEST(HashRingDifferenceTest, IsAppended) {
  std::vector<PartitionMove> moves(3);
  Difference(*MakeRing({}), *MakeRing({MakeSeat("a")}), &moves);
  EXPECT_THAT(moves, SizeIs(3 + HashRing::kPartitions));
}

}  // namespace
}  // namespace nearby
