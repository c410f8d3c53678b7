#include "nearby/testing/ring_source_conformance.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "nearby/hash_ring.h"
#include "src/testing/awaited.h"
#include "src/testing/trial.h"

namespace nearby {
namespace {

using Ring = RingSource::Ring;
using Watcher = std::unique_ptr<RingSource::Watcher>;

// What one watcher was told, and whether its calls overlapped. Thread-safe; to outlive the watcher.
class Told {
 public:
  using Hook = absl::AnyInvocable<void(std::uint64_t)>;

  // `hook` runs within each call.
  explicit Told(Hook hook = nullptr) : hook_(std::move(hook)) {}

  RingSource::Changed Changed() {
    return [this](const Ring& ring) {
      if (calls_running_.fetch_add(1) > 0) has_overlapped_ = true;
      // No ring is numbered 0.
      const std::uint64_t version = ring == nullptr ? 0 : ToInt(ring->version());
      {
        const std::lock_guard<std::mutex> lock(mutex_);
        versions_.push_back(version);
      }
      if (hook_) hook_(version);
      calls_running_.fetch_sub(1);
    };
  }

  std::vector<std::uint64_t> versions() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return versions_;
  }
  bool knows(std::uint64_t version) const {
    const std::vector<std::uint64_t> known = versions();
    return std::find(known.begin(), known.end(), version) != known.end();
  }
  bool is_running() const { return calls_running_.load() > 0; }
  bool has_overlapped() const { return has_overlapped_; }

 private:
  Hook hook_;
  std::atomic<int> calls_running_{0};
  std::atomic<bool> has_overlapped_{false};
  mutable std::mutex mutex_;
  std::vector<std::uint64_t> versions_;
};

class RingSourceTrial : public internal::Trial<RingSourceUnderTest> {
 public:
  using Trial::Trial;

  void TellsTheNewest();
  void CallsDoNotOverlap();
  void WatchesWithinACall();
  void TheDestructorEndsTheCalls();
  void TheDestructorWaits();
  void KeepsTheLastWithoutTouch();
  void Threads();

