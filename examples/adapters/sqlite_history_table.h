#ifndef EXAMPLES_ADAPTERS_SQLITE_HISTORY_TABLE_H_
#define EXAMPLES_ADAPTERS_SQLITE_HISTORY_TABLE_H_

#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "examples/adapters/sqlite_database.h"
#include "nearby/effects.h"
#include "nearby/history_store.h"

namespace adapters {

/// The table of a history, and what is asked of it: each call is one transaction.
///
/// Rows are clustered by user and time, so that a read is one walk; a number that rises over all
/// rows keeps those of one instant in the order of their appending.
///
/// Thread-compatible; calls block on the disk.
class SqliteHistoryTable {
 public:
  /// Makes the table if the file is new. `FailedPrecondition`: it is that of another version.
  static absl::StatusOr<SqliteHistoryTable> Create(SqliteDatabase database, absl::Duration keep);

  /// An error says that nothing was appended; `Unavailable`, that nobody knows.
  absl::Status Append(const std::vector<std::vector<nearby::AcceptedLocation>>& batches);
  absl::StatusOr<std::vector<nearby::AcceptedLocation>> Read(
      const nearby::HistoryStore::Query& query);

 private:
  enum Statement { kTakeNumbers, kInsert, kTrim, kSelect, kStatementCount };

  SqliteHistoryTable(SqliteDatabase database, absl::Duration keep)
      : database_(std::move(database)), keep_(keep) {}

  absl::Status AppendInTransaction(
      const std::vector<std::vector<nearby::AcceptedLocation>>& batches);
  absl::Status Trim(const std::vector<std::vector<nearby::AcceptedLocation>>& batches);

  SqliteStatement& Get(Statement statement) { return statements_[statement]; }

  // Declared before the statements, which must go first.
  SqliteDatabase database_;
  std::vector<SqliteStatement> statements_;  // by Statement
  absl::Duration keep_;
};

}  // namespace adapters

#endif  // EXAMPLES_ADAPTERS_SQLITE_HISTORY_TABLE_H_
