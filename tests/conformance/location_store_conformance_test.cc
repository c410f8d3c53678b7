// A location store for each clause that keeps all but that one: the suite must say which.

#include "nearby/testing/location_store_conformance.h"

#include <map>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/effects.h"
#include "nearby/ids.h"
#include "nearby/in_memory_location_store.h"
#include "nearby/location_store.h"
#include "nearby/testing/simulated_clock.h"
#include "nearby/time.h"
#include "tests/conformance/failed_clauses.h"
#include "tests/conformance/flawed_calls.h"

namespace nearby {
namespace {

using test::CallFlaw;
using Found = std::vector<std::optional<AcceptedLocation>>;

constexpr std::size_t kMaxUsers = 50;

enum class Flaw {
  kNone,
  kKeepsSpans,
  kLastWins,
  kComparesTimesAlone,
  kForgetsSessions,
  kForgetsSpeeds,
  kKeepsForEver,
  kForgetsEarly,
  kAnswersBackward,
  kLeavesOutStrangers,
  kRefusesRepetitions,
  kErasesAll,
  kErasesByTimeAlone,
};

void Ignore(const absl::Status&) {}

InMemoryLocationStore::Options Limits() {
  InMemoryLocationStore::Options options;
  options.max_users = kMaxUsers;
  return options;
}

class FlawedLocationStore : public LocationStore {
 public:
  FlawedLocationStore(std::shared_ptr<test::FlawedCalls> calls, const Clock* clock, Flaw flaw)
      : calls_(std::move(calls)), flaw_(flaw), store_(clock, Limits()) {}
  ~FlawedLocationStore() override { calls_->End(); }

  void Write(absl::Span<const AcceptedLocation> locations, absl::Duration ttl, Done done) override {
    calls_->Do(std::move(done), [this, locations, ttl, copy = Copy(locations)](Done answer) {
      WriteNow(flaw_ == Flaw::kKeepsSpans ? locations : copy, ttl, std::move(answer));
    });
  }

  void Read(absl::Span<const UserId> users, ReadDone done) override {
    calls_->Do(std::move(done), [this, copy = Copy(users)](ReadDone answer) {
      store_.Read(copy, [&](absl::StatusOr<Found> found) { answer(Alter(std::move(found))); });
    });
  }

  void Erase(absl::Span<const Erasure> erasures, Done done) override {
    calls_->Do(std::move(done), [this, copy = Copy(erasures)](Done answer) mutable {
      if (flaw_ == Flaw::kErasesAll) {
        for (Erasure& erasure : copy) erasure.accepted_at = kNever;
      }
      if (flaw_ == Flaw::kErasesByTimeAlone) {
        for (Erasure& erasure : copy) erasure.session = Held(erasure.user).session;
      }
      store_.Erase(copy, std::move(answer));
    });
  }

 private:
  template <typename T>
  static std::vector<T> Copy(absl::Span<const T> span) {
    return {span.begin(), span.end()};
  }

  void WriteNow(absl::Span<const AcceptedLocation> locations, absl::Duration ttl, Done done) {
    if (flaw_ == Flaw::kKeepsForEver) ttl = absl::InfiniteDuration();
    if (flaw_ == Flaw::kForgetsEarly) ttl /= 3;
    absl::Status status;
    for (const AcceptedLocation& location : locations) {
      const AcceptedLocation held = Held(location.user);
      if (flaw_ == Flaw::kLastWins) EraseNow(held);
      if (flaw_ == Flaw::kComparesTimesAlone) {
        if (location.accepted_at < held.accepted_at) continue;
        if (location.session < held.session) EraseNow(held);
        store_.Write({location}, ttl, [&](const absl::Status& one) { status.Update(one); });
      }
      if (flaw_ == Flaw::kRefusesRepetitions && location.accepted_at == held.accepted_at &&
          location.position == held.position) {
        return done(absl::AlreadyExistsError("written before"));
      }
    }
    if (flaw_ == Flaw::kComparesTimesAlone) return done(status);
    store_.Write(locations, ttl, std::move(done));
  }

  // One of long ago if there is none.
  AcceptedLocation Held(UserId user) {
    AcceptedLocation held;
    held.accepted_at = Time::Millis(-kMaxTimeMs);
    store_.Read({user}, [&held](const absl::StatusOr<Found>& found) {
      if (found->front().has_value()) held = *found->front();
    });
    return held;
  }

