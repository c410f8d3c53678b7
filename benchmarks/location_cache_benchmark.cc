// The location cache beside the plain way to keep locations: one hash map from user to record,
// looked up for every report and scanned as a whole for what has expired. Both sides run in turns
// in one loop, so that "speedup" is a ratio under the same conditions.

#include "nearby/location_cache.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "benchmark/benchmark.h"

namespace nearby {
namespace {

// A fifth of what is usual: the steady state is reached sooner, and expiry costs five times its
// share.
constexpr std::int64_t kTtlMs = 120'000;
constexpr std::size_t kBatch = 1024;

UserId Scattered(std::uint64_t n) { return UserId{n * 0x9E3779B97F4A7C15u}; }

Position PositionOf(std::uint64_t n) {
  return Position::FromUnits(static_cast<std::int32_t>(n & 0xFFFFFF), static_cast<std::int32_t>(n));
}

// Adds the time that `work` takes to `*seconds`.
template <typename Work>
double Timed(double* seconds, const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  benchmark::ClobberMemory();
  const double elapsed =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  *seconds += elapsed;
  return elapsed;
}

// The plain way.
class PlainCache {
 public:
  void Write(UserId user, const LocationCache::Record& record) { records_[user] = record; }

  Position Find(UserId user) const {
    auto it = records_.find(user);
    return it == records_.end() ? Position::Nowhere() : it->second.position;
  }

  // Returns how many expired, having put them in order of (deadline, user).
  std::size_t Expire(Time until) {
    expired_.clear();
    for (auto& [user, record] : records_) {
      const std::int64_t deadline = record.accepted_at.ms + kTtlMs;
      if (record.position.is_somewhere() && deadline <= until.ms) {
        record.position = Position::Nowhere();
        expired_.emplace_back(deadline, user);
      }
    }
    std::sort(expired_.begin(), expired_.end());
    return expired_.size();
  }

