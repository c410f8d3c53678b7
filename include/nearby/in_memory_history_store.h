#ifndef NEARBY_IN_MEMORY_HISTORY_STORE_H_
#define NEARBY_IN_MEMORY_HISTORY_STORE_H_

#include <cstddef>
#include <memory>

#include "absl/types/span.h"
#include "nearby/export.h"
#include "nearby/history_store.h"

namespace nearby {

/// The latest locations of each user, in this process's memory: the embedded default.
///
///   InMemoryHistoryStore history;
///   history.Read({user, from, until}, [](absl::StatusOr<std::vector<AcceptedLocation>> found) {
///     ...
///   });
///
/// Thread-safe: one lock. Every call completes before it returns. What is appended twice is kept
/// twice.
/// Cost: an append is a hash look-up, and O(max_per_user) if it comes out of order; a read is
/// O(log max_per_user + answers). 24 bytes a location and about 120 a user: at most 2.7 GB with the
/// default limits.
class NEARBY_API InMemoryHistoryStore : public HistoryStore {
 public:
  struct Options {
    /// Of each user; the oldest make room.
    std::size_t max_per_user = 100;
    /// Of all users: the user whose history was appended to the longest ago makes room.
    std::size_t max_users = 1u << 20;
  };

  InMemoryHistoryStore();
  explicit InMemoryHistoryStore(const Options& options);
  ~InMemoryHistoryStore() override;

  void Append(absl::Span<const AcceptedLocation> locations, Done done) override;
  void Read(const Query& query, ReadDone done) override;

  /// Locations held.
  std::size_t size() const;

 private:
  struct NEARBY_LOCAL State;
  std::unique_ptr<State> state_;
};

}  // namespace nearby

#endif  // NEARBY_IN_MEMORY_HISTORY_STORE_H_
