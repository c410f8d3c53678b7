#include "examples/replay/replayer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "nearby/effects.h"
#include "nearby/ids.h"
#include "nearby/time.h"

namespace replay {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr nearby::UserId kAlice{1};
constexpr nearby::UserId kBob{2};

TraceRow Row(TraceRow::Kind kind, std::int64_t ms, nearby::UserId user) {
  TraceRow row;
  row.kind = kind;
  row.time = nearby::Time{ms};
  row.user = user;
  return row;
}

TraceRow Report(std::int64_t ms, nearby::UserId user) {
  return Row(TraceRow::Kind::kReport, ms, user);
}

class ReplayerTest : public ::testing::Test {
 protected:
  ReplayerTest() : replayer_(*Replayer::Create({})) {
    EXPECT_TRUE(replayer_->graph().Befriend(kAlice, kBob).ok());
  }

  // "time subscriber friend kind", each.
  std::vector<std::string> Take() {
    std::vector<std::string> events;
    for (const nearby::Delivery* event : replayer_->TakeEvents()) {
      events.push_back(absl::StrCat(event->time.ms, " ", nearby::ToInt(event->subscriber), " ",
                                    nearby::ToInt(event->friend_id), " ",
                                    nearby::ToString(event->kind)));
    }
    return events;
  }

  std::unique_ptr<Replayer> replayer_;
};

TEST_F(ReplayerTest, HoldsEventsBackUntilTheirMillisecondIsOver) {
  EXPECT_EQ(replayer_->now(), nearby::kNever);
  EXPECT_EQ(replayer_->Run({Report(5, kBob), Report(5, kAlice)}).status, absl::OkStatus());
  EXPECT_EQ(replayer_->now(), nearby::Time{5});
  EXPECT_THAT(Take(), IsEmpty());
  EXPECT_EQ(replayer_->Run({Report(5, kBob)}).status, absl::OkStatus());
  EXPECT_THAT(Take(), IsEmpty());
  EXPECT_EQ(replayer_->Run({Report(6, kBob)}).status, absl::OkStatus());
  EXPECT_THAT(Take(), ElementsAre("5 1 2 enter", "5 1 2 move", "5 2 1 enter"));
  EXPECT_EQ(replayer_->Finish(), absl::OkStatus());
  EXPECT_THAT(Take(), ElementsAre("6 1 2 move", "600005 1 1 reset", "600005 2 1 leave",
                                  "600006 2 2 reset"));
  EXPECT_THAT(Take(), IsEmpty());

  const ReplayStats stats = replayer_->stats();
  EXPECT_EQ(stats.rows, 4u);
  EXPECT_EQ(stats.users, 2u);
  EXPECT_EQ(stats.friendships, 1u);
  EXPECT_EQ(stats.events, 5u);
  EXPECT_EQ(stats.engine.reports_accepted, 4u);
  EXPECT_EQ(stats.engine.resets, 2u);
  EXPECT_GT(stats.wall, absl::ZeroDuration());
}

TEST_F(ReplayerTest, TellsWhoCountsThatADisconnectedUserSeesNobody) {
  const Replayer::Progress progress = replayer_->Run(
      {Report(5, kAlice), Report(5, kBob), Row(TraceRow::Kind::kDisconnect, 6, kAlice),
       Row(TraceRow::Kind::kDisconnect, 6, kAlice), Report(7, kBob)});
  EXPECT_EQ(progress.status, absl::OkStatus());
  EXPECT_EQ(progress.rows, 5u);
  EXPECT_THAT(Take(), ElementsAre("5 1 2 enter", "5 2 1 enter", "6 1 1 reset", "6 2 1 leave"));
  EXPECT_EQ(replayer_->stats().events, 3u);
}

TEST_F(ReplayerTest, StopsAtTheRowThatCannotBeCarriedOut) {
  TraceRow radius = Row(TraceRow::Kind::kRadius, 6, kAlice);
  radius.radius_m = -1;
  const Replayer::Progress progress = replayer_->Run({Report(5, kAlice), radius, Report(7, kBob)});
  EXPECT_EQ(progress.status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(progress.rows, 1u);
  EXPECT_EQ(replayer_->stats().rows, 1u);
}

TEST_F(ReplayerTest, StopsWhenMuchHasGathered) {
  std::vector<TraceRow> rows = {Report(0, kAlice)};
  for (int i = 0; i < 100'000; ++i) rows.push_back(Report(i, kBob));
  const Replayer::Progress first = replayer_->Run(rows);
  EXPECT_EQ(first.status, absl::OkStatus());
  EXPECT_LT(first.rows, rows.size());
  const std::size_t taken = Take().size();
  const Replayer::Progress second = replayer_->Run(absl::MakeConstSpan(rows).subspan(first.rows));
  EXPECT_EQ(first.rows + second.rows, rows.size());
  EXPECT_EQ(replayer_->Finish(), absl::OkStatus());
  // Two enters, a move for each report of Bob's but the first, a leave, and two resets.
  EXPECT_EQ(taken + Take().size(), 2u + 99'999u + 1u + 2u);
}

TEST_F(ReplayerTest, FinishesWhereNothingHappened) {
  EXPECT_EQ(replayer_->Finish(), absl::OkStatus());
  EXPECT_THAT(Take(), IsEmpty());
}

TEST(ReplayerCreate, RefusesOptionsOutOfRange) {
  Replayer::Options options;
  options.shards = 65;
  EXPECT_EQ(Replayer::Create(options).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace replay
