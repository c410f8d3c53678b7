#ifndef NEARBY_TESTS_SIM_DRAIN_H_
#define NEARBY_TESTS_SIM_DRAIN_H_

#include <cstdint>
#include <optional>
#include <set>

#include "absl/time/time.h"
#include "nearby/session_directory.h"
#include "nearby/time.h"
#include "tests/sim/ledger.h"

namespace nearby::sim {

/// How a node asks its clients to move, held against what is promised of it: each once, one after
/// the other, and not all for the same time.
class Drain {
 public:
  struct Terms {
    double clients_per_second = 0;
    std::int64_t spread_ms = 0;
    /// Until when whoever drains the node waits for it.
    Time patience_until;
    /// Whether the node's clock goes right, so that its pace can be measured.
    bool is_clock_right = false;
    /// If the node can reach the directory all the time: its lease, which is to be given back when
    /// it is drained, and no earlier.
    std::optional<NodeLease> lease;
  };

  Drain(Ledger* ledger, Time begun, const Terms& terms)
      : ledger_(ledger), begun_(begun), terms_(terms) {}

  const Terms& terms() const { return terms_; }
  /// A connect from before it began has been answered with Ok: that client is asked at once.
  void OnAnswered() { ++answered_; }
  void OnAsked(std::uint64_t cookie, Time now, absl::Duration after);
  /// The node has said that it is empty.
  void OnOver() { is_over_ = true; }
  bool is_over() const { return is_over_; }

 private:
  Ledger* ledger_;
  Time begun_;
  Terms terms_;
  std::uint64_t answered_ = 0;
  std::set<std::uint64_t> asked_;    // by cookie
  std::set<absl::Duration> afters_;  // that they were told
  bool is_over_ = false;
};

}  // namespace nearby::sim

#endif  // NEARBY_TESTS_SIM_DRAIN_H_
