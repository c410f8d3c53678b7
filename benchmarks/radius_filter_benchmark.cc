// The radius filter beside what it replaces: the haversine formula for every pair, with libm as
// most would write it and by Boost.Geometry. Both sides of a comparison run in turns in one loop,
// so that "speedup" is a ratio under the same conditions.

#include "nearby/radius_filter.h"

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <random>
#include <vector>

#include "benchmark/benchmark.h"
#include "nearby/geo.h"

namespace nearby {
namespace {

constexpr double kRadiusMeters = 8046.72;
constexpr double kRadiansPerDegree = 3.141592653589793 / 180;

double Uniform(std::mt19937_64* random) { return static_cast<double>((*random)() >> 11) * 0x1p-53; }

// A square of 42 km: 11.5 % of it lie within 5 miles of a point inside, as friends in a city do.
LatLng InTown(std::mt19937_64* random) {
  return {48.0 + 0.38 * Uniform(random), 11.3 + 0.57 * Uniform(random)};
}

double SecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// The formula with libm, radians prepared as far as they can be.
class LibmFilter {
 public:
  explicit LibmFilter(const std::vector<LatLng>& points) {
    for (const LatLng& point : points) {
      points_.push_back({point.lat * kRadiansPerDegree, point.lng * kRadiansPerDegree});
    }
  }

  std::size_t Select(std::size_t center, std::uint32_t* out) const {
    const LatLng a = points_[center];
    std::size_t selected = 0;
    for (std::size_t i = 0; i < points_.size(); ++i) {
      const LatLng& b = points_[i];
      const double lat_sine = std::sin((a.lat - b.lat) / 2);
      const double lng_sine = std::sin((a.lng - b.lng) / 2);
      const double haversine =
          lat_sine * lat_sine + std::cos(a.lat) * std::cos(b.lat) * lng_sine * lng_sine;
      const double meters = 2 * kEarthRadiusMeters * std::asin(std::sqrt(haversine));
      if (meters <= kRadiusMeters) out[selected++] = static_cast<std::uint32_t>(i);
    }
    return selected;
  }

 private:
  std::vector<LatLng> points_;  // in radians
};

class BoostFilter {
 public:
  explicit BoostFilter(const std::vector<LatLng>& points) : points_(points) {}

  std::size_t Select(std::size_t center, std::uint32_t* out) const {
    std::size_t selected = 0;
    for (std::size_t i = 0; i < points_.size(); ++i) {
      if (HaversineMeters(points_[center], points_[i]) <= kRadiusMeters) {
        out[selected++] = static_cast<std::uint32_t>(i);
      }
    }
    return selected;
  }

 private:
  std::vector<LatLng> points_;
};

// One center against so many positions in sequence, as a scan of candidates would.
template <typename Plain>
void BM_SelectBeside(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  std::mt19937_64 random(1);
  std::vector<LatLng> points(count);
  std::vector<Position> positions(count);
  for (std::size_t i = 0; i < count; ++i) {
    points[i] = InTown(&random);
    positions[i] = Position::FromLatLng(points[i]);
  }
  const RadiusFilter filter = RadiusFilter::Create(kRadiusMeters).value();
  const Plain plain(points);
  std::vector<std::uint32_t> out(count);
  double seconds = 0;
  double plain_seconds = 0;
  std::size_t selected = 0;
  for (auto _ : state) {
    const std::size_t center = random() % count;
    const auto start = std::chrono::steady_clock::now();
    const std::size_t hits = filter.Select(positions[center], positions, out.data());
    benchmark::ClobberMemory();
    const double elapsed = SecondsSince(start);
    const auto plain_start = std::chrono::steady_clock::now();
    benchmark::DoNotOptimize(plain.Select(center, out.data()));
    benchmark::ClobberMemory();
    plain_seconds += SecondsSince(plain_start);
    seconds += elapsed;
    selected += hits;
    state.SetIterationTime(elapsed);
  }
  const double pairs = static_cast<double>(count) * static_cast<double>(state.iterations());
  state.SetItemsProcessed(static_cast<std::int64_t>(pairs));
  state.counters["hits"] = static_cast<double>(selected) / pairs;
  state.counters["ns_per_pair"] = 1e9 * seconds / pairs;
  state.counters["plain_ns_per_pair"] = 1e9 * plain_seconds / pairs;
  state.counters["speedup"] = plain_seconds / seconds;
}
BENCHMARK_TEMPLATE(BM_SelectBeside, LibmFilter)->Arg(40)->Arg(4096)->UseManualTime();
BENCHMARK_TEMPLATE(BM_SelectBeside, BoostFilter)->Arg(40)->Arg(4096)->UseManualTime();

using BoxSelector = std::size_t (*)(Position, FixedPointBox, PositionTable, const IndexedRow&,
                                    std::uint32_t*);

// Rows of 40 random neighbours out of a table larger than any cache, as the engine's are. The
// flags' six bits are there and none is set.
void BM_Gather(benchmark::State& state, BoxSelector select) {
  constexpr std::size_t kRowLength = 40;
  constexpr std::size_t kRows = 1 << 17;
  const auto count = static_cast<std::size_t>(state.range(0));
  std::mt19937_64 random(2);
  std::vector<Position> table(count);
  for (Position& position : table) position = Position::FromLatLng(InTown(&random));
  std::vector<std::uint32_t> entries(kRows * kRowLength);
  for (std::uint32_t& entry : entries) entry = static_cast<std::uint32_t>(random() % count) << 6;
  std::vector<std::uint32_t> out(kRowLength);
  std::size_t row_number = 0;
  std::size_t selected = 0;
  for (auto _ : state) {
    IndexedRow row;
    row.entries = absl::MakeConstSpan(entries).subspan(row_number * kRowLength, kRowLength);
    row.index_shift = 6;
    row.always_mask = 3;
    const Position center = table[row_number];
    const FixedPointBox box = FixedPointBox::Around(center, kRadiusMeters);
    selected += select(center, box, table.data(), row, out.data());
    benchmark::ClobberMemory();
    row_number = (row_number + 1) % kRows;
  }
  const double pairs = static_cast<double>(kRowLength) * static_cast<double>(state.iterations());
  state.SetItemsProcessed(static_cast<std::int64_t>(pairs));
  state.counters["hits"] = static_cast<double>(selected) / pairs;
}
BENCHMARK_CAPTURE(BM_Gather, Kernel, SelectInBox)->Arg(1 << 14)->Arg(10'000'000);
BENCHMARK_CAPTURE(BM_Gather, Plain, SelectInBoxPlain)->Arg(1 << 14)->Arg(10'000'000);

// The exact test alone, on pairs inside the box.
void BM_Admits(benchmark::State& state) {
  std::mt19937_64 random(3);
  std::vector<Position> positions(4096);
  for (Position& position : positions) position = Position::FromLatLng(InTown(&random));
  const RadiusLimit limit = RadiusLimit::FromMeters(kRadiusMeters);
  std::size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(limit.Admits(positions[i], positions[(i + 1) % positions.size()]));
    i = (i + 1) % positions.size();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(BM_Admits);

void BM_DistanceMillimeters(benchmark::State& state) {
  std::mt19937_64 random(4);
  std::vector<Position> positions(4096);
  for (Position& position : positions) position = Position::FromLatLng(InTown(&random));
  std::size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        DistanceMillimeters(positions[i], positions[(i + 1) % positions.size()]));
    i = (i + 1) % positions.size();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(BM_DistanceMillimeters);

}  // namespace
}  // namespace nearby
