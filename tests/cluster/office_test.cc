#include "src/cluster/office.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/cluster_options.h"
#include "nearby/cluster_stats.h"
#include "nearby/ids.h"
#include "nearby/node_batch.h"
#include "nearby/node_codec.h"
#include "nearby/session_directory.h"
#include "nearby/time.h"
#include "src/cluster/lease_state.h"

namespace nearby::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

constexpr NodeLease kOther{NodeId{2}, Epoch{22}};
constexpr SessionHolder kOthersSession{kOther, Epoch{5}};

// What became of a fence, and when.
struct Told {
  Time at;
  std::uint64_t user = 0;
  absl::StatusCode code{};

  friend bool operator==(const Told& a, const Told& b) {
    return a.at == b.at && a.user == b.user && a.code == b.code;
  }
};

// A node's office, whose lease holds, and the other node's inbox, which nobody reads.
class OfficeTest : public ::testing::Test {
 protected:
  OfficeTest() {
    options_.node = NodeId{1};
    options_.max_fences = 3;
    options_.max_queries = 4;
    Office::Actions actions;
    actions.begin_lease = [this](std::uint64_t number) { lease_call_ = number; };
    actions.renew_lease = [this](std::uint64_t number, const NodeLease&) { lease_call_ = number; };
    actions.end_lease = [](std::uint64_t, const NodeLease&) {};
    actions.find_ended = [](std::uint64_t, absl::Span<const NodeLease>) {};
    actions.look_up = [this](std::uint64_t number, absl::Span<const UserId> users) {
      look_up_call_ = number;
      asked_.assign(users.begin(), users.end());
    };
    actions.publish = [this](NodeId, absl::string_view payload) {
      NodeBatch batch;
      EXPECT_TRUE(decoder_.Decode(payload, &batch).ok());
      letters_.insert(letters_.end(), batch.events.begin(), batch.events.end());
    };
    actions.lease_begun = [](const NodeLease&) {};
    actions.hand_out = [](const NodeLease&, const NodeEvent&) {};
    actions.apply = [](const NodeLease&, std::uint64_t, const FriendshipChange&) {};
    actions.reload = [](UserId) {};
    office_.emplace(options_, 64 << 10, std::move(actions), &lease_state_);
    Poll();
    office_->OnLease(lease_call_, Epoch{last_life_});
    Poll();
  }

  void Poll() {
    office_->Advance(now_, now_.ms);
    office_->Flush();
  }
  void Pass(std::int64_t ms) {
    now_ = Time{now_.ms + ms};
    Poll();
    office_->OnRenewed(lease_call_, absl::OkStatus());
    Poll();
  }
  // Polls when the office asks to be.
  void PassUntil(Time until) {
    while (now_ < until) {
      Pass(std::max<std::int64_t>(1, std::min(until, office_->next_event()).ms - now_.ms));
    }
  }
  // All who are asked about are connected to the other node, or as it is said.
  void AnswerLookUp(const std::vector<SessionHolder>& holders = {kOthersSession}) {
    office_->OnLookedUp(look_up_call_,
                        std::vector<std::vector<SessionHolder>>(asked_.size(), holders));
    Poll();
  }
  void Fence(std::uint64_t user) {
    office_->Fence({UserId{user}, UserId{user + 1}, {}, FriendVersion{1}},
                   [this](const absl::Status& status) { fenced_.push_back(status.code()); });
    Poll();
  }

  // The directory has ended the one before.
  void BeginAnotherLease() {
    now_ = Time{now_.ms + absl::ToInt64Milliseconds(options_.lease_duration)};
    Poll();
    office_->OnLease(lease_call_, Epoch{++last_life_});
    Poll();
    AnswerLookUp();
  }

  ClusterOptions options_;
  LeaseState lease_state_;
  NodeDecoder decoder_;
  Time now_{1'000'000};
  std::uint64_t lease_call_ = 0;
  std::uint64_t last_life_ = 11;
  std::uint64_t look_up_call_ = 0;
  std::vector<UserId> asked_;
  std::vector<NodeEvent> letters_;
  std::vector<absl::StatusCode> fenced_;
  std::vector<Told> told_;
  std::optional<Office> office_;
};