 private:
  absl::flat_hash_map<UserId, LocationCache::Record> records_;
  std::vector<std::pair<std::int64_t, UserId>> expired_;
};

// So many users, in a cache and in its plain counterpart, at the same places.
class Population {
 public:
  explicit Population(std::size_t count) : cache_(MakeOptions(count)) {
    for (std::uint64_t n = 0; n < count; ++n) {
      users_.push_back(Scattered(n));
      slots_.push_back(cache_.Acquire(users_.back()).value());
      // As if all had reported in the 30 seconds before time 0.
      const Time accepted{-static_cast<std::int64_t>(random_() % 30'000)};
      cache_.Write(slots_.back(), {PositionOf(n), accepted, accepted});
      plain_.Write(users_.back(), {PositionOf(n), accepted, accepted});
    }
  }

  std::size_t Draw() { return random_() % users_.size(); }
  UserId user(std::size_t n) const { return users_[n]; }
  Slot slot(std::size_t n) const { return slots_[n]; }
  LocationCache& cache() { return cache_; }
  PlainCache& plain() { return plain_; }

 private:
  static LocationCache::Options MakeOptions(std::size_t count) {
    LocationCache::Options options;
    options.ttl = absl::Milliseconds(kTtlMs);
    options.expected_entities = static_cast<std::uint32_t>(count);
    return options;
  }

  std::mt19937_64 random_{7};
  LocationCache cache_;
  PlainCache plain_;
  std::vector<UserId> users_;
  std::vector<Slot> slots_;
};

void Report(benchmark::State& state, std::size_t items_per_iteration, double seconds,
            double plain_seconds) {
  const double items =
      static_cast<double>(items_per_iteration) * static_cast<double>(state.iterations());
  state.SetItemsProcessed(static_cast<std::int64_t>(items));
  state.counters["ns_per_item"] = 1e9 * seconds / items;
  state.counters["plain_ns_per_item"] = 1e9 * plain_seconds / items;
  state.counters["speedup"] = plain_seconds / seconds;
}

// Reports by users drawn at random, by slot here and by id there.
void BM_Write(benchmark::State& state) {
  Population population(static_cast<std::size_t>(state.range(0)));
  std::vector<std::size_t> batch(kBatch);
  double seconds = 0;
  double plain_seconds = 0;
  std::int64_t now = 0;
  for (auto _ : state) {
    for (std::size_t& n : batch) n = population.Draw();
    const LocationCache::Record record{PositionOf(batch[0]), Time{++now}, Time{now}};
    state.SetIterationTime(Timed(&seconds, [&] {
      for (const std::size_t n : batch) population.cache().Write(population.slot(n), record);
    }));
    Timed(&plain_seconds, [&] {
      for (const std::size_t n : batch) population.plain().Write(population.user(n), record);
    });
  }
  Report(state, kBatch, seconds, plain_seconds);
}
BENCHMARK(BM_Write)->Arg(100'000)->Arg(4'000'000)->UseManualTime();

void BM_Find(benchmark::State& state) {
  Population population(static_cast<std::size_t>(state.range(0)));
  std::vector<UserId> batch(kBatch);
  double seconds = 0;
  double plain_seconds = 0;
  for (auto _ : state) {
    for (UserId& user : batch) user = population.user(population.Draw());
    state.SetIterationTime(Timed(&seconds, [&] {
      for (const UserId user : batch) {
        benchmark::DoNotOptimize(population.cache().position(population.cache().Find(user)));
      }
    }));
    Timed(&plain_seconds, [&] {
      for (const UserId user : batch) benchmark::DoNotOptimize(population.plain().Find(user));
    });
  }
  Report(state, kBatch, seconds, plain_seconds);
}
BENCHMARK(BM_Find)->Arg(100'000)->Arg(4'000'000)->UseManualTime();

void BM_FindAll(benchmark::State& state) {
  Population population(static_cast<std::size_t>(state.range(0)));
  std::vector<UserId> batch(kBatch);
  std::vector<LocationCache::Found> found(kBatch);
  double seconds = 0;
  double plain_seconds = 0;
  for (auto _ : state) {
    for (UserId& user : batch) user = population.user(population.Draw());
    state.SetIterationTime(
        Timed(&seconds, [&] { population.cache().FindAll(batch, absl::MakeSpan(found)); }));
    Timed(&plain_seconds, [&] {
      for (const UserId user : batch) benchmark::DoNotOptimize(population.plain().Find(user));
    });
  }
  Report(state, kBatch, seconds, plain_seconds);
}
BENCHMARK(BM_FindAll)->Arg(100'000)->Arg(4'000'000)->UseManualTime();

// A second of a shard's life: one user in thirty reports, drawn at random so that some stay silent
// for longer than the time to live; then whoever is due expires. An item is a report.
void BM_SecondWithExpiry(benchmark::State& state) {
  Population population(static_cast<std::size_t>(state.range(0)));
  std::vector<std::size_t> batch(static_cast<std::size_t>(state.range(0)) / 30);
  double seconds = 0;
  double plain_seconds = 0;
  std::int64_t now = 0;
  std::size_t expired = 0;
  std::size_t plain_expired = 0;
  for (auto _ : state) {
    for (std::size_t& n : batch) n = population.Draw();
    now += 1000;
    const LocationCache::Record record{PositionOf(batch[0]), Time{now}, Time{now}};
    state.SetIterationTime(Timed(&seconds, [&] {
      for (const std::size_t n : batch) population.cache().Write(population.slot(n), record);
      LocationCache::Expired due;
      while (population.cache().PopExpired(Time{now}, &due)) ++expired;
    }));
    Timed(&plain_seconds, [&] {
      for (const std::size_t n : batch) population.plain().Write(population.user(n), record);
      plain_expired += population.plain().Expire(Time{now});
    });
  }
  if (expired != plain_expired) state.SkipWithError("the two sides expired different users");
  Report(state, batch.size(), seconds, plain_seconds);
  state.counters["expired_per_s"] =
      static_cast<double>(expired) / static_cast<double>(state.iterations());
}
// Enough simulated seconds that expiry is in full swing.
BENCHMARK(BM_SecondWithExpiry)->Arg(100'000)->Arg(4'000'000)->Iterations(300)->UseManualTime();

// Everybody expires within one millisecond. An item is a user.
void BM_Storm(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  Population population(count);
  double seconds = 0;
  double plain_seconds = 0;
  std::int64_t now = 0;
  std::size_t expired = 0;
  std::size_t plain_expired = 0;
  for (auto _ : state) {
    for (std::size_t n = 0; n < count; ++n) {
      population.cache().Write(population.slot(n), {PositionOf(n), Time{now}, Time{now}});
      population.plain().Write(population.user(n), {PositionOf(n), Time{now}, Time{now}});
    }
    now += kTtlMs;
    state.SetIterationTime(Timed(&seconds, [&] {
      LocationCache::Expired due;
      while (population.cache().PopExpired(Time{now}, &due)) ++expired;
    }));
    Timed(&plain_seconds, [&] { plain_expired += population.plain().Expire(Time{now}); });
  }
  if (expired != plain_expired) state.SkipWithError("the two sides expired different users");
  Report(state, count, seconds, plain_seconds);
}
BENCHMARK(BM_Storm)->Arg(100'000)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace nearby
