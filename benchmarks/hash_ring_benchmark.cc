// The hash ring beside the plain way: 160 virtual nodes for each server on a circle of 64-bit
// hashes, and a binary search for a channel's successor. With each ring's building stands how good
// it is: the busiest server over the mean, and what a server that goes moves over its fair share.

#include "nearby/hash_ring.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"

namespace nearby {
namespace {

std::vector<RingSeat> Seats(std::size_t count) {
  std::vector<RingSeat> seats;
  for (std::size_t i = 0; i < count; ++i) {
    seats.push_back({absl::StrCat("node-", i), 100, absl::StrCat("10.0.", i / 256, ".", i % 256)});
  }
  return seats;
}

class TableRing {
 public:
  explicit TableRing(std::size_t count)
      : ring_(HashRing::Create(RingVersion{1}, Seats(count)).value()) {}

  const std::string& Server(UserId channel) const { return ring_->Owner(channel)->server; }

 private:
  std::shared_ptr<const HashRing> ring_;
};

class CircleRing {
 public:
  explicit CircleRing(std::size_t count) : seats_(Seats(count)) {
    for (std::uint32_t seat = 0; seat < count; ++seat) {
      for (int i = 0; i < 160; ++i) {
        const std::string name = absl::StrCat(seats_[seat].name, "#", i);
        points_.push_back({std::hash<std::string>()(name), seat});
      }
    }
    std::sort(points_.begin(), points_.end(),
              [](const Point& a, const Point& b) { return a.hash < b.hash; });
  }

  const std::string& Server(UserId channel) const {
    std::uint64_t x = ToInt(channel);
    x = (x ^ (x >> 33)) * 0xFF51AFD7ED558CCDu;
    x = (x ^ (x >> 33)) * 0xC4CEB9FE1A85EC53u;
    x ^= x >> 33;
    auto point = std::lower_bound(
        points_.begin(), points_.end(), x,
        [](const Point& candidate, std::uint64_t hash) { return candidate.hash < hash; });
    if (point == points_.end()) point = points_.begin();
    return seats_[point->seat].server;
  }

 private:
  struct Point {
    std::uint64_t hash;
    std::uint32_t seat;
  };

  std::vector<RingSeat> seats_;
  std::vector<Point> points_;
};

// Many, in an order without a pattern, and without memory of their own.
UserId NextChannel(UserId channel) { return UserId{ToInt(channel) + 0x9E3779B97F4A7C15u}; }

// Over many channels, the busiest server's over the mean.
template <typename Ring>
double Busiest(const Ring& ring, std::size_t count) {
  constexpr int kChannels = 4'000'000;
  std::vector<const std::string*> servers;
  servers.reserve(kChannels);
  UserId channel{};
  for (int i = 0; i < kChannels; ++i) {
    channel = NextChannel(channel);
    servers.push_back(&ring.Server(channel));
  }
  std::sort(servers.begin(), servers.end());
  std::ptrdiff_t busiest = 0;
  for (auto begin = servers.begin(); begin != servers.end();) {
    const auto end = std::upper_bound(begin, servers.end(), *begin);
    busiest = std::max(busiest, end - begin);
    begin = end;
  }
  return static_cast<double>(busiest) * static_cast<double>(count) / kChannels;
}

// The part of the channels that another server has when the last of `count` is gone, over the part
// that one has on average.
template <typename Ring>
double MovedByRemoval(std::size_t count) {
  constexpr int kChannels = 4'000'000;
  const Ring before(count);
  const Ring after(count - 1);
  int moved = 0;
  UserId channel{};
  for (int i = 0; i < kChannels; ++i) {
    channel = NextChannel(channel);
    moved += static_cast<int>(before.Server(channel) != after.Server(channel));
  }
  return static_cast<double>(moved) * static_cast<double>(count) / kChannels;
}

// An item is a look-up; those that follow do not wait for it.
template <typename Ring>
void BM_LookUp(benchmark::State& state) {
  const Ring ring(static_cast<std::size_t>(state.range(0)));
  UserId channel{};
  for (auto _ : state) {
    channel = NextChannel(channel);
    benchmark::DoNotOptimize(&ring.Server(channel));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_TEMPLATE(BM_LookUp, TableRing)->Arg(10)->Arg(100)->Arg(1000);
BENCHMARK_TEMPLATE(BM_LookUp, CircleRing)->Arg(10)->Arg(100)->Arg(1000);

// An item is a look-up whose channel depends on the answer to the one before: on where the server's
// name lies, not on the name.
template <typename Ring>
void BM_DependentLookUp(benchmark::State& state) {
  const Ring ring(static_cast<std::size_t>(state.range(0)));
  UserId channel{};
  for (auto _ : state) {
    const auto answer = reinterpret_cast<std::uintptr_t>(&ring.Server(channel));
    channel = NextChannel(UserId{ToInt(channel) + answer});
  }
  benchmark::DoNotOptimize(channel);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_TEMPLATE(BM_DependentLookUp, TableRing)->Arg(10)->Arg(100)->Arg(1000);
BENCHMARK_TEMPLATE(BM_DependentLookUp, CircleRing)->Arg(10)->Arg(100)->Arg(1000);

template <typename Ring>
void BM_Build(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(Ring(count));
  state.counters["busiest/mean"] = Busiest(Ring(count), count);
  state.counters["moved/share"] = MovedByRemoval<Ring>(count);
}
BENCHMARK_TEMPLATE(BM_Build, TableRing)
    ->Arg(10)
    ->Arg(100)
    ->Arg(1000)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_TEMPLATE(BM_Build, CircleRing)
    ->Arg(10)
    ->Arg(100)
    ->Arg(1000)
    ->Unit(benchmark::kMillisecond);

void BM_DifferenceAfterRemoval(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const auto before = HashRing::Create(RingVersion{1}, Seats(count)).value();
  const auto after = HashRing::Create(RingVersion{2}, Seats(count - 1)).value();
  std::vector<PartitionMove> moves;
  for (auto _ : state) {
    moves.clear();
    Difference(*before, *after, &moves);
    benchmark::DoNotOptimize(moves.data());
  }
  state.counters["moves"] = static_cast<double>(moves.size());
}
BENCHMARK(BM_DifferenceAfterRemoval)->Arg(10)->Arg(100)->Arg(1000)->Unit(benchmark::kMicrosecond);

void BM_FirstThreeOwners(benchmark::State& state) {
  const auto ring =
      HashRing::Create(RingVersion{1}, Seats(static_cast<std::size_t>(state.range(0)))).value();
  std::vector<const RingSeat*> owners;
  UserId channel{};
  for (auto _ : state) {
    channel = NextChannel(channel);
    owners.clear();
    ring->Owners(channel, 3, &owners);
    benchmark::DoNotOptimize(owners.data());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_FirstThreeOwners)->Arg(10)->Arg(100)->Arg(1000);

}  // namespace
}  // namespace nearby
