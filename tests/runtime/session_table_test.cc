#include "src/runtime/session_table.h"

#include <cstdint>
#include <map>
#include <random>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "nearby/ids.h"

namespace nearby::internal {
namespace {

constexpr SessionTable::Index kNone = SessionTable::kNone;

ClientHandle Handle(std::uint32_t slot, std::uint32_t generation) {
  return {Slot{slot}, generation};
}

TEST(SessionTableTest, FindsNobodyAtFirst) {
  const SessionTable table;
  EXPECT_EQ(table.Find(ClientHandle()), kNone);
  EXPECT_EQ(table.Find(Handle(0, 0)), kNone);
  EXPECT_EQ(table.Find(Handle(5, 1)), kNone);
  EXPECT_EQ(table.size(), 0u);
}

TEST(SessionTableTest, ASessionIsFoundByItsHandleAlone) {
  SessionTable table;
  const SessionTable::Index index = table.Add(UserId{7}, 77);
  table.Bind(index, Handle(3, 2));
  EXPECT_EQ(table.Find(Handle(3, 2)), index);
  EXPECT_EQ(table.Find(Handle(3, 1)), kNone);
  EXPECT_EQ(table.Find(Handle(2, 2)), kNone);
  EXPECT_EQ(table[index].user, UserId{7});
  EXPECT_EQ(table[index].cookie, 77u);
  EXPECT_EQ(table[index].state, Session::State::kConnecting);
  table.Remove(index);
  EXPECT_EQ(table.Find(Handle(3, 2)), kNone);
  EXPECT_EQ(table.size(), 0u);
}

TEST(SessionTableTest, TheSlotOfAReplacedSessionLeadsToTheNewOne) {
  SessionTable table;
  const SessionTable::Index old_index = table.Add(UserId{7}, 1);
  table.Bind(old_index, Handle(3, 2));
  const SessionTable::Index new_index = table.Add(UserId{7}, 2);
  table.Bind(new_index, Handle(3, 3));
  EXPECT_EQ(table.Find(Handle(3, 2)), kNone);
  EXPECT_EQ(table.Find(Handle(3, 3)), new_index);
  table.Remove(old_index);
  EXPECT_EQ(table.Find(Handle(3, 3)), new_index);
}

TEST(SessionTableTest, ASessionThatWasNeverBoundCanBeRemoved) {
  SessionTable table;
  const SessionTable::Index bound = table.Add(UserId{7}, 1);
  table.Bind(bound, Handle(3, 2));
  table.Remove(table.Add(UserId{8}, 2));
  EXPECT_EQ(table.size(), 1u);
  EXPECT_EQ(table.Find(Handle(3, 2)), bound);
}

TEST(SessionTableTest, APlaceThatIsTakenAgainRemembersNothing) {
  SessionTable table;
  const SessionTable::Index index = table.Add(UserId{7}, 1);
  table.Bind(index, Handle(3, 2));
  table[index].is_busy = true;
  table[index].is_dirty = true;
  table[index].outbox = std::make_unique<Outbox>();
  table.Remove(index);
  ASSERT_EQ(table.Add(UserId{8}, 2), index);
  EXPECT_FALSE(table[index].is_busy);
  EXPECT_FALSE(table[index].is_dirty);
  EXPECT_EQ(table[index].outbox, nullptr);
  EXPECT_EQ(table[index].client, ClientHandle());
  EXPECT_EQ(table.limit(), 1u);
}

TEST(SessionTableTest, RandomComingsAndGoingsAgreeWithAMap) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    std::mt19937_64 random(seed);
    SessionTable table;
    std::map<std::uint32_t, SessionTable::Index> open;  // by slot
    std::map<std::uint32_t, std::uint32_t> generations;
    for (int step = 0; step < 2'000; ++step) {
      const auto slot = static_cast<std::uint32_t>(random() % 50);
      const auto old = open.find(slot);
      if (random() % 3 != 0) {
        // A connect, which may replace.
        const SessionTable::Index index = table.Add(UserId{slot}, step);
        table.Bind(index, Handle(slot, ++generations[slot]));
        if (old != open.end()) table.Remove(old->second);
        open[slot] = index;
      } else if (old != open.end()) {
        table.Remove(old->second);
        open.erase(old);
      }
      ASSERT_EQ(table.size(), open.size());
      for (std::uint32_t s = 0; s < 50; ++s) {
        const auto found = open.find(s);
        ASSERT_EQ(table.Find(Handle(s, generations[s])),
                  found == open.end() ? kNone : found->second);
        ASSERT_EQ(table.Find(Handle(s, generations[s] + 1)), kNone);
      }
    }
  }
}

}  // namespace
}  // namespace nearby::internal
