#ifndef NEARBY_TESTS_SIM_HISTORY_H_
#define NEARBY_TESTS_SIM_HISTORY_H_

#include <cstdint>
#include <map>
#include <tuple>

#include "absl/types/span.h"
#include "nearby/effects.h"
#include "nearby/geo.h"
#include "nearby/history_store.h"
#include "nearby/ids.h"
#include "nearby/testing/simulated_faults.h"
#include "nearby/time.h"
#include "tests/sim/ledger.h"

namespace nearby::sim {

/// The log of where everybody has been, which holds what is appended to it against what users have
/// reported: nothing that nobody has, and nothing twice unless a call may have failed.
class History : public HistoryStore {
 public:
  /// Both must outlive it.
  History(const SimulatedFaults* faults, Ledger* ledger) : faults_(faults), ledger_(ledger) {}

  /// A phone says where its user is.
  void OnReported(UserId user, Position position, Time reported_at);
  /// Whether a report of that instant is there.
  bool Has(UserId user, Time reported_at) const;

  void Append(absl::Span<const AcceptedLocation> locations, Done done) override;
  /// Nobody does.
  void Read(const Query& query, ReadDone done) override;

 private:
  // A report; a user may have made it twice within a millisecond.
  struct Key {
    UserId user{};
    Time reported_at;
    Position position;

    bool operator<(const Key& other) const { return Parts() < other.Parts(); }

   private:
    std::tuple<UserId, Time, std::int32_t, std::int32_t> Parts() const {
      return {user, reported_at, position.lat_units(), position.lng_units()};
    }
  };

  struct Count {
    std::uint64_t reported = 0;
    std::uint64_t appended = 0;
  };

  bool MayRepeat() const;

  const SimulatedFaults* faults_;
  Ledger* ledger_;
  std::map<Key, Count> counts_;
};

}  // namespace nearby::sim

#endif  // NEARBY_TESTS_SIM_HISTORY_H_
