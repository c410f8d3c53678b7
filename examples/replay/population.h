#ifndef EXAMPLES_REPLAY_POPULATION_H_
#define EXAMPLES_REPLAY_POPULATION_H_

#include <utility>
#include <vector>

#include "examples/replay/great_circle.h"
#include "nearby/ids.h"

namespace replay {

/// Somewhere a person goes, and how often compared with their other places.
struct Place {
  UnitVector point;
  double weight = 1;  ///< Positive.
};

struct Person {
  nearby::UserId id{};
  std::vector<Place> places;  ///< Not empty.
};

/// Who lives, where they go, and who is whose friend: what a trace is made from. Ids ascend; a
/// friendship is listed once.
struct Population {
  std::vector<Person> people;
  std::vector<std::pair<nearby::UserId, nearby::UserId>> friendships;
};

}  // namespace replay

#endif  // EXAMPLES_REPLAY_POPULATION_H_
