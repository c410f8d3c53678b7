#ifndef EXAMPLES_ADAPTERS_SQLITE_DATABASE_H_
#define EXAMPLES_ADAPTERS_SQLITE_DATABASE_H_

#include <sqlite3.h>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace adapters {

/// A prepared statement over integers, which is all that the stores here need. Reused: binding
/// begins it anew.
///
/// Thread-compatible. Must not outlive its database.
class SqliteStatement {
 public:
  /// Begins the statement with these parameters, first to last.
  absl::Status Bind(std::initializer_list<std::int64_t> parameters);
  /// True if there is a row to read, false at the end.
  absl::StatusOr<bool> Step();
  /// Of the row that Step found, counted from 0.
  std::int64_t Column(int index) { return sqlite3_column_int64(statement_.get(), index); }

  /// Runs a statement that answers no rows.
  absl::Status Run(std::initializer_list<std::int64_t> parameters);
  /// Runs a statement that answers one row of one column.
  absl::StatusOr<std::int64_t> Query(std::initializer_list<std::int64_t> parameters);

 private:
  friend class SqliteDatabase;
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };

  explicit SqliteStatement(sqlite3_stmt* statement) : statement_(statement) {}
  absl::Status Error() const;

  std::unique_ptr<sqlite3_stmt, Finalizer> statement_;
};

/// One connection to a SQLite file.
///
/// Errors: `Unavailable` where another holds the file or the disk fails, and trying again may help;
/// `DataLoss` for a damaged file, `Internal` otherwise.
///
/// Thread-compatible.
class SqliteDatabase {
 public:
  /// Opens a file, or makes it, with a write-ahead log. A commit is on the disk when it returns:
  /// what a user was told is private must not come back after a power cut.
  static absl::StatusOr<SqliteDatabase> Open(const std::string& path);

  /// Runs statements that take no parameters and whose rows nobody reads.
  absl::Status Execute(const char* sql);
  absl::StatusOr<SqliteStatement> Prepare(const char* sql);

  /// Runs `schema` if the file is new, and marks it as of that version. `FailedPrecondition`: the
  /// tables, which the message names by what they are `of`, are of another version.
  absl::Status MakeTables(absl::string_view of, const char* schema, std::int64_t version);

  /// Runs `change` in a transaction that writes, and commits it, or rolls it back if it fails. An
  /// error says that nothing was changed; `Unavailable`, that nobody knows.
  absl::Status Change(absl::FunctionRef<absl::Status()> change);

 private:
  struct Closer {
    void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
  };

  explicit SqliteDatabase(sqlite3* database) : database_(database) {}

  std::unique_ptr<sqlite3, Closer> database_;
};

}  // namespace adapters

#endif  // EXAMPLES_ADAPTERS_SQLITE_DATABASE_H_
