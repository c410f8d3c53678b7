// The subscription registry beside two plain ways to keep who listens to whom: a vector of edges
// for each user, and a hash map of hash maps. All three hold the same graph, 40 edges a row.

#include "nearby/subscription_registry.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "benchmark/benchmark.h"

namespace nearby {
namespace {

constexpr std::uint32_t kUsers = 200'000;
constexpr std::uint32_t kEdgesPerRow = 40;
constexpr std::size_t kBatch = 1024;

// Bytes held by containers that use CountingAllocator, without what malloc adds for itself (8 to 16
// an allocation).
std::size_t counted_bytes = 0;

template <typename T>
struct CountingAllocator {
  using value_type = T;

  CountingAllocator() = default;
  template <typename U>
  explicit CountingAllocator(const CountingAllocator<U>&) {}

  T* allocate(std::size_t count) {
    counted_bytes += count * sizeof(T);
    return std::allocator<T>().allocate(count);
  }
  void deallocate(T* pointer, std::size_t count) {
    counted_bytes -= count * sizeof(T);
    std::allocator<T>().deallocate(pointer, count);
  }
  template <typename U>
  bool operator==(const CountingAllocator<U>&) const {
    return true;
  }
  template <typename U>
  bool operator!=(const CountingAllocator<U>&) const {
    return false;
  }
};

class Registry {
 public:
  void Link(Slot a, Slot b, EdgeFlags flags) { benchmark::DoNotOptimize(rows_.Link(a, b, flags)); }
  bool Unlink(Slot a, Slot b) { return rows_.Unlink(a, b); }
  bool Linked(Slot a, Slot b) const { return rows_.Find(a, b) != nullptr; }
  void Prefetch(Slot slot) const {
    rows_.PrefetchHead(slot);
    rows_.PrefetchRow(slot, 4);
  }
  template <typename Visitor>
  void Walk(Slot slot, const Visitor& visit) const {
    for (const Edge edge : rows_.Row(slot)) visit(edge);
  }
  std::size_t bytes() const { return rows_.row_bytes(); }

 private:
  SubscriptionRegistry rows_{SubscriptionRegistry::Options()};
};

class VectorPerUser {
 public:
  void Link(Slot a, Slot b, EdgeFlags flags) {
    RowOf(a).emplace_back(b, flags);
    RowOf(b).emplace_back(a, Mirrored(flags));
  }
  bool Unlink(Slot a, Slot b) { return Remove(a, b) && Remove(b, a); }
  bool Linked(Slot a, Slot b) const {
    const Row& row = rows_[ToInt(a)];
    return std::any_of(row.begin(), row.end(), [b](Edge edge) { return edge.neighbour() == b; });
  }
  void Prefetch(Slot) const {}
  template <typename Visitor>
  void Walk(Slot slot, const Visitor& visit) const {
    for (const Edge edge : rows_[ToInt(slot)]) visit(edge);
  }
  std::size_t bytes() const { return counted_bytes; }

 private:
  using Row = std::vector<Edge, CountingAllocator<Edge>>;

  Row& RowOf(Slot slot) {
    if (ToInt(slot) >= rows_.size()) rows_.resize(ToInt(slot) + std::size_t{1});
    return rows_[ToInt(slot)];
  }
  bool Remove(Slot a, Slot b) {
    Row& row = rows_[ToInt(a)];
    const auto it =
        std::find_if(row.begin(), row.end(), [b](Edge edge) { return edge.neighbour() == b; });
    if (it == row.end()) return false;
    *it = row.back();
    row.pop_back();
    return true;
  }

  std::vector<Row, CountingAllocator<Row>> rows_;
};

class MapOfMaps {
 public:
  void Link(Slot a, Slot b, EdgeFlags flags) {
    rows_[a].emplace(b, flags);
    rows_[b].emplace(a, Mirrored(flags));
  }
  bool Unlink(Slot a, Slot b) { return rows_[a].erase(b) > 0 && rows_[b].erase(a) > 0; }
  bool Linked(Slot a, Slot b) const {
    const auto row = rows_.find(a);
    return row != rows_.end() && row->second.find(b) != row->second.end();
  }
  void Prefetch(Slot) const {}
  template <typename Visitor>
  void Walk(Slot slot, const Visitor& visit) const {
    const auto row = rows_.find(slot);
    if (row == rows_.end()) return;
    for (const auto& [neighbour, flags] : row->second) visit(Edge(neighbour, flags));
  }
  std::size_t bytes() const { return counted_bytes; }

 private:
  template <typename Value>
  using Map = std::unordered_map<Slot, Value, std::hash<Slot>, std::equal_to<>,
                                 CountingAllocator<std::pair<const Slot, Value>>>;

