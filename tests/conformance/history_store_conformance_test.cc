// A history store for each clause that keeps all but that one: the suite must say which.

#include "nearby/testing/history_store_conformance.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/effects.h"
#include "nearby/history_store.h"
#include "nearby/in_memory_history_store.h"
#include "nearby/time.h"
#include "tests/conformance/failed_clauses.h"
#include "tests/conformance/flawed_calls.h"

namespace nearby {
namespace {

using test::CallFlaw;
using Locations = std::vector<AcceptedLocation>;

enum class Flaw {
  kNone,
  kKeepsSpans,
  kRefusesRepetitions,
  kReadsTheEndToo,
  kReadsTheNewest,
};

class FlawedHistoryStore : public HistoryStore {
 public:
  FlawedHistoryStore(std::shared_ptr<test::FlawedCalls> calls, Flaw flaw)
      : calls_(std::move(calls)), flaw_(flaw) {}
  ~FlawedHistoryStore() override { calls_->End(); }

  void Append(absl::Span<const AcceptedLocation> locations, Done done) override {
    calls_->Do(
        std::move(done),
        [this, locations, copy = Locations(locations.begin(), locations.end())](Done answer) {
          if (flaw_ == Flaw::kRefusesRepetitions && !copy.empty() && IsHeld(copy.front())) {
            return answer(absl::AlreadyExistsError("appended before"));
          }
          store_.Append(flaw_ == Flaw::kKeepsSpans ? locations : copy, std::move(answer));
        });
  }

  void Read(const Query& query, ReadDone done) override {
    calls_->Do(std::move(done), [this, query = Query(query)](ReadDone answer) mutable {
      const std::size_t limit = query.limit;
      if (flaw_ == Flaw::kReadsTheEndToo) ++query.until.ms;
      if (flaw_ == Flaw::kReadsTheNewest) query.limit = 1000;
      store_.Read(query, [&](absl::StatusOr<Locations> found) {
        if (found.ok() && found->size() > limit) {
          found->erase(found->begin(), found->end() - static_cast<std::ptrdiff_t>(limit));
        }
        answer(std::move(found));
      });
    });
  }

 private:
  bool IsHeld(const AcceptedLocation& location) {
    bool is_held = false;
    store_.Read({location.user, location.accepted_at, kNever},
                [&](const absl::StatusOr<Locations>& found) {
                  is_held = !found->empty() && found->front().reported_at == location.reported_at;
                });
    return is_held;
  }

  std::shared_ptr<test::FlawedCalls> calls_;
  const Flaw flaw_;
  InMemoryHistoryStore store_;
};

std::vector<ConformanceCase> Cases(CallFlaw call_flaw, Flaw flaw) {
  return HistoryStoreConformance([=] {
    const auto calls = std::make_shared<test::FlawedCalls>(call_flaw);
    HistoryStoreUnderTest test;
    test.adapter = std::make_unique<FlawedHistoryStore>(calls, flaw);
    test.stall = [calls](bool on) { calls->Stall(on); };
    test.patience = absl::Seconds(2);
    return test;
  });
}

TEST(HistoryStoreConformanceTest, PassesWhatIsRight) {
  test::ExpectFails(0, Cases(CallFlaw::kNone, Flaw::kNone));
}

TEST(HistoryStoreConformanceTest, FindsEachFlawInTheCalls) {
  test::ExpectFails(1, Cases(CallFlaw::kCompletesTwice, Flaw::kNone));
  test::ExpectFails(2, Cases(CallFlaw::kBlocks, Flaw::kNone));
  test::ExpectFails(3, Cases(CallFlaw::kRefusesReentrantCalls, Flaw::kNone));
  test::ExpectFails(4, Cases(CallFlaw::kKeepsDones, Flaw::kNone));
  test::ExpectFails(4, Cases(CallFlaw::kNone, Flaw::kKeepsSpans));
}

TEST(HistoryStoreConformanceTest, FindsEachFlawInTheData) {
  test::ExpectFails(5, Cases(CallFlaw::kNone, Flaw::kRefusesRepetitions));
  test::ExpectFails(6, Cases(CallFlaw::kNone, Flaw::kReadsTheEndToo));
  test::ExpectFails(6, Cases(CallFlaw::kNone, Flaw::kReadsTheNewest));
}

TEST(HistoryStoreConformanceTest, SkipsWhatNeedsAHook) {
  const auto cases = HistoryStoreConformance([] {
    HistoryStoreUnderTest test;
    test.adapter = std::make_unique<InMemoryHistoryStore>();
    return test;
  });
  EXPECT_THAT(test::SkippedCases(cases), ::testing::ElementsAre("Clause2Blocking"));
}

}  // namespace
}  // namespace nearby
