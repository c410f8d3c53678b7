// A session directory for each clause that keeps all but that one: the suite must say which.

#include "nearby/testing/session_directory_conformance.h"

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/ids.h"
#include "nearby/in_memory_session_directory.h"
#include "nearby/session_directory.h"
#include "nearby/testing/simulated_clock.h"
#include "nearby/time.h"
#include "tests/conformance/failed_clauses.h"
#include "tests/conformance/flawed_calls.h"

namespace nearby {
namespace {

using test::CallFlaw;

enum class Flaw {
  kNone,
  kKeepsSpans,
  kLooksBeforeItClaims,
  kEndsTheLifeBefore,
  kLeasesLastTwice,
  kTellsTheReplaced,
  kReleasesWhatever,
  kAnswersBackward,
  kKnowsNoStrangers,
  kAddsBeforeItFails,
  kLooksUpSome,
};

class FlawedSessionDirectory : public SessionDirectory {
 public:
  FlawedSessionDirectory(std::shared_ptr<test::FlawedCalls> calls, const Clock* clock, Flaw flaw)
      : calls_(std::move(calls)), flaw_(flaw), directory_(clock) {}
  ~FlawedSessionDirectory() override { calls_->End(); }

  void BeginLease(NodeId node, absl::Duration duration, LeaseDone done) override {
    calls_->Do(std::move(done), [=](LeaseDone answer) {
      directory_.BeginLease(node, Lasting(duration), [&](absl::StatusOr<Epoch> life) {
        if (flaw_ == Flaw::kEndsTheLifeBefore && life.ok()) EndLifeBefore({node, *life});
        answer(life);
      });
    });
  }
  void RenewLease(const NodeLease& lease, absl::Duration duration, Done done) override {
    calls_->Do(std::move(done), [=](Done answer) {
      directory_.RenewLease(lease, Lasting(duration), std::move(answer));
    });
  }
  void EndLease(const NodeLease& lease, Done done) override {
    calls_->Do(std::move(done),
               [=](Done answer) { directory_.EndLease(lease, std::move(answer)); });
  }
  void Claim(const NodeLease& lease, absl::Span<const UserId> users, ClaimDone done) override {
    calls_->Do(std::move(done), [=, copy = Copy(users)](ClaimDone answer) {
      ClaimNow(lease, flaw_ == Flaw::kKeepsSpans ? users : copy, std::move(answer));
    });
  }
  void Release(const NodeLease& lease, absl::Span<const Session> sessions, Done done) override {
    calls_->Do(std::move(done), [=, copy = Copy(sessions)](Done answer) mutable {
      if (flaw_ == Flaw::kReleasesWhatever) {
        for (Session& session : copy) session.epoch = EpochOf(lease, session.user);
      }
      directory_.Release(lease, copy, std::move(answer));
    });
  }
  void Lookup(absl::Span<const UserId> users, LookupDone done) override {
    calls_->Do(std::move(done), [=, copy = Copy(users)](LookupDone answer) mutable {
      if (flaw_ == Flaw::kLooksUpSome) copy.resize(std::min(copy.size(), kMaxBatch));
      directory_.Lookup(copy, [&](absl::StatusOr<std::vector<std::vector<SessionHolder>>> found) {
        if (flaw_ == Flaw::kAnswersBackward && found.ok())
          std::reverse(found->begin(), found->end());
        answer(std::move(found));
      });
    });
  }
  void FindEnded(absl::Span<const NodeLease> leases, EndedDone done) override {
    calls_->Do(std::move(done), [=, copy = Copy(leases)](EndedDone answer) mutable {
      if (flaw_ == Flaw::kKnowsNoStrangers && copy.size() > 1) copy.resize(2);
      directory_.FindEnded(copy, std::move(answer));
    });
  }
  std::size_t max_holders() const override { return directory_.max_holders(); }

 private:
  template <typename T>
  static std::vector<T> Copy(absl::Span<const T> span) {
    return {span.begin(), span.end()};
  }
  absl::Duration Lasting(absl::Duration duration) const {
    return flaw_ == Flaw::kLeasesLastTwice ? 2 * duration : duration;
  }

  void EndLifeBefore(const NodeLease& lease);
  Epoch EpochOf(const NodeLease& lease, UserId user);
  std::vector<SessionHolder> HoldersOf(UserId user);
  void ClaimNow(const NodeLease& lease, absl::Span<const UserId> users, ClaimDone done);
  void Alter(const NodeLease& lease, std::vector<SessionHolder> before, Claimed& claimed) const;

