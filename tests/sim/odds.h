#ifndef NEARBY_TESTS_SIM_ODDS_H_
#define NEARBY_TESTS_SIM_ODDS_H_

#include "nearby/testing/simulated_fault_options.h"
#include "nearby/testing/simulated_random.h"

namespace nearby::sim {

/// How often users and operators do what no part of the simulated world does by itself. Drawn for
/// each seed, so that some worlds have much of one kind of trouble.
struct Odds {
  // Each time that a phone acts.
  double disconnect = 0;
  double reconnect = 0;  ///< To any node, while the old connection is still open.
  // Of each node, about once a second.
  double crash = 0;
  double drain = 0;
  double cut_off_from_directory = 0;
  double cut_off_from_letters = 0;

  SimulatedDelay edit_pause;  ///< Between two changes of friendships.

  static Odds Draw(SimulatedRandom* random);
};

}  // namespace nearby::sim

#endif  // NEARBY_TESTS_SIM_ODDS_H_
