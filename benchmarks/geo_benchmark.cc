// What a distance costs: the library's own against the haversine formula by Boost.Geometry, in one
// run.

#include "nearby/geo.h"

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace nearby {
namespace {

constexpr std::size_t kPoints = 4096;

// Points within some kilometres of each other, as friends in sight are.
std::vector<LatLng> NearPoints() {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> offset(-0.05, 0.05);
  std::vector<LatLng> points(kPoints);
  for (LatLng& point : points) point = {48.1 + offset(random), 11.6 + offset(random)};
  return points;
}

std::vector<Position> NearPositions() {
  std::vector<Position> positions;
  for (const LatLng point : NearPoints()) positions.push_back(Position::FromLatLng(point));
  return positions;
}

void BM_HaversineMeters(benchmark::State& state) {
  const std::vector<LatLng> points = NearPoints();
  for (auto _ : state) {
    for (std::size_t i = 1; i < kPoints; ++i) {
      benchmark::DoNotOptimize(HaversineMeters(points[i - 1], points[i]));
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kPoints - 1));
}
BENCHMARK(BM_HaversineMeters);

void BM_DistanceMillimeters(benchmark::State& state) {
  const std::vector<Position> positions = NearPositions();
  for (auto _ : state) {
    for (std::size_t i = 1; i < kPoints; ++i) {
      benchmark::DoNotOptimize(DistanceMillimeters(positions[i - 1], positions[i]));
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kPoints - 1));
}
BENCHMARK(BM_DistanceMillimeters);

void BM_FromLatLng(benchmark::State& state) {
  const std::vector<LatLng> points = NearPoints();
  for (auto _ : state) {
    for (const LatLng point : points) benchmark::DoNotOptimize(Position::FromLatLng(point));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kPoints));
}
BENCHMARK(BM_FromLatLng);

}  // namespace
}  // namespace nearby
