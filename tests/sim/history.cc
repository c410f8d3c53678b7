#include "tests/sim/history.h"

#include <algorithm>
#include <iterator>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "nearby/testing/simulated_fault_counts.h"

namespace nearby::sim {

void History::OnReported(UserId user, Position position, Time reported_at) {
  ++counts_[Key{user, reported_at, position}].reported;
}

bool History::Has(UserId user, Time reported_at) const {
  return std::any_of(counts_.begin(), counts_.end(), [&](const auto& entry) {
    const auto& [key, count] = entry;
    return key.user == user && key.reported_at == reported_at && count.appended > 0;
  });
}

// After what the node cannot tell from a call that was not carried out. By a clock that is put
// forward any call takes too long.
bool History::MayRepeat() const {
  if (faults_->counts().of(SimulatedFault::kClockShifted) != 0) return true;
  constexpr SimulatedStoreFault kUnclear[] = {
      SimulatedStoreFault::kAnswerDelayed, SimulatedStoreFault::kCallUnknown,
      SimulatedStoreFault::kCallUnreachable, SimulatedStoreFault::kAnswerCutOff,
      SimulatedStoreFault::kAnswerLost};
  return std::any_of(std::begin(kUnclear), std::end(kUnclear), [this](SimulatedStoreFault fault) {
    return faults_->counts().of(SimulatedStore::kHistory, fault) != 0;
  });
}

void History::Append(absl::Span<const AcceptedLocation> locations, Done done) {
  for (const AcceptedLocation& location : locations) {
    const auto found = counts_.find(Key{location.user, location.reported_at, location.position});
    if (found == counts_.end()) {
      ledger_->Violate(absl::StrCat("the history has a location that was never reported, of user ",
                                    ToInt(location.user)));
      continue;
    }
    Count& count = found->second;
    if (++count.appended <= count.reported || MayRepeat()) continue;
    ledger_->Violate(
        absl::StrCat("the history has a location twice, of user ", ToInt(location.user)));
  }
  done(absl::OkStatus());
}

void History::Read(const Query& /*query*/, ReadDone done) {
  done(absl::UnimplementedError("nobody reads it here"));
}

}  // namespace nearby::sim
