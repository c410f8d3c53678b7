#include "benchmarks/capacity/neighbourhood.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "benchmarks/capacity/homes.h"
#include "benchmarks/capacity/sphere.h"

namespace capacity {
namespace {

using nearby::Position;

// For each distance class the side of the squares in which candidates are looked for, and of those
// from whose middle they are: 4.9 km, 20 km, 156 km and 625 km, a small part of the class each.
constexpr std::array<int, kDistanceClasses.size()> kShifts = {19, 19, 21, 24, 26};
constexpr std::array<int, kDistanceClasses.size()> kSeenFromShifts = {19, 19, 21, 22, 24};

double SideMeters(int shift) { return std::ldexp(kMetersPerUnit, shift); }

}  // namespace

Neighbourhood::Neighbourhood(const HugeArray<Position>& homes) : homes_(homes) {
  for (std::size_t i = 0; i < grids_.size(); ++i) grids_[i] = MakeGrid(kShifts[i]);
}

Neighbourhood::Grid Neighbourhood::MakeGrid(int shift) const {
  Grid grid;
  grid.shift = shift;
  for (std::uint32_t user = 0; user < homes_.size(); ++user) {
    const std::uint64_t z_order = ZOrder(homes_[user]) >> (2 * shift);
    if (grid.squares.empty() || grid.squares.back().z_order != z_order) {
      grid.squares.push_back({z_order, user, user});
    }
    grid.squares.back().end = user + 1;
  }
  grid.index.reserve(grid.squares.size());
  for (std::uint32_t i = 0; i < grid.squares.size(); ++i) {
    grid.index.emplace(grid.squares[i].z_order, i);
  }
  return grid;
}

void Neighbourhood::MoveTo(Position home) {
  const std::uint64_t z_order = ZOrder(home);
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    const int shift = kSeenFromShifts[i];
    const std::uint64_t square = z_order >> (2 * shift);
    if (candidates_[i].seen_from == square) continue;
    candidates_[i].seen_from = square;
    Find(i, CenterOfSquare(square, shift), &candidates_[i]);
  }
}

template <typename Visit>
void Neighbourhood::VisitSquares(const Grid& grid, Position center, double within_m,
                                 const Visit& visit) const {
  const std::uint32_t columns = 1u << (32 - grid.shift);
  const double side_m = SideMeters(grid.shift);
  const auto rows_away = static_cast<std::uint32_t>(within_m / side_m) + 1;
  const double narrowest = std::max(0.1, CosLat(center) - within_m / nearby::kEarthRadiusMeters);
  const auto columns_away = static_cast<std::uint32_t>(within_m / (side_m * narrowest)) + 1;
  if (2 * columns_away + 1 >= columns || 2 * rows_away + 1 >= columns) {
    for (const Square& square : grid.squares) visit(square);
    return;
  }
  const std::uint32_t row = (RowOf(center) >> grid.shift) + columns - rows_away;
  const std::uint32_t column = (ColumnOf(center) >> grid.shift) + columns - columns_away;
  for (std::uint32_t i = 0; i <= 2 * rows_away; ++i) {
    for (std::uint32_t j = 0; j <= 2 * columns_away; ++j) {
      const auto found =
          grid.index.find(ZOrderOfSquare((row + i) % columns, (column + j) % columns));
      if (found != grid.index.end()) visit(grid.squares[found->second]);
    }
  }
}

void Neighbourhood::Find(std::size_t distance_class, Position center, Candidates* found) const {
  const Grid& grid = grids_[distance_class];
  const DistanceClass& wanted = kDistanceClasses[distance_class];
  const double side_m = SideMeters(grid.shift);
  const double from_m = wanted.from_m - side_m / 2;
  const double to_m = wanted.to_m + side_m / 2;
  const double cos_center = CosLat(center);
  found->squares.clear();
  found->up_to.clear();
  double weight = 0;
  VisitSquares(grid, center, to_m, [&](const Square& square) {
    const Position middle = CenterOfSquare(square.z_order, grid.shift);
    const double away_m =
        MetersOfHaversine(RoughHaversine(center, cos_center, middle, CosLat(middle)));
    if (away_m < from_m || away_m > to_m) return;
    // Who lives on another continent is known for other reasons than distance.
    const double nearness = distance_class + 1 == kDistanceClasses.size()
                                ? 1
                                : wanted.to_m / std::max(away_m, side_m / 2);
    weight += (square.end - square.begin) * nearness * nearness;
    found->squares.push_back(square);
    found->up_to.push_back(weight);
  });
}

std::uint32_t Neighbourhood::Draw(std::size_t distance_class, Random* random) const {
  const Candidates& candidates = candidates_[distance_class];
  if (candidates.squares.empty()) return kNobody;
  const double drawn = random->Uniform() * candidates.up_to.back();
  const auto at = static_cast<std::size_t>(
      std::upper_bound(candidates.up_to.begin(), candidates.up_to.end(), drawn) -
      candidates.up_to.begin());
  const Square& square = candidates.squares[std::min(at, candidates.squares.size() - 1)];
  return square.begin + random->Below(square.end - square.begin);
}

}  // namespace capacity
