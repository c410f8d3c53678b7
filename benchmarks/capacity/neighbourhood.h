#ifndef BENCHMARKS_CAPACITY_NEIGHBOURHOOD_H_
#define BENCHMARKS_CAPACITY_NEIGHBOURHOOD_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "benchmarks/capacity/distance_mix.h"
#include "benchmarks/capacity/huge_array.h"
#include "benchmarks/capacity/random.h"
#include "nearby/geo.h"

namespace capacity {

/// Who lives at which distance from whom, roughly: draws candidates of a distance class for a user,
/// from squares of a grid that is the coarser the farther away.
///
/// Within a class a candidate's chance falls with the square of the distance, which over an evenly
/// settled plain makes the logarithm of the distance uniform: what friendships were found to do
/// (Liben-Nowell, Novak, Kumar, Raghavan and Tomkins, "Geographic routing in social networks", PNAS
/// 102, 2005).
///
/// Users are named by their place in the Z-order of homes. Go through them in that order: what is
/// known about a square is made once for all who live in it.
///
/// Thread-compatible. Borrows the homes, which must outlive it.
class Neighbourhood {
 public:
  /// Requires homes in Z-order.
  explicit Neighbourhood(const HugeArray<nearby::Position>& homes);

  /// Draws for this user from now on.
  void MoveTo(nearby::Position home);

  /// A user who lives at about that distance, or kNobody if nobody does. That the distance is right
  /// the caller must check.
  std::uint32_t Draw(std::size_t distance_class, Random* random) const;

  static constexpr std::uint32_t kNobody = 0xFFFFFFFFu;

 private:
  /// Users [begin, end) of the Z-order live in one square.
  struct Square {
    std::uint64_t z_order = 0;
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
  };
  /// All squares of one size in which somebody lives.
  struct Grid {
    int shift = 0;
    std::vector<Square> squares;
    absl::flat_hash_map<std::uint64_t, std::uint32_t> index;
  };
  struct Candidates {
    std::uint64_t seen_from = ~std::uint64_t{0};  ///< The square that they were made for.
    std::vector<Square> squares;
    std::vector<double> up_to;  ///< Sums of weights, for drawing.
  };

  Grid MakeGrid(int shift) const;
  void Find(std::size_t distance_class, nearby::Position center, Candidates* found) const;
  template <typename Visit>
  void VisitSquares(const Grid& grid, nearby::Position center, double within_m,
                    const Visit& visit) const;

  const HugeArray<nearby::Position>& homes_;
  std::array<Grid, kDistanceClasses.size()> grids_;
  std::array<Candidates, kDistanceClasses.size()> candidates_;
};

}  // namespace capacity

#endif  // BENCHMARKS_CAPACITY_NEIGHBOURHOOD_H_
