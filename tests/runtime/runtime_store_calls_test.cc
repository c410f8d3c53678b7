// The calls that a location store and a history get: in which order, one at a time, and what ends
// them.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/runtime.h"
#include "tests/runtime/world.h"

namespace nearby::test {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

// Notes what it is asked to do, and answers when it is told to, and once more if it is told to.
class NotingLocationStore : public LocationStore {
 public:
  void Write(absl::Span<const AcceptedLocation> locations, absl::Duration /*ttl*/,
             Done done) override {
    std::string call = "write";
    for (const AcceptedLocation& location : locations) {
      call += " " + std::to_string(ToInt(location.user)) + "@" +
              std::to_string(location.accepted_at.ms - kStart.ms);
    }
    calls.push_back(call);
    waiting_.push_back(std::move(done));
  }
  void Read(absl::Span<const UserId> /*users*/, ReadDone /*done*/) override {}
  void Erase(absl::Span<const Erasure> erasures, Done done) override {
    std::string call = "erase";
    for (const Erasure& erasure : erasures) {
      call += " " + std::to_string(ToInt(erasure.user)) + "@" +
              std::to_string(erasure.accepted_at.ms - kStart.ms);
    }
    calls.push_back(call);
    waiting_.push_back(std::move(done));
  }

  void Answer(const absl::Status& status) {
    answered_ = std::exchange(waiting_, {});
    AnswerAgain(status);
  }
  void AnswerAgain(const absl::Status& status) {
    for (Done& done : answered_) done(status);
  }
  void AnswerOldest(const absl::Status& status) {
    waiting_.front()(status);
    waiting_.erase(waiting_.begin());
  }

  std::vector<std::string> calls;

 private:
  std::vector<Done> waiting_;
  std::vector<Done> answered_;
};

// The same, of a history.
class NotingHistoryStore : public HistoryStore {
 public:
  void Append(absl::Span<const AcceptedLocation> locations, Done done) override {
    locations_.Write(locations, absl::ZeroDuration(), std::move(done));
  }
  void Read(const Query& /*query*/, ReadDone /*done*/) override {}

  void Answer(const absl::Status& status) { locations_.Answer(status); }
  void AnswerAgain(const absl::Status& status) { locations_.AnswerAgain(status); }
  void AnswerOldest(const absl::Status& status) { locations_.AnswerOldest(status); }
  const std::vector<std::string>& calls() const { return locations_.calls; }

 private:
  NotingLocationStore locations_;
};

class RuntimeStoreCallsTest : public ::testing::Test {
 protected:
  RuntimeStoreCallsTest() {
    RuntimeHost host;
    host.sink = &sink_;
    host.friends = &friends_;
    host.clock = &clock_;
    host.locations = &store_;
    host.history = &history_;
    runtime_ = Runtime::Create({}, std::move(host)).value();
  }

  SessionId Connect(std::uint64_t user) {
    ConnectReply reply;
    ConnectCall call;
    call.user = UserId{user};
    call.cookie = ++last_cookie_;
    call.location = TimedLocation{kHere, clock_.Now()};
    runtime_->Connect(call,
                      reply.DoneAnd([&](const auto&) { sink_.Connected(call.cookie, call.user); }));
    runtime_->PollAll();
    return (*reply)->session;
  }
  void Pass(std::int64_t ms) {
    clock_.Advance(absl::Milliseconds(ms));
    runtime_->PollAll();
  }
  void Answer(const absl::Status& status) {
    store_.Answer(status);
    runtime_->PollAll();
  }

