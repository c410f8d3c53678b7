#ifndef BENCHMARKS_CAPACITY_HOMES_H_
#define BENCHMARKS_CAPACITY_HOMES_H_

#include <cstdint>

#include "benchmarks/capacity/huge_array.h"
#include "nearby/geo.h"

namespace capacity {

/// Where `users` people live: in cities, the towns around them and the country in between; cities
/// lie in regions a few hundred kilometres wide, regions anywhere. Sizes of cities follow a
/// flattened Zipf law, and the larger are wider and denser. There are more cities with more users,
/// so that every user has others near and far whatever their number.
///
/// In Z-order (Morton, 1966): neighbours in space are neighbours in the array, and all who live in
/// one square of a grid of powers of two stand in one stretch of it.
HugeArray<nearby::Position> MakeHomes(std::uint32_t users, std::uint64_t seed);

/// The place of a position in that order: bits of latitude and longitude in turn. What is above bit
/// 2 * s names the square of 2^s units in which it lies.
std::uint64_t ZOrder(nearby::Position position);

/// A square of 2^shift units on each side, by its row and column.
std::uint64_t ZOrderOfSquare(std::uint32_t row, std::uint32_t column);

/// The row or column, at one unit a square.
std::uint32_t RowOf(nearby::Position position);
std::uint32_t ColumnOf(nearby::Position position);

/// The position in the middle of a square.
nearby::Position CenterOfSquare(std::uint64_t z_order, int shift);

}  // namespace capacity

#endif  // BENCHMARKS_CAPACITY_HOMES_H_
