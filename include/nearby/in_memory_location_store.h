#ifndef NEARBY_IN_MEMORY_LOCATION_STORE_H_
#define NEARBY_IN_MEMORY_LOCATION_STORE_H_

#include <cstddef>
#include <memory>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "nearby/clock.h"
#include "nearby/export.h"
#include "nearby/location_store.h"

namespace nearby {

/// A location store in this process's memory, with expiry: the embedded default, and what several
/// nodes in one test process share.
///
///   InMemoryLocationStore locations;
///   locations.Write(accepted, absl::Minutes(10), [](absl::Status status) { ... });
///
/// Thread-safe: one lock. Every call completes before it returns. Nobody reads an expired location.
/// Ownership: borrows the clock, which must outlive it.
/// Cost: a hash look-up for each location; renewing one costs no more. Expired ones go as writes
/// come, a few with each, O(log users) for each location and time to live. About 100 bytes a user.
class NEARBY_API InMemoryLocationStore : public LocationStore {
 public:
  struct Options {
    /// A write beyond this many users fails with `ResourceExhausted` for those who are new.
    std::size_t max_users = 1u << 26;
  };

  explicit InMemoryLocationStore(const Clock* clock = SystemClock::Get());
  InMemoryLocationStore(const Clock* clock, const Options& options);
  ~InMemoryLocationStore() override;

  void Write(absl::Span<const AcceptedLocation> locations, absl::Duration ttl, Done done) override;
  void Read(absl::Span<const UserId> users, ReadDone done) override;
  void Erase(absl::Span<const Erasure> erasures, Done done) override;

  /// Locations held, expired ones that have not gone yet included.
  std::size_t size() const;

 private:
  struct NEARBY_LOCAL State;
  std::unique_ptr<State> state_;
};

}  // namespace nearby

#endif  // NEARBY_IN_MEMORY_LOCATION_STORE_H_
