#include "examples/phones/life.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "examples/phones/credentials.h"
#include "examples/phones/fleet.h"
#include "examples/phones/walkers.h"
#include "examples/replay/trace_reader.h"
#include "nearby/client_codec.h"
#include "nearby/friend_graph.h"
#include "nearby/ids.h"
#include "nearby/server_codec.h"
#include "nearby/time.h"
#include "nearby/wire_format.h"
#include "tests/phones/fake_network.h"

namespace phones {
namespace {

using nearby::Time;
using nearby::UserId;
using replay::TraceRow;

// Hands out what it is given.
class ScriptedWalkers : public Walkers {
 public:
  void Add(TraceRow::Kind kind, std::uint64_t user, double time_s, std::uint64_t other = 0) {
    TraceRow row;
    row.kind = kind;
    row.user = UserId{user};
    row.other = UserId{other};
    row.time = Time::Millis(static_cast<std::int64_t>(time_s * 1000));
    row.location = {52.5, 13.4};
    rows_.push_back(row);
  }
  void Fail(const absl::Status& status) { status_ = status; }

  absl::Status Read(std::size_t limit, std::vector<TraceRow>* rows) override {
    rows->clear();
    while (rows->size() < limit && !rows_.empty()) {
      rows->push_back(rows_.front());
      rows_.pop_front();
    }
    return rows->size() == limit ? absl::OkStatus() : status_;
  }

 private:
  std::deque<TraceRow> rows_;
  absl::Status status_;
};

class LifeTest : public ::testing::Test {
 protected:
  LifeTest() : fleet_(Fleet::Options(), &network_, &credentials_, &clock_, nullptr) {
    EXPECT_TRUE(friends_.Befriend(UserId{1}, UserId{2}).ok());
    EXPECT_TRUE(friends_.Befriend(UserId{3}, UserId{1}).ok());
  }

  Life MakeLife(const Life::Options& options) {
    return Life(options, &walkers_, &friends_, &fleet_, &clock_);
  }

  void Pass(absl::Duration duration, Life* life) {
    clock_.Pass(duration);
    EXPECT_TRUE(life->Advance().ok());
    fleet_.Advance();
  }

  void GoOnline(std::size_t connection) {
    network_.Open(connection);
    const std::vector<nearby::ClientCall> calls = network_.TakeCalls(connection);
    ASSERT_EQ(calls.size(), 1);
    std::string frame;
    encoder_.EncodeInitAnswer(nearby::WireFormat::kProtobuf, calls[0].request_id, {}, &frame);
    network_.Deliver(connection, frame);
  }

