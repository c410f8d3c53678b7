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
/// not have been delivered. A copy goes its own way, for trying things out.
class DeliveryLedger {
 public:
  struct Taken {
    const Delivery* delivery = nullptr;
    /// Whether all that the subscriber was told by earlier events came before.
    bool is_in_order = true;
  };

  /// Begins anew. Borrows the deliveries until the next Open.
  void Open(absl::Span<const Delivery> deliveries);

  /// The next delivery about the pair at that time, or nullptr.
  const Delivery* Peek(Time time, UserId subscriber, UserId friend_id) const;
  /// The same, and strikes it off as a consequence of the event of this number.
  Taken Take(Time time, UserId subscriber, UserId friend_id, std::size_t event);

  absl::Span<const Delivery> deliveries() const { return deliveries_; }
  /// The first that is left of that time, or nullptr.
  const Delivery* FirstLeft(Time time) const;
  /// All that is left, in order.
  std::vector<const Delivery*> Left() const;

 private:
  using Key = std::tuple<std::int64_t, UserId, UserId>;

  // How far one subscriber's deliveries have been struck off: how many of the call's deliveries lie
  // before the end of the last event's, and of those before it.
  struct Progress {
    std::size_t event = 0;
    std::size_t end = 0;
    std::size_t end_before = 0;
  };

  absl::Span<const Delivery> deliveries_;
  std::map<Key, std::deque<std::size_t>> open_;  // none of them empty
  std::map<UserId, Progress> progress_;
};

}  // namespace nearby::test

#endif  // NEARBY_TESTS_ENGINE_DELIVERY_LEDGER_H_
