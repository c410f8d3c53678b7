#ifndef NEARBY_TESTING_SCRIPTED_HISTORY_STORE_H_
#define NEARBY_TESTING_SCRIPTED_HISTORY_STORE_H_

#include "absl/types/span.h"
#include "nearby/effects.h"
#include "nearby/export.h"
#include "nearby/history_store.h"
#include "nearby/testing/call_script.h"

namespace nearby {

/// A history store that is slow, fails and loses calls when a test says so, and otherwise does what
/// the store behind it does.
///
///   InMemoryHistoryStore history;
///   ScriptedHistoryStore store(&history);
///   store.appends().FailNextAfterwards(1, absl::DeadlineExceededError("slow"));
///
/// Thread-safe. Borrows the store behind it, which must outlive it.
class NEARBY_API ScriptedHistoryStore : public HistoryStore {
 public:
  explicit ScriptedHistoryStore(HistoryStore* store) : store_(store) {}

  void Append(absl::Span<const AcceptedLocation> locations, Done done) override;
  void Read(const Query& query, ReadDone done) override;

  /// The calls of Append: each names the users of its batch, in its order.
  CallScript& appends() { return appends_; }
  /// The calls of Read: each names its user.
  CallScript& reads() { return reads_; }

 private:
  HistoryStore* store_;
  CallScript appends_;
  CallScript reads_;
};

}  // namespace nearby

#endif  // NEARBY_TESTING_SCRIPTED_HISTORY_STORE_H_