// A node that is alive, but whose inbox is broken.
TEST_F(OfficeTest, FencesThatTimedOutLeaveNoRoomUntilTheyAreAnswered) {
  for (const std::uint64_t user : {10, 20, 30}) {
    EXPECT_TRUE(office_->may_fence());
    Fence(user);
    AnswerLookUp();
  }
  EXPECT_FALSE(office_->may_fence());
  for (int i = 0; i < 40; ++i) Pass(1'000);
  EXPECT_THAT(fenced_, SizeIs(3));
  EXPECT_EQ(fenced_[0], absl::StatusCode::kDeadlineExceeded);
  EXPECT_FALSE(office_->may_fence()) << "they are not known to be in force";
  EXPECT_EQ(office_->stats().fences_open, 3u);
  // What was stored all the same is not let go of.
  Fence(40);
  AnswerLookUp();
  EXPECT_EQ(office_->stats().fences_open, 4u);
  EXPECT_EQ(letters_.back().user, UserId{40});

  office_->OnEnded(1'000'000, std::vector<NodeLease>{kOther});
  EXPECT_EQ(office_->stats().fences_open, 4u) << "an answer to nothing";
}

TEST_F(OfficeTest, ThereIsRoomAgainWhenTheOtherNodeHasEnded) {
  for (const std::uint64_t user : {10, 20, 30}) {
    Fence(user);
    AnswerLookUp();
  }
  EXPECT_FALSE(office_->may_fence());
  Pass(3'000);  // the directory is asked who has ended
  for (std::uint64_t call = 1; call < 100; ++call) {
    office_->OnEnded(call, std::vector<NodeLease>{kOther});
  }
  Poll();
  EXPECT_TRUE(office_->may_fence());
  EXPECT_THAT(fenced_,
              ElementsAre(absl::StatusCode::kOk, absl::StatusCode::kOk, absl::StatusCode::kOk));
}

// Many at once, of which some are over soon and others have timed out long ago: each of the rest is
// told at its own deadline, in order, by an office that is polled when it asks to be.
TEST_F(OfficeTest, EachFenceTimesOutAtItsDeadlineHoweverManyAreOpen) {
  const std::int64_t timeout_ms =
      absl::ToInt64Milliseconds(2 * options_.lease_duration + options_.call_timeout);
  std::minstd_rand random(1);
  std::vector<Told> expected;
  std::size_t open = 0;
  const Time begun = now_;
  for (std::uint64_t user = 10; open < 400; user += 2) {
    office_->Fence({UserId{user}, UserId{user + 1}, {}, FriendVersion{1}},
                   [this, user](const absl::Status& status) {
                     told_.push_back({now_, user, status.code()});
                   });
    Poll();
    if (random() % 3 == 0) {
      expected.push_back({now_, user, absl::StatusCode::kOk});
      AnswerLookUp({});  // nobody holds a session of either
    } else {
      const Time deadline{now_.ms + timeout_ms};
      expected.push_back({deadline, user, absl::StatusCode::kDeadlineExceeded});
      AnswerLookUp();
      ++open;
    }
    PassUntil(Time{now_.ms + static_cast<std::int64_t>(random() % 200)});
    if (user == 200) BeginAnotherLease();
  }
  EXPECT_GT(now_.ms - begun.ms, 2 * timeout_ms) << "some are to time out while others begin";
  PassUntil(Time{now_.ms + timeout_ms});
  std::stable_sort(expected.begin(), expected.end(),
                   [](const Told& a, const Told& b) { return a.at < b.at; });
  EXPECT_EQ(told_, expected);
  EXPECT_EQ(office_->stats().fences_open, open) << "they are not known to be in force";
}

TEST_F(OfficeTest, AUserIsAskedAboutOnceHoweverOftenTheyAreToBeReloaded) {
  for (int i = 0; i < 1'000; ++i) office_->Reload(UserId{7});
  Poll();
  EXPECT_THAT(asked_, ElementsAre(UserId{7}));
  AnswerLookUp();
  ASSERT_THAT(letters_, SizeIs(1));
  EXPECT_EQ(letters_[0].kind, NodeEvent::Kind::kReload);
  EXPECT_EQ(office_->stats().queries_refused, 0u);
}

TEST_F(OfficeTest, ReloadsPastTheLimitOfQuestionsAreLeftOut) {
  for (std::uint64_t user = 1; user <= 10; ++user) office_->Reload(UserId{user});
  Poll();
  EXPECT_THAT(asked_, SizeIs(4));
  EXPECT_EQ(office_->stats().queries_refused, 6u);
  AnswerLookUp();
  EXPECT_THAT(letters_, SizeIs(4));
}

}  // namespace
}  // namespace nearby::internal
