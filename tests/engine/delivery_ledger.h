#ifndef NEARBY_TESTS_ENGINE_DELIVERY_LEDGER_H_
#define NEARBY_TESTS_ENGINE_DELIVERY_LEDGER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "absl/types/span.h"
#include "nearby/effects.h"
#include "nearby/ids.h"
#include "nearby/time.h"

namespace nearby::test {

/// One line for a person.
std::string Describe(const Delivery& delivery);

/// What one call delivered, to be struck off as it is accounted for. What is left at the end should
/// not have been delivered.
class DeliveryLedger {
 public:
  /// Begins anew. Borrows the deliveries until the next Open.
  void Open(absl::Span<const Delivery> deliveries);

  /// The next delivery about the pair at that time, or nullptr.
  const Delivery* Peek(Time time, UserId subscriber, UserId friend_id) const;
  /// The same, and strikes it off as a consequence of the event of this number.
  const Delivery* Take(Time time, UserId subscriber, UserId friend_id, std::size_t event);

  absl::Span<const Delivery> deliveries() const { return deliveries_; }

  /// Deliveries not struck off, and those that came out of order: what one subscriber is told must
  /// be in the order of the events that it follows from.
  std::vector<std::string> Faults() const;

 private:
  using Key = std::tuple<std::int64_t, UserId, UserId>;
  static constexpr std::size_t kNoEvent = ~std::size_t{0};

  absl::Span<const Delivery> deliveries_;
  std::vector<std::size_t> events_;  // of each delivery
  std::map<Key, std::deque<std::size_t>> open_;
};

}  // namespace nearby::test

#endif  // NEARBY_TESTS_ENGINE_DELIVERY_LEDGER_H_
