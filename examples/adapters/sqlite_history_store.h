#ifndef EXAMPLES_ADAPTERS_SQLITE_HISTORY_STORE_H_
#define EXAMPLES_ADAPTERS_SQLITE_HISTORY_STORE_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "nearby/effects.h"
#include "nearby/history_store.h"

namespace adapters {

/// A history in a SQLite file.
///
///   auto history = SqliteHistoryStore::Open("history.db").value();
///   history->Append(accepted, [](absl::Status status) { ... });
///
/// What is appended twice is kept twice. Several processes may use one file.
///
/// Thread-safe. Calls go to a thread of the store's own, which answers them in order. Appends that
/// wait together are committed together, and one that has been answered is on the disk.
/// Ownership: owns the connection and the thread. Destroying the store drops what still waits,
/// uncalled.
/// Cost: a location takes some microseconds, its share of a commit, and about 40 bytes. A read is
/// O(log of all + answers).
class SqliteHistoryStore : public nearby::HistoryStore {
 public:
  struct Options {
    /// A user's locations that were accepted this much before their latest of an append are
    /// deleted along with it. Of users who are never appended to again, what there is stays.
    absl::Duration keep = absl::Hours(24 * 30);
    /// Locations that wait for the thread, a read counting as one; further calls fail with
    /// `ResourceExhausted`.
    std::size_t max_waiting = std::size_t{1} << 18;
    /// Locations that one transaction takes, or one append, if that has more.
    std::size_t max_batch = std::size_t{1} << 14;
  };

  /// Opens a file, or makes it. `FailedPrecondition`: its tables are those of another version;
  /// otherwise as SqliteDatabase::Open.
  static absl::StatusOr<std::unique_ptr<SqliteHistoryStore>> Open(const std::string& path) {
    return Open(path, Options());
  }
  static absl::StatusOr<std::unique_ptr<SqliteHistoryStore>> Open(const std::string& path,
                                                                  const Options& options);
  ~SqliteHistoryStore() override;

  void Append(absl::Span<const nearby::AcceptedLocation> locations, Done done) override;
  void Read(const Query& query, ReadDone done) override;

 private:
  class Worker;
  explicit SqliteHistoryStore(std::unique_ptr<Worker> worker);

  std::unique_ptr<Worker> worker_;
};

}  // namespace adapters

#endif  // EXAMPLES_ADAPTERS_SQLITE_HISTORY_STORE_H_
