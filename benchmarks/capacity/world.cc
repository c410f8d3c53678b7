#include "benchmarks/capacity/world.h"

#include <algorithm>
#include <cmath>

#include "benchmarks/capacity/random.h"

namespace capacity {
namespace {

using nearby::LatLng;
using nearby::Position;

constexpr double kMetersPerDegree = nearby::kMaxDistanceMeters / 180;
constexpr double kRadiansPerDegree = 3.141592653589793 / 180;

LatLng Beside(LatLng center, double north_m, double east_m) {
  const double lat = std::clamp(center.lat + north_m / kMetersPerDegree, -89.0, 89.0);
  double lng = center.lng + east_m / (kMetersPerDegree * std::cos(center.lat * kRadiansPerDegree));
  lng -= 360 * std::floor((lng + 180) / 360);
  return {lat, lng};
}

// A quick distance, good to a per cent below some 100 km, and good enough above.
double RoughMeters(Position a, Position b) {
  constexpr double kMetersPerUnit = 2 * nearby::kMaxDistanceMeters / 4294967296.0;
  const double lat = static_cast<double>(a.lat_units()) - b.lat_units();
  const auto lng = static_cast<double>(static_cast<std::int32_t>(
      static_cast<std::uint32_t>(a.lng_units()) - static_cast<std::uint32_t>(b.lng_units())));
  const double middle = (static_cast<double>(a.lat_units()) + b.lat_units()) / 2;
  // The cosine's first terms.
  const double x = middle * (2 * 3.141592653589793 / 4294967296.0);
  const double cosine = 1 - x * x / 2 + x * x * x * x / 24;
  return kMetersPerUnit * std::sqrt(lat * lat + cosine * cosine * lng * lng);
}

std::size_t BandOf(double meters) {
  std::size_t band = 0;
  while (band + 1 < World::kBands && meters > World::kBandMeters[band]) ++band;
  return band;
}

}  // namespace

nearby::UserId World::Id(std::uint32_t user) {
  return nearby::UserId{Mix(user + std::uint64_t{1})};
}

World::World(std::uint32_t users, std::uint32_t friends, std::uint64_t seed)
    : max_friends_(friends * 8 / 5), homes_(users), friend_counts_(users) {
  friends_.resize(std::size_t{users} * max_friends_);
  PlaceUsers(seed);
  MakeFriends(friends, seed);
}

void World::PlaceUsers(std::uint64_t seed) {
  Random random(Mix(seed));
  const std::uint32_t city_count = std::max(48u, users() / 20'000);
  const std::uint32_t region_count = std::max(4u, city_count / 12);
  // The k-th city of a region is as large as k^-0.7 says (Zipf's law, softened).
  std::vector<double> weights(city_count);
  std::vector<std::uint32_t> first_city(region_count + 1);
  for (std::uint32_t r = 0; r <= region_count; ++r) {
    first_city[r] = static_cast<std::uint32_t>(std::uint64_t{city_count} * r / region_count);
  }
  double total = 0;
  for (std::uint32_t r = 0; r < region_count; ++r) {
    for (std::uint32_t c = first_city[r]; c < first_city[r + 1]; ++c) {
      weights[c] = std::pow(c - first_city[r] + 1, -0.7);
      total += weights[c];
    }
  }
  double so_far = 0;
  for (std::uint32_t r = 0; r < region_count; ++r) {
    regions_.push_back({first_city[r], first_city[r + 1]});
    const LatLng middle{-40 + 100 * random.Unit(), -180 + 360 * random.Unit()};
    for (std::uint32_t c = first_city[r]; c < first_city[r + 1]; ++c) {
      const LatLng center = Beside(middle, 250'000 * random.Normal(), 250'000 * random.Normal());
      Range city;
      city.begin = static_cast<std::uint32_t>(so_far / total * users());
      so_far += weights[c];
      city.end =
          c + 1 == city_count ? users() : static_cast<std::uint32_t>(so_far / total * users());
      cities_.push_back(city);
      for (std::uint32_t user = city.begin; user < city.end; ++user) {
        const double spread = random.Unit() < 0.6 ? 7'000 : 28'000;
        homes_[user] = Position::FromLatLng(
            Beside(center, spread * random.Normal(), spread * random.Normal()));
      }
    }
  }
}

void World::MakeFriends(std::uint32_t friends, std::uint64_t seed) {
  Random random(Mix(seed + 1));
  constexpr int kTries = 200;
  for (const Range region : regions_) {
    const Range people{cities_[region.begin].begin, cities_[region.end - 1].end};
    for (std::uint32_t c = region.begin; c < region.end; ++c) {
      const Range city = cities_[c];
      for (std::uint32_t user = city.begin; user < city.end; ++user) {
        // Each makes half of their friendships, and takes part in as many of others.
        for (std::uint32_t i = 0; i < friends / 2; ++i) {
          double draw = random.Unit();
          std::size_t band = 0;
          while (band + 1 < kBands && draw >= kMix[band]) draw -= kMix[band++];
          const Range pool = band <= 2 ? city : band == 3 ? people : Range{0, users()};
          for (int tries = 0; tries < kTries; ++tries) {
            const auto other = pool.begin + static_cast<std::uint32_t>(random.Below(pool.size()));
            if (BandOf(RoughMeters(homes_[user], homes_[other])) != band) continue;
            if (!Befriend(user, other)) continue;
            ++band_counts_[band];
            ++friendships_;
            break;
          }
        }
      }
    }
  }
}

bool World::Befriend(std::uint32_t user, std::uint32_t other) {
  if (user == other || friend_counts_[user] == max_friends_ ||
      friend_counts_[other] == max_friends_) {
    return false;
  }
  const absl::Span<const std::uint32_t> known = friends(user);
  if (std::find(known.begin(), known.end(), other) != known.end()) return false;
  friends_[std::size_t{user} * max_friends_ + friend_counts_[user]++] = other;
  friends_[std::size_t{other} * max_friends_ + friend_counts_[other]++] = user;
  return true;
}

std::array<double, World::kBands> World::mix() const {
  std::array<double, kBands> mix{};
  for (std::size_t band = 0; band < kBands; ++band) {
    mix[band] = static_cast<double>(band_counts_[band]) / static_cast<double>(friendships_);
  }
  return mix;
}

}  // namespace capacity