 private:
  // Takes a while.
  Ring MakeRing(std::uint64_t version);
  void Publish(std::uint64_t version) { subject().publish(MakeRing(version)); }
  void Await(const Told& told, std::uint64_t version, absl::string_view who);
  void ExpectAscending(const Told& told, absl::string_view who);
};

Ring RingSourceTrial::MakeRing(std::uint64_t version) {
  // One seat, so that a source that sends rings as text has something to send.
  auto ring = HashRing::Create(RingVersion{version}, {{"seat", 100, "server"}});
  report().ExpectOk(ring.status(), "HashRing::Create");
  return ring.ok() ? *std::move(ring) : nullptr;
}

void RingSourceTrial::Await(const Told& told, std::uint64_t version, absl::string_view who) {
  report().Expect(Eventually([&] { return told.knows(version); }),
                  absl::StrCat(who, " is not told of ring ", version));
}

void RingSourceTrial::ExpectAscending(const Told& told, absl::string_view who) {
  std::uint64_t last = 0;
  for (const std::uint64_t version : told.versions()) {
    report().Expect(version > last, absl::StrCat(who, " is told of ring ", version, " after ", last,
                                                 " (0 for a ring that is null)"));
    last = version;
  }
}

void RingSourceTrial::TellsTheNewest() {
  Told early;
  Told late;
  {
    const Watcher first = adapter().Watch(early.Changed());
    Publish(3);
    Await(early, 3, "one who watched before there was a ring");
    const Watcher second = adapter().Watch(late.Changed());
    Await(late, 3, "one who watches when there is a ring");
    Publish(2);
    Publish(4);
    Publish(9);
    Await(early, 9, "the first watcher");
    Await(late, 9, "the second watcher");
  }
  ExpectAscending(early, "the first watcher");
  ExpectAscending(late, "the second watcher");
}

void RingSourceTrial::CallsDoNotOverlap() {
  const Ring next = MakeRing(2);
  internal::Completion entered;
  internal::Completion leave;
  Told told([&, entered_done = entered.AnyDone()](std::uint64_t version) mutable {
    if (version != 1) return;
    entered_done(absl::OkStatus());
    (void)leave.Get(patience());
  });
  auto leave_done = leave.AnyDone();
  const Watcher watcher = adapter().Watch(told.Changed());
  std::thread first([this] { Publish(1); });
  (void)Get(entered);
  internal::Completion published;
  std::thread second([&, done = published.AnyDone()] {
    subject().publish(next);
    done(absl::OkStatus());
  });
  // It may wait for the watcher.
  (void)published.Get(grace());
  leave_done(absl::OkStatus());
  first.join();
  second.join();
  Await(told, 2, "a watcher who was busy");
  report().Expect(!told.has_overlapped(), "calls of one watcher overlap");
}

void RingSourceTrial::WatchesWithinACall() {
  Told inner;
  Watcher second;
  Told outer([&](std::uint64_t) {
    if (second == nullptr) second = adapter().Watch(inner.Changed());
  });
  const Watcher first = adapter().Watch(outer.Changed());
  Publish(1);
  Await(outer, 1, "a watcher");
  Publish(2);
  Await(inner, 2, "one who watches from within a call");
}

void RingSourceTrial::TheDestructorEndsTheCalls() {
  const auto held = std::make_shared<int>(0);
  Told gone;
  Told other;
  Watcher watcher = adapter().Watch(
      [changed = gone.Changed(), held](Ring ring) mutable { changed(std::move(ring)); });
  const Watcher bystander = adapter().Watch(other.Changed());
  Publish(1);
  Await(gone, 1, "a watcher");
  watcher.reset();
  report().Expect(held.use_count() == 1, "what a destroyed watcher's call holds is kept");
  Publish(2);
  Await(other, 2, "another watcher than the one destroyed");
  report().Expect(!gone.knows(2), "a watcher is told of a ring after it was destroyed");
}

void RingSourceTrial::TheDestructorWaits() {
  internal::Completion entered;
  internal::Completion leave;
  Told told([&, entered_done = entered.AnyDone()](std::uint64_t) mutable {
    entered_done(absl::OkStatus());
    (void)leave.Get(patience());
  });
  auto leave_done = leave.AnyDone();
  Watcher watcher = adapter().Watch(told.Changed());
  std::thread publisher([this] { Publish(1); });
  (void)Get(entered);
  internal::Completion destroyed;
  std::thread destroyer([&, done = destroyed.AnyDone()] {
    watcher.reset();
    report().Expect(!told.is_running(), "a watcher's destructor returns during its call");
    done(absl::OkStatus());
  });
  (void)destroyed.Get(grace());
  leave_done(absl::OkStatus());
  publisher.join();
  destroyer.join();
}

void RingSourceTrial::KeepsTheLastWithoutTouch() {
  if (!stall()) return report().Skip("needs the hook stall");
  Told early;
  Told late;
  const Watcher first = adapter().Watch(early.Changed());
  Publish(1);
  Await(early, 1, "a watcher");
  stall()(true);
  const Watcher second = adapter().Watch(late.Changed());
  Await(late, 1, "one who watches while the source has no touch");
  stall()(false);
  Publish(2);
  Await(early, 2, "one who watched before touch was lost");
  Await(late, 2, "one who watched while the source had no touch");
  const std::vector<std::uint64_t> expected = {1, 2};
  report().Expect(early.versions() == expected && late.versions() == expected,
                  "a watcher is told something when touch is lost");
}

void RingSourceTrial::Threads() {
  constexpr std::uint64_t kRings = 6;
  Told steady;
  const Watcher watcher = adapter().Watch(steady.Changed());
  internal::InThreads(4, [&](std::size_t thread) {
    if (thread == 0) {
      for (std::uint64_t version = 1; version <= kRings; ++version) Publish(version);
      return;
    }
    for (int i = 0; i < 20; ++i) {
      Told told;
      Watcher brief = adapter().Watch(told.Changed());
      report().Expect(brief != nullptr, "Watch among threads answers null");
      brief.reset();
      report().Expect(!told.is_running(), "a watcher's destructor returns during its call");
      ExpectAscending(told, "one of several threads' watchers");
    }
  });
  Await(steady, kRings, "a watcher among those of several threads");
}

}  // namespace

std::vector<ConformanceCase> RingSourceConformance(
    const std::function<RingSourceUnderTest()>& make) {
  using T = RingSourceTrial;
  return internal::MakeCases<T>({{1, "TellsTheNewest", &T::TellsTheNewest},
                                 {2, "CallsDoNotOverlap", &T::CallsDoNotOverlap},
                                 {2, "WatchesWithinACall", &T::WatchesWithinACall},
                                 {3, "TheDestructorEndsTheCalls", &T::TheDestructorEndsTheCalls},
                                 {3, "TheDestructorWaits", &T::TheDestructorWaits},
                                 {4, "KeepsTheLastWithoutTouch", &T::KeepsTheLastWithoutTouch},
                                 {5, "Threads", &T::Threads}},
                                make);
}

}  // namespace nearby
