#ifndef EXAMPLES_REPLAY_CITY_H_
#define EXAMPLES_REPLAY_CITY_H_

#include <cstddef>
#include <cstdint>

#include "examples/replay/movement.h"
#include "examples/replay/population.h"

namespace replay {

/// An invented city of neighbourhoods, with offices towards its centre, and some towns around it
/// where a few of the people live. Everyone has a home, an office, and cafes and parks that they
/// share with others. Users are numbered from 1. The same numbers make the same city.
Population MakeCity(std::size_t users, std::uint64_t seed);

/// How its people move: on foot, by bicycle, by car and by train, stopping as traffic does, through
/// tunnels where phones fall silent.
MovementModel MakeCityMovement(std::uint64_t seed);

}  // namespace replay

#endif  // EXAMPLES_REPLAY_CITY_H_
