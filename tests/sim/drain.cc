#include "tests/sim/drain.h"

#include "absl/strings/str_cat.h"

namespace nearby::sim {

void Drain::OnAsked(std::uint64_t cookie, Time now, absl::Duration after) {
  if (!asked_.insert(cookie).second) return ledger_->Violate("a client was asked to move twice");
  const auto passed_s = static_cast<double>(now.ms - begun_.ms) / 1000;
  const double most = passed_s * terms_.clients_per_second + static_cast<double>(answered_);
  if (terms_.is_clock_right && static_cast<double>(asked_.size()) > most) {
    return ledger_->Violate(absl::StrCat(asked_.size(), " clients were asked to move within ",
                                         passed_s, " s, where ", most, " may be"));
  }
  if (after < absl::ZeroDuration() || after > absl::Milliseconds(terms_.spread_ms)) {
    return ledger_->Violate("a client was asked to move at a time beyond the spread");
  }
  afters_.insert(after);
  // By a hash of 16 bits, two may be told the same.
  if (asked_.size() < 3 || afters_.size() > 1) return;
  ledger_->Violate("clients were asked to move all at the same time");
}

}  // namespace nearby::sim
