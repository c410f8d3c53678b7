#ifndef NEARBY_TESTING_SCRIPTED_LOCATION_STORE_H_
#define NEARBY_TESTING_SCRIPTED_LOCATION_STORE_H_

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "nearby/effects.h"
#include "nearby/export.h"
#include "nearby/ids.h"
#include "nearby/location_store.h"
#include "nearby/testing/call_script.h"

namespace nearby {

/// A location store that is slow, fails and loses calls when a test says so, and otherwise does
/// what the store behind it does.
///
///   InMemoryLocationStore locations(&clock);
///   ScriptedLocationStore store(&locations);
///   store.writes().FailNext(3, absl::UnavailableError("down"));
///
/// Thread-safe. Borrows the store behind it, which must outlive it.
class NEARBY_API ScriptedLocationStore : public LocationStore {
 public:
  explicit ScriptedLocationStore(LocationStore* store) : store_(store) {}

  void Write(absl::Span<const AcceptedLocation> locations, absl::Duration ttl, Done done) override;
  void Read(absl::Span<const UserId> users, ReadDone done) override;
  void Erase(absl::Span<const Erasure> erasures, Done done) override;

  /// The calls of each kind. They name the users of their batch, in its order.
  CallScript& writes() { return writes_; }
  CallScript& reads() { return reads_; }
  CallScript& erasures() { return erasures_; }

 private:
  LocationStore* store_;
  CallScript writes_;
  CallScript reads_;
  CallScript erasures_;
};

}  // namespace nearby

#endif  // NEARBY_TESTING_SCRIPTED_LOCATION_STORE_H_
