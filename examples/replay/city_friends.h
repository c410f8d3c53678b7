#ifndef EXAMPLES_REPLAY_CITY_FRIENDS_H_
#define EXAMPLES_REPLAY_CITY_FRIENDS_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "examples/replay/random.h"

namespace replay {

/// Groups in which people get to know each other, such as the neighbours or the colleagues: the
/// number of a group for each person.
using Circles = std::vector<std::uint32_t>;

/// Invents friendships among people who live in one circle and work in another: 18 for each on
/// average if there are people enough, few for most and hundreds for some, and friends' friends are
/// often friends. Pairs of indices, the smaller first, sorted, each once. Requires circles of one
/// size, the people's number.
std::vector<std::pair<std::uint32_t, std::uint32_t>> InventFriendships(const Circles& home,
                                                                       const Circles& work,
                                                                       Random* random);

}  // namespace replay

#endif  // EXAMPLES_REPLAY_CITY_FRIENDS_H_