  FakeClock clock_;
  FakeNetwork network_;
  const Credentials credentials_ = Credentials::Insecure();
  nearby::ServerEncoder encoder_;
  ScriptedWalkers walkers_;
  nearby::FriendGraph friends_;
  Fleet fleet_;
};

TEST_F(LifeTest, KeepsItsPace) {
  walkers_.Add(TraceRow::Kind::kReport, 1, 100);
  walkers_.Add(TraceRow::Kind::kReport, 2, 110);
  walkers_.Add(TraceRow::Kind::kReport, 3, 120);
  Life::Options options;
  options.pace = 10;
  Life life = MakeLife(options);
  Pass(absl::ZeroDuration(), &life);
  EXPECT_EQ(fleet_.size(), 1);
  Pass(absl::Milliseconds(999), &life);
  EXPECT_EQ(fleet_.size(), 1);
  EXPECT_EQ(life.lived(), absl::Milliseconds(9990));
  Pass(absl::Milliseconds(1), &life);
  EXPECT_EQ(fleet_.size(), 2);
  Pass(absl::Seconds(1), &life);
  EXPECT_EQ(fleet_.size(), 3);
  EXPECT_TRUE(life.is_over());
  EXPECT_EQ(life.now(), Time::Millis(120'000));
}

TEST_F(LifeTest, GivesPhonesTheirFriends) {
  walkers_.Add(TraceRow::Kind::kReport, 1, 0);
  walkers_.Add(TraceRow::Kind::kReport, 9, 0);
  Life life = MakeLife(Life::Options());
  Pass(absl::ZeroDuration(), &life);
  ASSERT_TRUE(life.Find(UserId{1}).has_value());
  const Phone& phone = fleet_.phone(*life.Find(UserId{1}));
  ASSERT_EQ(phone.friends().size(), 2);
  EXPECT_EQ(phone.friends()[0].friend_id, UserId{2});
  EXPECT_EQ(phone.friends()[1].friend_id, UserId{3});
  EXPECT_EQ(fleet_.phone(*life.Find(UserId{9})).friends().size(), 0);
  EXPECT_FALSE(life.Find(UserId{2}).has_value());
}

TEST_F(LifeTest, ReportsWithThePhonesTime) {
  walkers_.Add(TraceRow::Kind::kReport, 1, 0);
  walkers_.Add(TraceRow::Kind::kReport, 1, 30);
  walkers_.Add(TraceRow::Kind::kReport, 1, 60);
  Life::Options options;
  options.pace = 30;
  Life life = MakeLife(options);
  Pass(absl::ZeroDuration(), &life);
  GoOnline(0);
  Pass(absl::Seconds(1), &life);
  const std::vector<nearby::ClientCall> calls = network_.TakeCalls(0);
  ASSERT_EQ(calls.size(), 1);
  const auto* report = std::get_if<nearby::ReportCall>(&calls[0].call);
  ASSERT_NE(report, nullptr);
  EXPECT_EQ(report->reported_at, clock_.Now());
}

TEST_F(LifeTest, ActsForPhonesAndPassesOverTheRest) {
  walkers_.Add(TraceRow::Kind::kSubscribe, 1, 0, 2);  // has no phone yet
  walkers_.Add(TraceRow::Kind::kReport, 1, 0);
  walkers_.Add(TraceRow::Kind::kUnsubscribe, 1, 1, 2);
  walkers_.Add(TraceRow::Kind::kHide, 1, 1, 2);
  walkers_.Add(TraceRow::Kind::kRadius, 1, 1);
  walkers_.Add(TraceRow::Kind::kDisconnect, 1, 2);
  walkers_.Add(TraceRow::Kind::kReport, 1, 1000);
  Life::Options options;
  options.pace = 1;
  Life life = MakeLife(options);
  Pass(absl::ZeroDuration(), &life);
  GoOnline(0);
  Pass(absl::Seconds(1), &life);
  const std::vector<nearby::ClientCall> calls = network_.TakeCalls(0);
  ASSERT_EQ(calls.size(), 1);
  EXPECT_TRUE(std::holds_alternative<nearby::UnsubscribeCall>(calls[0].call));
  EXPECT_EQ(life.passed_over(), 2);
  EXPECT_FALSE(network_.is_closing(0));
  Pass(absl::Seconds(1), &life);
  EXPECT_TRUE(network_.is_closing(0));
}

TEST_F(LifeTest, HasOnlySoManyPhones) {
  for (const std::uint64_t user : {5, 4, 3}) walkers_.Add(TraceRow::Kind::kReport, user, 0);
  Life::Options options;
  options.phones = 2;
  Life life = MakeLife(options);
  Pass(absl::ZeroDuration(), &life);
  EXPECT_EQ(fleet_.size(), 2);
  EXPECT_FALSE(life.Find(UserId{3}).has_value());
}

TEST_F(LifeTest, EndsInTime) {
  walkers_.Add(TraceRow::Kind::kReport, 1, 0);
  walkers_.Add(TraceRow::Kind::kReport, 1, 1000);
  Life::Options options;
  options.pace = 60;
  options.duration = absl::Minutes(1);
  Life life = MakeLife(options);
  Pass(absl::ZeroDuration(), &life);
  Pass(absl::Milliseconds(999), &life);
  EXPECT_FALSE(life.is_over());
  Pass(absl::Milliseconds(1), &life);
  EXPECT_TRUE(life.is_over());
}

TEST_F(LifeTest, DoesNotRushAfterAPause) {
  for (int i = 0; i < 100; ++i) walkers_.Add(TraceRow::Kind::kReport, 1, 10 * i);
  Life::Options options;
  options.pace = 1;
  Life life = MakeLife(options);
  Pass(absl::ZeroDuration(), &life);
  Pass(absl::Minutes(5), &life);
  EXPECT_EQ(life.now(), Time::Millis(10'000));
  Pass(absl::Seconds(10), &life);
  EXPECT_EQ(life.now(), Time::Millis(20'000));
}

TEST_F(LifeTest, LivesUpToAnError) {
  walkers_.Add(TraceRow::Kind::kReport, 1, 0);
  walkers_.Add(TraceRow::Kind::kReport, 2, 1);
  walkers_.Fail(absl::InvalidArgumentError("trace:3: what is this"));
  Life::Options options;
  options.pace = 1;
  Life life = MakeLife(options);
  Pass(absl::ZeroDuration(), &life);
  clock_.Pass(absl::Seconds(1));
  EXPECT_EQ(life.Advance().message(), "trace:3: what is this");
  EXPECT_EQ(fleet_.size(), 2);
}

}  // namespace
}  // namespace phones
