#ifndef NEARBY_TESTS_SIM_DRAIN_COUNTS_H_
#define NEARBY_TESTS_SIM_DRAIN_COUNTS_H_

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"

namespace nearby::sim {

/// How often nodes were drained, and what came of it: so that runs can show that all of it has
/// happened.
struct DrainCounts {
  std::uint64_t begun = 0;
  std::uint64_t completed = 0;   ///< The last client had gone, and the node said so.
  std::uint64_t given_up = 0;    ///< The node was shut down with clients.
  std::uint64_t crashed = 0;     ///< Meanwhile.
  std::uint64_t asked = 0;       ///< Clients, to move.
  std::uint64_t moved = 0;       ///< They connected elsewhere first.
  std::uint64_t left_first = 0;  ///< They disconnected first.
  std::uint64_t refused = 0;     ///< Connects to a node that was being drained.

  void Add(const DrainCounts& other) {
    begun += other.begun;
    completed += other.completed;
    given_up += other.given_up;
    crashed += other.crashed;
    asked += other.asked;
    moved += other.moved;
    left_first += other.left_first;
    refused += other.refused;
  }

  void ForEach(absl::FunctionRef<void(absl::string_view name, std::uint64_t count)> each) const {
    each("drain.begun", begun);
    each("drain.completed", completed);
    each("drain.given_up", given_up);
    each("drain.crashed", crashed);
    each("drain.client_asked", asked);
    each("drain.client_moved", moved);
    each("drain.client_left_first", left_first);
    each("drain.connect_refused", refused);
  }
};

}  // namespace nearby::sim

#endif  // NEARBY_TESTS_SIM_DRAIN_COUNTS_H_
