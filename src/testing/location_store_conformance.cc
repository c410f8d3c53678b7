#include "nearby/testing/location_store_conformance.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "nearby/effects.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/time.h"
#include "src/testing/awaited.h"
#include "src/testing/trial.h"

namespace nearby {
namespace {

using Found = std::vector<std::optional<AcceptedLocation>>;
using Locations = std::vector<AcceptedLocation>;
using Erasure = LocationStore::Erasure;

constexpr UserId kAlice{1};
constexpr UserId kBob{2};
// Longer than any test.
constexpr absl::Duration kLong = absl::Hours(1);

class LocationStoreTrial : public internal::Trial<LocationStoreUnderTest> {
 public:
  LocationStoreTrial(LocationStoreUnderTest subject, ConformanceReport* report)
      : Trial(std::move(subject), report), start_(this->subject().clock->Now()) {}

  void Completion() { CheckCompletion(Calls()); }
  void Blocking() { CheckBlocking(Calls()); }
  void CallsFromWithinDone() { CheckCallsFromWithinDone(Calls()); }
  void Threads();
  void Destruction() { CheckDestruction(Calls()); }
  void Spans();
  void NewestWins();
  void LaterSessionsWin();
  void Expiry();
  void AnswersInOrder();
  void KeepsSpeeds();
  void WritesMayBeRepeated();
  void FullStores();
  void ErasesWhatIsNotNewer();
  void ErasesNothingOfLaterSessions();

 private:
  std::vector<internal::TrialCall> Calls();
  // Accepted so many milliseconds after the test's beginning; told apart by the latitude.
  AcceptedLocation At(UserId user, std::int64_t ms, double lat = 1, Epoch session = Epoch{}) const {
    return {user, Position::FromLatLng({lat, 2}), After(ms), After(ms - 5), session};
  }
  Time After(std::int64_t ms) const { return Time::Millis(start_.ms + ms); }
  absl::Status Write(const Locations& locations, absl::Duration ttl = kLong);
  void MustWrite(const Locations& locations, absl::Duration ttl = kLong) {
    report().ExpectOk(Write(locations, ttl), "Write");
  }
  void MustErase(UserId user, std::int64_t ms, Epoch session = Epoch{});
  Found Read(const std::vector<UserId>& users);
  std::optional<AcceptedLocation> ReadOne(UserId user);
  void Expect(const std::optional<AcceptedLocation>& found, const AcceptedLocation& expected,
              absl::string_view what);

