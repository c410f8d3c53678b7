#ifndef BENCHMARKS_SCENARIOS_CHURN_TURNS_H_
#define BENCHMARKS_SCENARIOS_CHURN_TURNS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "benchmarks/capacity/permutation.h"
#include "benchmarks/capacity/random.h"
#include "benchmarks/scenarios/flags.h"

namespace scenarios {

/// Who connects anew, and when: everybody once in a random order, and again, one each time that so
/// many have reported.
///
/// Thread-compatible.
class ChurnTurns {
 public:
  ChurnTurns(const Flags& flags, double reports_for_each)
      : users_(flags.users),
        reports_for_each_(reports_for_each),
        order_(flags.users, capacity::Mix(flags.seed + 5)) {}

  /// Those whose turn it is after so many reports more.
  std::vector<std::uint32_t> After(std::size_t reports) {
    std::vector<std::uint32_t> users;
    owed_ += static_cast<double>(reports);
    for (; owed_ >= reports_for_each_; owed_ -= reports_for_each_) {
      users.push_back(order_(next_++ % users_));
    }
    return users;
  }

 private:
  std::uint32_t users_;
  double reports_for_each_;
  capacity::Permutation order_;
  std::uint32_t next_ = 0;
  double owed_ = 0;
};

}  // namespace scenarios

#endif  // BENCHMARKS_SCENARIOS_CHURN_TURNS_H_
