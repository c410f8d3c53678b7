#include "benchmarks/capacity/homes.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "benchmarks/capacity/random.h"
#include "benchmarks/capacity/sphere.h"

namespace capacity {
namespace {

using nearby::LatLng;
using nearby::Position;

constexpr std::uint32_t kUsersPerRegion = 100'000;
constexpr std::uint32_t kUsersPerCity = 2'000;
constexpr double kRegionSpreadMeters = 330'000;
constexpr double kTownSpreadMeters = 1'800;
constexpr double kCountrySpreadMeters = 40'000;
constexpr double kTownDistanceMeters = 20'000;
constexpr double kCityShare = 0.60;
constexpr double kTownShare = 0.30;

struct City {
  LatLng center;
  double spread_m = 0;
  std::vector<LatLng> towns;
  std::uint32_t users = 0;
};

LatLng Scattered(LatLng center, double spread_m, Random* random) {
  const double north_m = spread_m * random->Normal();
  const double east_m = spread_m * random->Normal();
  return Moved(center, north_m, east_m);
}

std::vector<LatLng> DrawRegions(std::uint32_t users, Random* random) {
  const std::uint32_t count = std::clamp(users / kUsersPerRegion, 3u, 40u);
  std::vector<LatLng> regions;
  for (std::uint32_t i = 0; i < count; ++i) {
    const double lat = random->Uniform(-32, 56);
    // Spread around the globe, so that there are others far away even if there are but three.
    const double lng = -180 + 360 * (i + random->Uniform(0.1, 0.9)) / count;
    regions.push_back({lat, lng});
  }
  return regions;
}

City DrawCity(LatLng region, std::uint32_t users, Random* random) {
  City city;
  city.users = users;
  city.center = Scattered(region, kRegionSpreadMeters, random);
  city.spread_m = 3'000 * std::pow(std::max(users, 500u) / 1'000.0, 0.25);
  const std::uint32_t towns = 6 + random->Below(7);
  for (std::uint32_t i = 0; i < towns; ++i) {
    const double bearing = random->Uniform(0, 2 * kPi);
    const double away_m =
        std::clamp(kTownDistanceMeters * std::exp(0.6 * random->Normal()), 9'000.0, 90'000.0);
    city.towns.push_back(
        Moved(city.center, away_m * std::cos(bearing), away_m * std::sin(bearing)));
  }
  return city;
}

std::vector<City> DrawCities(std::uint32_t users, Random* random) {
  const std::vector<LatLng> regions = DrawRegions(users, random);
  const std::uint32_t count = std::clamp(users / kUsersPerCity, 18u, 4'000u);
  std::vector<double> up_to;  // The weights of the cities so far.
  double weight = 0;
  for (std::uint32_t i = 0; i < count; ++i) up_to.push_back(weight += std::pow(i + 4.0, -0.85));
  std::vector<City> cities;
  std::uint32_t placed = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto end = static_cast<std::uint32_t>(std::lround(users * (up_to[i] / weight)));
    cities.push_back(DrawCity(regions[i % regions.size()], end - placed, random));
    placed = end;
  }
  return cities;
}

LatLng DrawHome(const City& city, Random* random) {
  const double where = random->Uniform();
  if (where < kCityShare) return Scattered(city.center, city.spread_m, random);
  if (where >= kCityShare + kTownShare) {
    return Scattered(city.center, kCountrySpreadMeters, random);
  }
  return Scattered(city.towns[random->Below(city.towns.size())], kTownSpreadMeters, random);
}

// A zero between each bit and the next.
constexpr std::uint64_t Spread(std::uint32_t value) {
  std::uint64_t x = value;
  x = (x | x << 16) & 0x0000FFFF0000FFFFu;
  x = (x | x << 8) & 0x00FF00FF00FF00FFu;
  x = (x | x << 4) & 0x0F0F0F0F0F0F0F0Fu;
  x = (x | x << 2) & 0x3333333333333333u;
  return (x | x << 1) & 0x5555555555555555u;
}

constexpr std::uint32_t Gather(std::uint64_t x) {
  x &= 0x5555555555555555u;
  x = (x | x >> 1) & 0x3333333333333333u;
  x = (x | x >> 2) & 0x0F0F0F0F0F0F0F0Fu;
  x = (x | x >> 4) & 0x00FF00FF00FF00FFu;
  x = (x | x >> 8) & 0x0000FFFF0000FFFFu;
  return static_cast<std::uint32_t>(x | x >> 16);
}

constexpr std::uint32_t kSouthPole = 1u << 31;

Position FromZOrder(std::uint64_t z_order) {
  return Position::FromUnits(static_cast<std::int32_t>(Gather(z_order >> 1) - kSouthPole),
                             static_cast<std::int32_t>(Gather(z_order)));
}

}  // namespace

std::uint32_t RowOf(Position position) {
  return static_cast<std::uint32_t>(position.lat_units()) + kSouthPole;
}

std::uint32_t ColumnOf(Position position) {
  return static_cast<std::uint32_t>(position.lng_units());
}

std::uint64_t ZOrderOfSquare(std::uint32_t row, std::uint32_t column) {
  return Spread(row) << 1 | Spread(column);
}

std::uint64_t ZOrder(Position position) {
  return ZOrderOfSquare(RowOf(position), ColumnOf(position));
}

Position CenterOfSquare(std::uint64_t z_order, int shift) {
  return FromZOrder((4 * z_order + 3) << (2 * (shift - 1)));
}

HugeArray<Position> MakeHomes(std::uint32_t users, std::uint64_t seed) {
  Random random(seed);
  HugeArray<std::uint64_t> places(users);
  std::size_t placed = 0;
  for (const City& city : DrawCities(users, &random)) {
    for (std::uint32_t i = 0; i < city.users; ++i) {
      places[placed++] = ZOrder(Position::FromLatLng(DrawHome(city, &random)));
    }
  }
  std::sort(places.begin(), places.end());
  HugeArray<Position> homes(users);
  for (std::size_t i = 0; i < users; ++i) homes[i] = FromZOrder(places[i]);
  return homes;
}

}  // namespace capacity