  const Time start_;
};

std::vector<internal::TrialCall> LocationStoreTrial::Calls() {
  const auto write = [this](Locations locations) {
    return [this, locations = std::move(locations)](internal::Completion& completion, auto then) {
      adapter().Write(locations, kLong, completion.AnyDone(std::move(then)));
    };
  };
  const auto read = [this](std::vector<UserId> users) {
    return [this, users = std::move(users)](internal::Completion& completion, auto then) {
      adapter().Read(users, completion.AnyDone(std::move(then)));
    };
  };
  const auto erase = [this](std::vector<Erasure> erasures) {
    return [this, erasures = std::move(erasures)](internal::Completion& completion, auto then) {
      adapter().Erase(erasures, completion.AnyDone(std::move(then)));
    };
  };
  return {{"Write", write({At(kAlice, 0)})},      {"Read", read({kAlice})},
          {"Erase", erase({{kAlice, After(0)}})}, {"Write of nothing", write({})},
          {"Read of nobody", read({})},           {"Erase of nobody", erase({})}};
}

absl::Status LocationStoreTrial::Write(const Locations& locations, absl::Duration ttl) {
  internal::Completion written;
  adapter().Write(locations, ttl, written.Done());
  return Get(written);
}

void LocationStoreTrial::MustErase(UserId user, std::int64_t ms, Epoch session) {
  internal::Completion erased;
  adapter().Erase({{user, After(ms), session}}, erased.Done());
  report().ExpectOk(Get(erased), "Erase");
}

Found LocationStoreTrial::Read(const std::vector<UserId>& users) {
  internal::Awaited<absl::StatusOr<Found>> found;
  adapter().Read(users, found.Done());
  const absl::StatusOr<Found> answer = Get(found);
  if (!report().ExpectOk(answer.status(), "Read")) return Found(users.size());
  if (!report().Expect(answer->size() == users.size(),
                       absl::StrCat("Read answers ", answer->size(), " elements for ", users.size(),
                                    " users"))) {
    return Found(users.size());
  }
  return *answer;
}

std::optional<AcceptedLocation> LocationStoreTrial::ReadOne(UserId user) {
  return Read({user}).front();
}

void LocationStoreTrial::Expect(const std::optional<AcceptedLocation>& found,
                                const AcceptedLocation& expected, absl::string_view what) {
  if (!report().Expect(found.has_value(), absl::StrCat(what, ": nothing is found"))) return;
  report().Expect(found->user == expected.user && found->position == expected.position &&
                      found->accepted_at == expected.accepted_at &&
                      found->reported_at == expected.reported_at &&
                      found->session == expected.session,
                  absl::StrCat(what, ": another location is found"));
}

void LocationStoreTrial::Threads() {
  internal::InThreads(4, [this](std::size_t thread) {
    const UserId own{100 + thread};
    for (std::int64_t i = 0; i < 50; ++i) {
      MustWrite({At(own, i), At(kAlice, 4 * i + static_cast<std::int64_t>(thread))});
      Expect(ReadOne(own), At(own, i), "among threads");
    }
  });
  report().Expect(ReadOne(kAlice).has_value(), "what all threads wrote is not found");
}

void LocationStoreTrial::Spans() {
  Locations locations = {At(kAlice, 0)};
  std::vector<UserId> users = {kAlice};
  std::vector<Erasure> erasures = {{kAlice, After(0)}};
  internal::Completion written;
  internal::Awaited<absl::StatusOr<Found>> read;
  internal::Completion erased;
  // What the calls were given is worth nothing after they have returned.
  WhileStalled([&] {
    adapter().Write(locations, kLong, written.Done());
    locations[0] = At(kBob, 9);
  });
  (void)Get(written);
  WhileStalled([&] {
    adapter().Read(users, read.Done());
    users[0] = kBob;
  });
  const absl::StatusOr<Found> found = Get(read);
  Expect(found.ok() && !found->empty() ? found->front() : std::nullopt, At(kAlice, 0),
         "spans that end with the call");
  WhileStalled([&] {
    adapter().Erase(erasures, erased.Done());
    erasures[0].user = kBob;
  });
  (void)Get(erased);
  report().Expect(!ReadOne(kAlice).has_value(), "Erase reads its span after it has returned");
}

void LocationStoreTrial::NewestWins() {
  MustWrite({At(kAlice, 100, 1)});
  MustWrite({At(kAlice, 99, 2)});
  Expect(ReadOne(kAlice), At(kAlice, 100, 1), "after an older one was written");
  MustWrite({At(kAlice, 100, 3)});
  Expect(ReadOne(kAlice), At(kAlice, 100, 3), "after one of the same time was written");
  MustWrite({At(kAlice, 102, 4), At(kBob, 1), At(kAlice, 101, 5)});
  Expect(ReadOne(kAlice), At(kAlice, 102, 4), "after a batch with an older one at its end");
}

// Times of different sessions are by different clocks: only their order among sessions counts.
void LocationStoreTrial::LaterSessionsWin() {
  const Epoch early{7};
  const Epoch late{1'000'000'007};
  MustWrite({At(kAlice, 100, 1, late)});
  Expect(ReadOne(kAlice), At(kAlice, 100, 1, late), "of a session");
  MustWrite({At(kAlice, 200, 2, early)});
  Expect(ReadOne(kAlice), At(kAlice, 100, 1, late), "after a later time of an earlier session");
  MustWrite({At(kAlice, 99, 3, late)});
  Expect(ReadOne(kAlice), At(kAlice, 100, 1, late), "after an earlier time of the same session");
  MustWrite({At(kAlice, 50, 4, Epoch{ToInt(late) + 1}), At(kAlice, 300, 5, late)});
  Expect(ReadOne(kAlice), At(kAlice, 50, 4, Epoch{ToInt(late) + 1}),
         "after an earlier time of a later session");
}

void LocationStoreTrial::Expiry() {
  const auto& pass = subject().pass;
  if (!pass) return report().Skip("needs the hook pass");
  const absl::Duration ttl = subject().ttl;
  const auto now_ms = [this] { return subject().clock->Now().ms - start_.ms; };
  std::int64_t accepted_ms = now_ms();
  // Renewed once, so that it lives longer than one time to live.
  for (int i = 0; i < 2; ++i) {
    accepted_ms = now_ms();
    MustWrite({At(kAlice, accepted_ms)}, ttl);
    pass(ttl / 2);
    const std::optional<AcceptedLocation> found = ReadOne(kAlice);
    // Where time passes in earnest, it may have been too much.
    if (now_ms() < accepted_ms + absl::ToInt64Milliseconds(ttl)) {
      Expect(found, At(kAlice, accepted_ms), "before its time to live is over");
    }
  }
  // Accepted long ago, it is at its end as soon as it is written.
  MustWrite({At(kBob, now_ms() - absl::ToInt64Milliseconds(2 * ttl))}, ttl);
  pass(ttl);
  int left = 50;
  while (--left > 0 && (ReadOne(kAlice).has_value() || ReadOne(kBob).has_value())) pass(ttl);
  report().Expect(left > 0, "a location is not gone 50 times its time to live later");
}

void LocationStoreTrial::AnswersInOrder() {
  MustWrite({At(kAlice, 1), At(kBob, 2)});
  const Found found = Read({kBob, UserId{9}, kAlice, kBob});
  Expect(found[0], At(kBob, 2), "the first user asked for");
  report().Expect(!found[1].has_value(), "a location of a user never heard of");
  Expect(found[2], At(kAlice, 1), "the third user asked for");
  Expect(found[3], At(kBob, 2), "a user asked for twice");
  (void)Read({});
}

void LocationStoreTrial::KeepsSpeeds() {
  std::int64_t ms = 0;
  for (const std::uint32_t speed :
       {3'000U, 300'000U, AcceptedLocation::kNoSpeedBound, AcceptedLocation::kUnknownSpeed}) {
    AcceptedLocation location = At(kAlice, ++ms);
    location.speed_bound_mm_s = speed;
    MustWrite({location});
    const std::optional<AcceptedLocation> found = ReadOne(kAlice);
    Expect(found, location, "with a speed bound");
    report().Expect(!found.has_value() || found->speed_bound_mm_s == speed,
                    absl::StrCat("a speed bound of ", speed, " is not read as it was written"));
  }
}

void LocationStoreTrial::WritesMayBeRepeated() {
  const Locations batch = {At(kAlice, 1), At(kBob, 2)};
  for (int i = 0; i < 3; ++i) MustWrite(batch);
  Expect(ReadOne(kAlice), batch[0], "written three times");
  Expect(ReadOne(kBob), batch[1], "written three times");
}

void LocationStoreTrial::FullStores() {
  if (!subject().max_users.has_value()) return report().Skip("needs max_users");
  const auto max_users = static_cast<std::uint64_t>(*subject().max_users);
  for (std::uint64_t i = 0; i < max_users; ++i) MustWrite({At(UserId{1000 + i}, 0)});
  report().ExpectCode(Write({At(kAlice, 0)}), absl::StatusCode::kResourceExhausted,
                      "a write into a full store");
  MustWrite({At(UserId{1000}, 1)});
  Expect(ReadOne(UserId{1000}), At(UserId{1000}, 1), "one who was there before it was full");
}

void LocationStoreTrial::ErasesWhatIsNotNewer() {
  MustWrite({At(kAlice, 100)});
  MustErase(kAlice, 99);
  Expect(ReadOne(kAlice), At(kAlice, 100), "newer than the erasure");
  MustErase(kAlice, 100);
  report().Expect(!ReadOne(kAlice).has_value(), "one of the erasure's time is still there");
  MustErase(kAlice, 100);
  MustWrite({At(kAlice, 50)});
  Expect(ReadOne(kAlice), At(kAlice, 50), "written after an erasure, which leaves no mark");
  MustErase(kAlice, 60);
  report().Expect(!ReadOne(kAlice).has_value(), "one older than the erasure is still there");
}

void LocationStoreTrial::ErasesNothingOfLaterSessions() {
  MustWrite({At(kAlice, 100, 1, Epoch{8})});
  MustErase(kAlice, 200, Epoch{7});
  report().Expect(ReadOne(kAlice).has_value(), "one of a later session has been erased");
  MustErase(kAlice, 99, Epoch{8});
  report().Expect(ReadOne(kAlice).has_value(), "one newer than the erasure has been erased");
  MustErase(kAlice, 50, Epoch{9});
  report().Expect(!ReadOne(kAlice).has_value(),
                  "one of an earlier session than the erasure's is still there");
}

}  // namespace

std::vector<ConformanceCase> LocationStoreConformance(
    const std::function<LocationStoreUnderTest()>& make) {
  using T = LocationStoreTrial;
  return internal::MakeCases<T>(
      {{1, "Completion", &T::Completion},
       {2, "Blocking", &T::Blocking},
       {3, "CallsFromWithinDone", &T::CallsFromWithinDone},
       {3, "Threads", &T::Threads},
       {4, "Destruction", &T::Destruction},
       {4, "Spans", &T::Spans},
       {5, "NewestWins", &T::NewestWins},
       {5, "LaterSessionsWin", &T::LaterSessionsWin},
       {6, "Expiry", &T::Expiry},
       {7, "AnswersInOrder", &T::AnswersInOrder},
       {7, "KeepsSpeeds", &T::KeepsSpeeds},
       {8, "WritesMayBeRepeated", &T::WritesMayBeRepeated},
       {8, "FullStores", &T::FullStores},
       {9, "ErasesWhatIsNotNewer", &T::ErasesWhatIsNotNewer},
       {9, "ErasesNothingOfLaterSessions", &T::ErasesNothingOfLaterSessions}},
      make);
}

}  // namespace nearby
