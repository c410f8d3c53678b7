#include "nearby/in_memory_ring_source.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/hash_ring.h"
#include "nearby/ring_source.h"
#include "nearby/testing/conformance_gtest.h"
#include "nearby/testing/ring_source_conformance.h"
#include "tests/host/gate.h"

namespace nearby {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Ring = RingSource::Ring;

// Rings without seats, which is all that a source needs to know of them.
Ring Numbered(std::uint64_t version) {
  auto ring = HashRing::Create(RingVersion{version}, {});
  EXPECT_TRUE(ring.ok()) << ring.status();
  return *std::move(ring);
}

// What a watcher was told, in order, and whether its calls overlapped.
class Told {
 public:
  RingSource::Changed Changed() {
    return [this](Ring ring) {
      EXPECT_EQ(running_.fetch_add(1), 0) << "calls of one watcher overlap";
      ASSERT_NE(ring, nullptr);
      {
        const std::lock_guard<std::mutex> lock(mutex_);
        versions_.push_back(ToInt(ring->version()));
      }
      if (hook) hook(*ring);
      running_.fetch_sub(1);
    };
  }

  std::vector<std::uint64_t> versions() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return versions_;
  }

  bool is_running() const { return running_.load() != 0; }

  std::function<void(const HashRing&)> hook;

 private:
  std::atomic<int> running_{0};
  mutable std::mutex mutex_;
  std::vector<std::uint64_t> versions_;
};

const bool kConformance =
    RegisterConformance("InMemoryRingSourceConformance", RingSourceConformance([] {
                          auto source = std::make_unique<InMemoryRingSource>();
                          RingSourceUnderTest test;
                          test.publish = [borrowed = source.get()](Ring ring) {
                            // An older one is refused.
                            (void)borrowed->Set(std::move(ring));
                          };
                          test.adapter = std::move(source);
                          // It never loses touch.
                          test.stall = [](bool) {};
                          return test;
                        }));

TEST(InMemoryRingSourceTest, TellsEachRingBeforeSetReturns) {
  InMemoryRingSource source;
  Told early;
  const auto first = source.Watch(early.Changed());
  EXPECT_THAT(early.versions(), IsEmpty()) << "no ring is known yet";
  ASSERT_TRUE(source.Set(Numbered(3)).ok());
  EXPECT_THAT(early.versions(), ElementsAre(3));
  Told late;
  const auto second = source.Watch(late.Changed());
  EXPECT_THAT(late.versions(), ElementsAre(3));
  ASSERT_TRUE(source.Set(Numbered(4)).ok());
  ASSERT_TRUE(source.Set(Numbered(9)).ok());
  EXPECT_THAT(early.versions(), ElementsAre(3, 4, 9));
  EXPECT_THAT(late.versions(), ElementsAre(3, 4, 9));
}

TEST(InMemoryRingSourceTest, SetRefusesOlderRings) {
  InMemoryRingSource source;
  Told told;
  const auto watcher = source.Watch(told.Changed());
  ASSERT_TRUE(source.Set(Numbered(3)).ok());
  EXPECT_EQ(source.Set(Numbered(3)).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(source.Set(Numbered(2)).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(source.Set(nullptr).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(told.versions(), ElementsAre(3));
}

TEST(InMemoryRingSourceTest, ASetWithinACallComesAfterIt) {
  InMemoryRingSource source;
  Told told;
  Told other;
  told.hook = [&](const HashRing& ring) {
    if (ToInt(ring.version()) < 4) {
      ASSERT_TRUE(source.Set(Numbered(ToInt(ring.version()) + 1)).ok());
    }
  };
  const auto watcher = source.Watch(told.Changed());
  const auto bystander = source.Watch(other.Changed());
  ASSERT_TRUE(source.Set(Numbered(1)).ok());
  EXPECT_THAT(told.versions(), ElementsAre(1, 2, 3, 4));
  ASSERT_FALSE(other.versions().empty());
  EXPECT_EQ(other.versions().back(), 4u);
}

TEST(InMemoryRingSourceTest, ABusyWatcherGetsTheNewestAfterwards) {
  InMemoryRingSource source;
  Told told;
  test::Gate entered;
  test::Gate leave;
  told.hook = [&](const HashRing& ring) {
    if (ToInt(ring.version()) != 1) return;
    entered.Open();
    leave.Await();
  };
  const auto watcher = source.Watch(told.Changed());
  std::thread setter([&] { ASSERT_TRUE(source.Set(Numbered(1)).ok()); });
  entered.Await();
  for (std::uint64_t version = 2; version <= 5; ++version) {
    ASSERT_TRUE(source.Set(Numbered(version)).ok());
  }
  EXPECT_THAT(told.versions(), ElementsAre(1));
  leave.Open();
  setter.join();
  EXPECT_THAT(told.versions(), ElementsAre(1, 5));
}

TEST(InMemoryRingSourceTest, OneWatcherMayDestroyAnother) {
  InMemoryRingSource source;
  Told first;
  const auto held = std::make_shared<int>(1);
  std::unique_ptr<RingSource::Watcher> victim;
  first.hook = [&](const HashRing&) {
    victim.reset();
    EXPECT_EQ(held.use_count(), 1) << "what its call held has gone with it";
  };
  const auto watcher = source.Watch(first.Changed());
  victim = source.Watch([held](const Ring&) { ADD_FAILURE() << "called"; });
  ASSERT_TRUE(source.Set(Numbered(1)).ok());
  EXPECT_THAT(first.versions(), ElementsAre(1));
}

TEST(InMemoryRingSourceTest, ThreadsSetWatchAndDestroy) {
  constexpr std::uint64_t kRings = 60;
  InMemoryRingSource source;
  Told steady;
  const auto watcher = source.Watch(steady.Changed());
  std::vector<Ring> rings;
  for (std::uint64_t version = 1; version <= kRings; ++version) {
    rings.push_back(Numbered(version));
  }
  std::vector<std::thread> threads;
  for (std::uint64_t setter = 0; setter < 2; ++setter) {
    threads.emplace_back([&, setter] {
      // One of the two is often too late.
      for (std::uint64_t i = setter; i < kRings; i += 2) (void)source.Set(rings[i]);
    });
  }
  for (int thread = 0; thread < 2; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        // On the heap, so that a call after the destructor would be seen.
        auto told = std::make_unique<Told>();
        auto brief = source.Watch(told->Changed());
        brief.reset();
        EXPECT_FALSE(told->is_running());
        const auto versions = told->versions();
        for (std::size_t j = 1; j < versions.size(); ++j) EXPECT_LT(versions[j - 1], versions[j]);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto versions = steady.versions();
  for (std::size_t i = 1; i < versions.size(); ++i) EXPECT_LT(versions[i - 1], versions[i]);
  ASSERT_FALSE(versions.empty());
  Told last;
  const auto after = source.Watch(last.Changed());
  EXPECT_THAT(last.versions(), ElementsAre(versions.back())) << "nobody missed the newest";
}

}  // namespace
}  // namespace nearby