  void EraseNow(const AcceptedLocation& held) {
    store_.Erase({{held.user, held.accepted_at, held.session}}, Ignore);
  }

  absl::StatusOr<Found> Alter(absl::StatusOr<Found> found) const {
    if (!found.ok()) return found;
    if (flaw_ == Flaw::kForgetsSessions) {
      for (std::optional<AcceptedLocation>& one : *found) {
        if (one.has_value()) one->session = Epoch{};
      }
    }
    if (flaw_ == Flaw::kForgetsSpeeds) {
      for (std::optional<AcceptedLocation>& one : *found) {
        if (one.has_value()) one->speed_bound_mm_s = AcceptedLocation::kUnknownSpeed;
      }
    }
    if (flaw_ == Flaw::kAnswersBackward) std::reverse(found->begin(), found->end());
    if (flaw_ == Flaw::kLeavesOutStrangers && found->size() > 1) {
      found->erase(std::remove(found->begin(), found->end(), std::nullopt), found->end());
    }
    return found;
  }

  std::shared_ptr<test::FlawedCalls> calls_;
  const Flaw flaw_;
  InMemoryLocationStore store_;
};

std::vector<ConformanceCase> Cases(CallFlaw call_flaw, Flaw flaw) {
  return LocationStoreConformance([=] {
    const auto calls = std::make_shared<test::FlawedCalls>(call_flaw);
    const auto clock = std::make_shared<SimulatedClock>(Time::Millis(1'000'000));
    LocationStoreUnderTest test;
    test.keeps = clock;
    test.adapter = std::make_unique<FlawedLocationStore>(calls, clock.get(), flaw);
    test.stall = [calls](bool on) { calls->Stall(on); };
    test.clock = clock.get();
    test.pass = [clock](absl::Duration by) { clock->Advance(by); };
    test.max_users = kMaxUsers;
    test.patience = absl::Seconds(2);
    return test;
  });
}

TEST(LocationStoreConformanceTest, PassesWhatIsRight) {
  test::ExpectFails(0, Cases(CallFlaw::kNone, Flaw::kNone));
}

TEST(LocationStoreConformanceTest, FindsEachFlawInTheCalls) {
  test::ExpectFails(1, Cases(CallFlaw::kCompletesTwice, Flaw::kNone));
  test::ExpectFails(2, Cases(CallFlaw::kBlocks, Flaw::kNone));
  test::ExpectFails(3, Cases(CallFlaw::kRefusesReentrantCalls, Flaw::kNone));
  test::ExpectFails(4, Cases(CallFlaw::kKeepsDones, Flaw::kNone));
  test::ExpectFails(4, Cases(CallFlaw::kNone, Flaw::kKeepsSpans));
}

TEST(LocationStoreConformanceTest, FindsEachFlawInTheData) {
  test::ExpectFails(5, Cases(CallFlaw::kNone, Flaw::kLastWins));
  test::ExpectFails(5, Cases(CallFlaw::kNone, Flaw::kComparesTimesAlone));
  test::ExpectFails(5, Cases(CallFlaw::kNone, Flaw::kForgetsSessions));
  test::ExpectFails(6, Cases(CallFlaw::kNone, Flaw::kKeepsForEver));
  test::ExpectFails(6, Cases(CallFlaw::kNone, Flaw::kForgetsEarly));
  test::ExpectFails(7, Cases(CallFlaw::kNone, Flaw::kAnswersBackward));
  test::ExpectFails(7, Cases(CallFlaw::kNone, Flaw::kLeavesOutStrangers));
  test::ExpectFails(7, Cases(CallFlaw::kNone, Flaw::kForgetsSpeeds));
  test::ExpectFails(8, Cases(CallFlaw::kNone, Flaw::kRefusesRepetitions));
  test::ExpectFails(9, Cases(CallFlaw::kNone, Flaw::kErasesAll));
  test::ExpectFails(9, Cases(CallFlaw::kNone, Flaw::kErasesByTimeAlone));
}

TEST(LocationStoreConformanceTest, SkipsWhatNeedsAHook) {
  const auto cases = LocationStoreConformance([] {
    LocationStoreUnderTest test;
    test.adapter = std::make_unique<InMemoryLocationStore>();
    return test;
  });
  EXPECT_THAT(test::SkippedCases(cases),
              ::testing::ElementsAre("Clause2Blocking", "Clause6Expiry", "Clause8FullStores"));
}

}  // namespace
}  // namespace nearby
