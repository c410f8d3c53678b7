#ifndef BENCHMARKS_PEERS_COUNTRY_H_
#define BENCHMARKS_PEERS_COUNTRY_H_

#include <cstddef>
#include <cstdint>

#include "examples/replay/population.h"

namespace peers {

/// People in the towns of a continent, with about as many friends each: 12 % of them within five
/// miles of their home, 22 % up to 20 km, 25 % up to 100 km, 24 % up to 1,000 km, 17 % beyond,
/// which is the mix that a nationwide service meets and a city alone does not show. Everyone has a
/// home, an office and some haunts in their town, and one in fifty a place in another. Users are
/// numbered from 1. The same numbers make the same country.
replay::Population MakeCountry(std::size_t users, std::size_t friends, std::uint64_t seed);

}  // namespace peers

#endif  // BENCHMARKS_PEERS_COUNTRY_H_