  Map<Map<EdgeFlags>> rows_;
};

// Every user linked to 40 others that are spread over all users; in random order, so that all rows
// grow at the same time, as when a city wakes up.
std::vector<std::pair<Slot, Slot>> MakePairs() {
  std::mt19937_64 random(5);
  std::set<std::uint32_t> distances;
  while (distances.size() < kEdgesPerRow / 2) {
    distances.insert(1 + static_cast<std::uint32_t>(random() % (kUsers / 2 - 1)));
  }
  std::vector<std::pair<Slot, Slot>> pairs;
  for (std::uint32_t user = 0; user < kUsers; ++user) {
    for (const std::uint32_t distance : distances) {
      pairs.emplace_back(Slot{user}, Slot{(user + distance) % kUsers});
    }
  }
  std::shuffle(pairs.begin(), pairs.end(), random);
  return pairs;
}

const std::vector<std::pair<Slot, Slot>>& Pairs() {
  static const auto* const kPairs = new std::vector<std::pair<Slot, Slot>>(MakePairs());
  return *kPairs;
}

template <typename Rows>
std::unique_ptr<Rows> MakeRows(absl::Span<const std::pair<Slot, Slot>> pairs) {
  auto rows = std::make_unique<Rows>();
  for (const auto& [a, b] : pairs) rows->Link(a, b, kIMaySee | kFriendMaySee);
  return rows;
}

Slot AnySlot(std::mt19937_64& random) {
  return Slot{static_cast<std::uint32_t>(random() % kUsers)};
}

// An item is a pair. `bytes_per_edge` is the memory of all rows over their edges.
template <typename Rows>
void BM_Build(benchmark::State& state) {
  const auto& pairs = Pairs();
  std::size_t bytes = 0;
  for (auto _ : state) {
    const auto rows = MakeRows<Rows>(pairs);
    bytes = rows->bytes();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(pairs.size()));
  state.counters["bytes_per_edge"] =
      static_cast<double>(bytes) / static_cast<double>(2 * pairs.size());
}
BENCHMARK_TEMPLATE(BM_Build, Registry)->Unit(benchmark::kMillisecond);
BENCHMARK_TEMPLATE(BM_Build, VectorPerUser)->Unit(benchmark::kMillisecond);
BENCHMARK_TEMPLATE(BM_Build, MapOfMaps)->Unit(benchmark::kMillisecond);

// Rows of publishers in random order, asked for a few rows ahead where the container can. An item
// is an edge.
template <typename Rows>
void BM_WalkRows(benchmark::State& state) {
  constexpr std::size_t kAhead = 8;
  const auto rows = MakeRows<Rows>(Pairs());
  std::mt19937_64 random(6);
  std::vector<Slot> publishers(kBatch + kAhead);
  std::int64_t edges = 0;
  for (auto _ : state) {
    state.PauseTiming();
    for (Slot& publisher : publishers) publisher = AnySlot(random);
    state.ResumeTiming();
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < kBatch; ++i) {
      rows->Prefetch(publishers[i + kAhead]);
      rows->Walk(publishers[i], [&](Edge edge) {
        sum += edge.bits();
        ++edges;
      });
    }
    benchmark::DoNotOptimize(sum);
  }
  state.SetItemsProcessed(edges);
}
BENCHMARK_TEMPLATE(BM_WalkRows, Registry);
BENCHMARK_TEMPLATE(BM_WalkRows, VectorPerUser);
BENCHMARK_TEMPLATE(BM_WalkRows, MapOfMaps);

// Pairs that are linked, and as many that are not.
template <typename Rows>
void BM_Find(benchmark::State& state) {
  const auto rows = MakeRows<Rows>(Pairs());
  std::mt19937_64 random(7);
  std::size_t found = 0;
  for (auto _ : state) {
    const auto& [a, b] = Pairs()[random() % Pairs().size()];
    found += rows->Linked(a, b) ? 1u : 0u;
    found += rows->Linked(a, AnySlot(random)) ? 1u : 0u;
  }
  benchmark::DoNotOptimize(found);
  state.SetItemsProcessed(2 * state.iterations());
}
BENCHMARK_TEMPLATE(BM_Find, Registry);
BENCHMARK_TEMPLATE(BM_Find, VectorPerUser);
BENCHMARK_TEMPLATE(BM_Find, MapOfMaps);

// Users who go and come back: a pair is unlinked and linked again a thousand pairs later. An item
// is both.
template <typename Rows>
void BM_Churn(benchmark::State& state) {
  auto pairs = Pairs();
  const auto rows = MakeRows<Rows>(pairs);
  std::size_t unlinked = 0;
  for (auto _ : state) {
    const auto [a, b] = pairs[unlinked % pairs.size()];
    benchmark::DoNotOptimize(rows->Unlink(a, b));
    if (unlinked >= kBatch) {
      const auto [c, d] = pairs[(unlinked - kBatch) % pairs.size()];
      rows->Link(c, d, kIMaySee | kFriendMaySee);
    }
    ++unlinked;
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["bytes_per_edge"] =
      static_cast<double>(rows->bytes()) / static_cast<double>(2 * (pairs.size() - kBatch));
}
BENCHMARK_TEMPLATE(BM_Churn, Registry);
BENCHMARK_TEMPLATE(BM_Churn, VectorPerUser);
BENCHMARK_TEMPLATE(BM_Churn, MapOfMaps);

// A channel loses its only listener and finds it again, among so many channels that are idle.
void BM_FlappingChannel(benchmark::State& state) {
  SubscriptionRegistry registry{SubscriptionRegistry::Options()};
  const auto channels = static_cast<std::uint32_t>(state.range(0));
  const Slot listener{channels};
  const auto flap = [&](Slot channel, Time now) {
    benchmark::DoNotOptimize(registry.Link(channel, listener, kFriendMaySee));
    benchmark::DoNotOptimize(registry.FirstIn(channel));
    benchmark::DoNotOptimize(registry.Unlink(channel, listener));
    registry.MaybeLastOut(channel, now);
  };
  for (std::uint32_t i = 0; i < channels; ++i) flap(Slot{i}, Time{0});
  std::mt19937_64 random(8);
  std::int64_t now = 0;
  for (auto _ : state) {
    flap(Slot{static_cast<std::uint32_t>(random() % channels)}, Time{++now / 1000});
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_FlappingChannel)->Arg(1)->Arg(100'000);

}  // namespace
}  // namespace nearby