  std::shared_ptr<test::FlawedCalls> calls_;
  const Flaw flaw_;
  InMemorySessionDirectory directory_;
  std::mutex mutex_;
  std::map<NodeId, NodeLease> latest_;
};

void FlawedSessionDirectory::EndLifeBefore(const NodeLease& lease) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto [it, is_first] = latest_.try_emplace(lease.node, lease);
  if (!is_first) directory_.EndLease(it->second, [](const absl::Status&) {});
  it->second = lease;
}

std::vector<SessionHolder> FlawedSessionDirectory::HoldersOf(UserId user) {
  std::vector<SessionHolder> holders;
  directory_.Lookup({user}, [&](auto found) { holders = found->front(); });
  return holders;
}

Epoch FlawedSessionDirectory::EpochOf(const NodeLease& lease, UserId user) {
  for (const SessionHolder& holder : HoldersOf(user)) {
    if (holder.lease == lease) return holder.epoch;
  }
  return Epoch{};
}

void FlawedSessionDirectory::ClaimNow(const NodeLease& lease, absl::Span<const UserId> users,
                                      ClaimDone done) {
  absl::StatusOr<std::vector<Claimed>> result;
  {
    // So that what was there before is what the claim has seen, unless that is the flaw.
    std::unique_lock<std::mutex> lock(mutex_, std::defer_lock);
    if (flaw_ != Flaw::kLooksBeforeItClaims) lock.lock();
    std::vector<std::vector<SessionHolder>> before;
    for (const UserId user : users) before.push_back(HoldersOf(user));
    if (flaw_ == Flaw::kLooksBeforeItClaims) absl::SleepFor(absl::Milliseconds(10));
    if (flaw_ == Flaw::kAddsBeforeItFails && users.size() > 1) {
      directory_.Claim(lease, users.subspan(0, 1), [](const auto&) {});
    }
    directory_.Claim(lease, users, [&](auto claimed) { result = std::move(claimed); });
    for (std::size_t i = 0; result.ok() && i < users.size(); ++i) {
      Alter(lease, before[i], (*result)[i]);
    }
  }
  done(std::move(result));
}

void FlawedSessionDirectory::Alter(const NodeLease& lease, std::vector<SessionHolder> before,
                                   Claimed& claimed) const {
  if (flaw_ == Flaw::kTellsTheReplaced) claimed.others = std::move(before);
  if (flaw_ == Flaw::kLooksBeforeItClaims) {
    before.erase(std::remove_if(before.begin(), before.end(),
                                [&](const auto& other) { return other.lease == lease; }),
                 before.end());
    claimed.others = std::move(before);
  }
}

std::vector<ConformanceCase> Cases(CallFlaw call_flaw, Flaw flaw) {
  return SessionDirectoryConformance([=] {
    const auto calls = std::make_shared<test::FlawedCalls>(call_flaw);
    const auto clock = std::make_shared<SimulatedClock>(Time::Millis(1'000'000));
    SessionDirectoryUnderTest test;
    test.keeps = clock;
    test.adapter = std::make_unique<FlawedSessionDirectory>(calls, clock.get(), flaw);
    test.stall = [calls](bool on) { calls->Stall(on); };
    test.pass = [clock](absl::Duration by) { clock->Advance(by); };
    test.patience = absl::Seconds(2);
    return test;
  });
}

TEST(SessionDirectoryConformanceTest, PassesWhatIsRight) {
  test::ExpectFails(0, Cases(CallFlaw::kNone, Flaw::kNone));
}

TEST(SessionDirectoryConformanceTest, FindsEachFlawInTheCalls) {
  test::ExpectFails(1, Cases(CallFlaw::kCompletesTwice, Flaw::kNone));
  test::ExpectFails(2, Cases(CallFlaw::kBlocks, Flaw::kNone));
  test::ExpectFails(3, Cases(CallFlaw::kRefusesReentrantCalls, Flaw::kNone));
  test::ExpectFails(4, Cases(CallFlaw::kKeepsDones, Flaw::kNone));
  test::ExpectFails(4, Cases(CallFlaw::kNone, Flaw::kKeepsSpans));
}

TEST(SessionDirectoryConformanceTest, FindsEachFlawInTheData) {
  test::ExpectFails(5, Cases(CallFlaw::kNone, Flaw::kLooksBeforeItClaims));
  test::ExpectFails(6, Cases(CallFlaw::kNone, Flaw::kEndsTheLifeBefore));
  test::ExpectFails(6, Cases(CallFlaw::kNone, Flaw::kLeasesLastTwice));
  test::ExpectFails(7, Cases(CallFlaw::kNone, Flaw::kTellsTheReplaced));
  test::ExpectFails(8, Cases(CallFlaw::kNone, Flaw::kReleasesWhatever));
  test::ExpectFails(9, Cases(CallFlaw::kNone, Flaw::kAnswersBackward));
  test::ExpectFails(10, Cases(CallFlaw::kNone, Flaw::kKnowsNoStrangers));
  test::ExpectFails(11, Cases(CallFlaw::kNone, Flaw::kAddsBeforeItFails));
  test::ExpectFails(12, Cases(CallFlaw::kNone, Flaw::kLooksUpSome));
}

TEST(SessionDirectoryConformanceTest, SkipsWhatNeedsAHook) {
  const auto cases = SessionDirectoryConformance([] {
    SessionDirectoryUnderTest test;
    test.adapter = std::make_unique<InMemorySessionDirectory>();
    return test;
  });
  EXPECT_THAT(test::SkippedCases(cases),
              ::testing::ElementsAre("Clause2Blocking", "Clause6LeasesRunOut"));
}

}  // namespace
}  // namespace nearby