  SimulatedClock clock_{kStart};
  InMemoryFriendStore friends_;
  NotingLocationStore store_;
  NotingHistoryStore history_;
  RecordingClientSink sink_;
  std::uint64_t last_cookie_ = 0;
  std::unique_ptr<Runtime> runtime_;
};

TEST_F(RuntimeStoreCallsTest, AnErasureComesAfterTheWritesBeforeIt) {
  const SessionId session = Connect(1);
  Pass(5);
  runtime_->Disconnect(session);
  runtime_->PollAll();
  EXPECT_THAT(store_.calls, ElementsAre("write 1@0"));
  Answer(absl::OkStatus());
  EXPECT_THAT(store_.calls, ElementsAre("write 1@0", "erase 1@0"));
}

TEST_F(RuntimeStoreCallsTest, AnErasureUnderWayComesBeforeTheWritesAfterIt) {
  const SessionId session = Connect(1);
  Answer(absl::OkStatus());
  runtime_->Disconnect(session);
  Pass(5);
  Connect(1);
  EXPECT_THAT(store_.calls, ElementsAre("write 1@0", "erase 1@0"));
  Answer(absl::OkStatus());
  EXPECT_THAT(store_.calls, ElementsAre("write 1@0", "erase 1@0", "write 1@5"));
}

TEST_F(RuntimeStoreCallsTest, OneWhoIsBackBeforeTheyWereErasedIsNot) {
  // Even within the same millisecond, in which the store could not tell the two apart.
  const SessionId session = Connect(1);
  runtime_->Disconnect(session);
  Connect(1);
  for (int i = 0; i < 5; ++i) Answer(absl::OkStatus());
  EXPECT_THAT(store_.calls, ElementsAre("write 1@0", "write 1@0"));
}

TEST_F(RuntimeStoreCallsTest, WritesAndErasuresTakeTurns) {
  std::vector<SessionId> sessions;
  for (std::uint64_t user = 1; user <= 3; ++user) {
    sessions.push_back(Connect(user));
    Answer(absl::OkStatus());
  }
  store_.calls.clear();
  const auto disconnect = [&](std::size_t i) {
    runtime_->Disconnect(sessions[i]);
    runtime_->PollAll();
  };
  disconnect(0);
  Connect(4);
  disconnect(1);
  Answer(absl::OkStatus());
  EXPECT_THAT(store_.calls, ElementsAre("erase 1@0", "write 4@0"));
  Connect(5);
  disconnect(2);
  Answer(absl::OkStatus());
  Answer(absl::OkStatus());
  EXPECT_THAT(store_.calls, ElementsAre("erase 1@0", "write 4@0", "erase 2@0 3@0", "write 5@0"));
}

TEST_F(RuntimeStoreCallsTest, ErasuresDoNotWaitForAWriteThatIsToBeTriedLater) {
  std::vector<SessionId> sessions = {Connect(1)};
  Answer(absl::OkStatus());
  sessions.push_back(Connect(2));
  Answer(absl::OkStatus());
  Connect(3);
  Answer(absl::UnavailableError("down"));
  for (const SessionId session : sessions) {
    runtime_->Disconnect(session);
    runtime_->PollAll();
    Answer(absl::OkStatus());
  }
  EXPECT_THAT(store_.calls,
              ElementsAre("write 1@0", "write 2@0", "write 3@0", "erase 1@0", "erase 2@0"));
}

TEST_F(RuntimeStoreCallsTest, AWriteThatFailsIsNotRepeatedForOneWhoIsErased) {
  const SessionId session = Connect(1);
  runtime_->Disconnect(session);
  runtime_->PollAll();
  Answer(absl::UnavailableError("down"));
  Answer(absl::OkStatus());
  for (int i = 0; i < 20; ++i) Pass(1'000);
  EXPECT_THAT(store_.calls, ElementsAre("write 1@0", "erase 1@0"));
}

TEST_F(RuntimeStoreCallsTest, AnErasureThatFailsIsNotRepeatedAndHoldsNothingUp) {
  const SessionId session = Connect(1);
  Answer(absl::OkStatus());
  runtime_->Disconnect(session);
  runtime_->PollAll();
  Answer(absl::UnavailableError("down"));
  EXPECT_EQ(runtime_->stats().store_failures, 1u);
  Connect(2);
  EXPECT_THAT(store_.calls, ElementsAre("write 1@0", "erase 1@0", "write 2@0"));
}

TEST_F(RuntimeStoreCallsTest, WhileAnErasureIsUnderWayThereIsNothingToPollFor) {
  const SessionId session = Connect(1);
  Answer(absl::OkStatus());
  runtime_->Disconnect(session);
  runtime_->PollAll();
  Connect(2);
  EXPECT_GT(runtime_->PollAll(), absl::Milliseconds(100)) << "its answer will wake the shard";
  Answer(absl::OkStatus());
  EXPECT_EQ(store_.calls.back(), "write 2@0");
}

TEST_F(RuntimeStoreCallsTest, ASecondAnswerDoesNotEndTheNextCall) {
  Connect(1);
  const SessionId session = Connect(2);
  Answer(absl::OkStatus());
  history_.Answer(absl::OkStatus());
  runtime_->PollAll();
  ASSERT_THAT(store_.calls, ElementsAre("write 1@0", "write 2@0"));
  for (const absl::Status& status : {absl::OkStatus(), absl::UnavailableError("down")}) {
    store_.AnswerAgain(status);
    history_.AnswerAgain(status);
    Connect(3);
    Pass(1'000);
  }
  EXPECT_THAT(store_.calls, ElementsAre("write 1@0", "write 2@0")) << "that one is under way";
  EXPECT_THAT(history_.calls(), SizeIs(2));
  EXPECT_EQ(runtime_->stats().locations_stored, 1u);
  EXPECT_EQ(runtime_->stats().histories_stored, 1u);
  EXPECT_EQ(runtime_->stats().store_failures, 0u);

  // Nor does the answer to a write end an erasure.
  Answer(absl::OkStatus());
  Answer(absl::OkStatus());
  runtime_->Disconnect(session);
  runtime_->PollAll();
  ASSERT_EQ(store_.calls.back(), "erase 2@0");
  const std::size_t calls = store_.calls.size();
  store_.AnswerAgain(absl::OkStatus());
  Connect(4);
  EXPECT_THAT(store_.calls, SizeIs(calls));
}

TEST_F(RuntimeStoreCallsTest, AnAnswerThatComesAfterTheDeadlineIsNotTakenForThatToTheNextCall) {
  Connect(1);
  Pass(10'000);
  Pass(1'000);
  EXPECT_THAT(store_.calls, ElementsAre("write 1@0", "write 1@0"));
  EXPECT_THAT(history_.calls(), ElementsAre("write 1@0", "write 1@0"));
  store_.AnswerOldest(absl::UnavailableError("down"));
  history_.AnswerOldest(absl::UnavailableError("down"));
  runtime_->PollAll();
  EXPECT_EQ(runtime_->stats().store_failures, 2u) << "the two that came too late";
  Answer(absl::OkStatus());
  history_.Answer(absl::OkStatus());
  runtime_->PollAll();
  EXPECT_EQ(runtime_->stats().locations_stored, 1u);
  EXPECT_EQ(runtime_->stats().histories_stored, 1u);
}

}  // namespace
}  // namespace nearby::test
