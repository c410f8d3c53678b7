// A ring source for each clause that keeps all but that one: the suite must say which.

#include "nearby/testing/ring_source_conformance.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/hash_ring.h"
#include "nearby/in_memory_ring_source.h"
#include "nearby/ring_source.h"
#include "tests/conformance/failed_clauses.h"

namespace nearby {
namespace {

enum class Flaw {
  kNone,
  kTellsOldRings,
  kIsSilentAtFirst,
  kOverlaps,
  kIgnoresNestedWatches,
  kDoesNotWait,
  kForgetsWithoutTouch,
  kMixesThreadsUp,
};

// A ring source that calls each watcher in the thread that publishes. Unlike the in-memory one it
// can lose touch.
class FlawedRingSource : public RingSource {
 public:
  explicit FlawedRingSource(Flaw flaw) : flaw_(flaw), state_(std::make_shared<State>()) {}

  std::unique_ptr<Watcher> Watch(Changed changed) override;
  void Publish(const Ring& ring);
  void LoseTouch(bool on) {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    state_->has_touch = !on;
  }

 private:
  struct Listener {
    Changed changed;
    // Held during calls, unless the flaw is that they overlap.
    std::recursive_mutex calling;
    std::atomic<int> running{0};
    std::atomic<bool> is_over{false};
    std::atomic<RingVersion> told{};
  };
  struct State {
    std::mutex mutex;
    Ring ring;
    bool has_touch = true;
    int watching = 0;
    std::vector<std::shared_ptr<Listener>> listeners;
  };
  class Watching;

  void Tell(Listener& listener, const Ring& ring) const;
  // Whether another thread is watching at this moment, too.
  bool IsCrowded();

  static inline thread_local int calls_above = 0;

  const Flaw flaw_;
  const std::shared_ptr<State> state_;
};

class FlawedRingSource::Watching : public RingSource::Watcher {
 public:
  Watching(Flaw flaw, std::shared_ptr<State> state, std::shared_ptr<Listener> listener)
      : flaw_(flaw), state_(std::move(state)), listener_(std::move(listener)) {}

  ~Watching() override {
    {
      const std::lock_guard<std::mutex> lock(state_->mutex);
      auto& all = state_->listeners;
      all.erase(std::remove(all.begin(), all.end(), listener_), all.end());
    }
    if (flaw_ == Flaw::kDoesNotWait) return;
    listener_->is_over = true;
    while (listener_->running.load() > 0) std::this_thread::yield();
    listener_->changed = nullptr;
  }

 private:
  const Flaw flaw_;
  const std::shared_ptr<State> state_;
  const std::shared_ptr<Listener> listener_;
};

void FlawedRingSource::Tell(Listener& listener, const Ring& ring) const {
  std::unique_lock<std::recursive_mutex> calling(listener.calling, std::defer_lock);
  if (flaw_ != Flaw::kOverlaps) calling.lock();
  if (ring == nullptr) return;
  if (flaw_ != Flaw::kTellsOldRings && ring->version() <= listener.told) return;
  listener.told = ring->version();
  ++listener.running;
  ++calls_above;
  if (!listener.is_over) listener.changed(ring);
  --calls_above;
  --listener.running;
}

bool FlawedRingSource::IsCrowded() {
  {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    ++state_->watching;
  }
  bool is_crowded = false;
  for (int i = 0; i < 20 && !is_crowded; ++i) {
    absl::SleepFor(absl::Milliseconds(1));
    const std::lock_guard<std::mutex> lock(state_->mutex);
    is_crowded = state_->watching > 1;
  }
  const std::lock_guard<std::mutex> lock(state_->mutex);
  --state_->watching;
  return is_crowded;
}

std::unique_ptr<RingSource::Watcher> FlawedRingSource::Watch(Changed changed) {
  if (flaw_ == Flaw::kMixesThreadsUp && IsCrowded()) return nullptr;
  auto listener = std::make_shared<Listener>();
  listener->changed = std::move(changed);
  Ring ring;
  {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    if (flaw_ == Flaw::kIgnoresNestedWatches && calls_above > 0) {
      return std::make_unique<Watching>(flaw_, state_, std::move(listener));
    }
    state_->listeners.push_back(listener);
    ring = state_->ring;
    if (flaw_ == Flaw::kForgetsWithoutTouch && !state_->has_touch) ring = nullptr;
  }
  if (flaw_ != Flaw::kIsSilentAtFirst) Tell(*listener, ring);
  return std::make_unique<Watching>(flaw_, state_, std::move(listener));
}

void FlawedRingSource::Publish(const Ring& ring) {
  std::vector<std::shared_ptr<Listener>> listeners;
  {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    if (state_->ring == nullptr || ring->version() > state_->ring->version()) state_->ring = ring;
    listeners = state_->listeners;
  }
  for (const auto& listener : listeners) Tell(*listener, ring);
}

std::vector<ConformanceCase> Cases(Flaw flaw) {
  return RingSourceConformance([=] {
    auto source = std::make_unique<FlawedRingSource>(flaw);
    FlawedRingSource* const borrowed = source.get();
    RingSourceUnderTest test;
    test.adapter = std::move(source);
    test.publish = [borrowed](const RingSource::Ring& ring) { borrowed->Publish(ring); };
    test.stall = [borrowed](bool on) { borrowed->LoseTouch(on); };
    test.patience = absl::Seconds(1);
    // Time enough for what should wait and does not, on a machine with more to do.
    const bool is_hasty = flaw == Flaw::kDoesNotWait || flaw == Flaw::kOverlaps;
    test.grace = absl::Milliseconds(is_hasty ? 2'000 : 50);
    return test;
  });
}

TEST(RingSourceConformanceTest, PassesWhatIsRight) { test::ExpectFails(0, Cases(Flaw::kNone)); }

TEST(RingSourceConformanceTest, FindsEachFlaw) {
  test::ExpectFails(1, Cases(Flaw::kTellsOldRings));
  test::ExpectFails(2, Cases(Flaw::kOverlaps));
  test::ExpectFails(2, Cases(Flaw::kIgnoresNestedWatches));
  test::ExpectFails(3, Cases(Flaw::kDoesNotWait));
  test::ExpectFails(4, Cases(Flaw::kForgetsWithoutTouch));
  test::ExpectFails(5, Cases(Flaw::kMixesThreadsUp));
}

TEST(RingSourceConformanceTest, SilenceAtFirstBreaksWhatReliesOnIt) {
  // Nothing can be asked of a source that has lost touch, if it does not tell what it knows.
  const std::set<int> failed = test::FailedClauses(Cases(Flaw::kIsSilentAtFirst));
  EXPECT_EQ(failed, (std::set<int>{1, 4}));
}

TEST(RingSourceConformanceTest, SkipsWhatNeedsAHook) {
  const auto cases = RingSourceConformance([] {
    auto source = std::make_unique<InMemoryRingSource>();
    RingSourceUnderTest test;
    test.publish = [borrowed = source.get()](RingSource::Ring ring) {
      (void)borrowed->Set(std::move(ring));
    };
    test.adapter = std::move(source);
    return test;
  });
  EXPECT_THAT(test::SkippedCases(cases), ::testing::ElementsAre("Clause4KeepsTheLastWithoutTouch"));
}

}  // namespace
}  // namespace nearby
