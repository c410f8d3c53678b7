#include "examples/adapters/sqlite_database.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace adapters {
namespace {

// How long a statement waits for another process that writes to the same file.
constexpr int kBusyTimeoutMs = 5000;

absl::Status ToStatus(int code, const char* message) {
  const std::string text = absl::StrCat("SQLite: ", message);
  switch (code & 0xff) {  // the rest of an extended code says which kind of I/O failed
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_IOERR:
    case SQLITE_FULL:
    case SQLITE_CANTOPEN:
    case SQLITE_NOMEM:
      return absl::UnavailableError(text);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(text);
    default:
      return absl::InternalError(text);
  }
}

}  // namespace

absl::Status SqliteStatement::Error() const {
  sqlite3* const database = sqlite3_db_handle(statement_.get());
  return ToStatus(sqlite3_extended_errcode(database), sqlite3_errmsg(database));
}

absl::Status SqliteStatement::Bind(std::initializer_list<std::int64_t> parameters) {
  // Its answer is that of the last run, which has been reported already.
  sqlite3_reset(statement_.get());
  int index = 0;
  for (const std::int64_t parameter : parameters) {
    if (sqlite3_bind_int64(statement_.get(), ++index, parameter) != SQLITE_OK) return Error();
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> SqliteStatement::Step() {
  switch (sqlite3_step(statement_.get())) {
    case SQLITE_ROW:
      return true;
    case SQLITE_DONE:
      // A statement that has not been reset keeps its read lock.
      sqlite3_reset(statement_.get());
      return false;
    default:
      absl::Status error = Error();
      sqlite3_reset(statement_.get());
      return error;
  }
}

absl::Status SqliteStatement::Run(std::initializer_list<std::int64_t> parameters) {
  if (absl::Status status = Bind(parameters); !status.ok()) return status;
  return Step().status();
}

absl::StatusOr<std::int64_t> SqliteStatement::Query(
    std::initializer_list<std::int64_t> parameters) {
  if (absl::Status status = Bind(parameters); !status.ok()) return status;
  absl::StatusOr<bool> has_row = Step();
  if (!has_row.ok()) return has_row.status();
  if (!*has_row) return absl::InternalError("SQLite: a query answered no row");
  const std::int64_t value = Column(0);
  sqlite3_reset(statement_.get());
  return value;
}

absl::StatusOr<SqliteDatabase> SqliteDatabase::Open(const std::string& path) {
  sqlite3* raw = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &raw,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  // Even one that failed to open must be closed.
  SqliteDatabase database(raw);
  if (code != SQLITE_OK) {
    return ToStatus(code, absl::StrCat(path, ": ", sqlite3_errstr(code)).c_str());
  }
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_busy_timeout(raw, kBusyTimeoutMs);
  absl::Status status = database.Execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  if (!status.ok()) return status;
  return database;
}

absl::Status SqliteDatabase::Execute(const char* sql) {
  const int code = sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : ToStatus(code, sqlite3_errmsg(database_.get()));
}

absl::StatusOr<SqliteStatement> SqliteDatabase::Prepare(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v3(database_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return ToStatus(code, sqlite3_errmsg(database_.get()));
  return SqliteStatement(statement);
}

absl::Status SqliteDatabase::MakeTables(absl::string_view of, const char* schema,
                                        std::int64_t version) {
  // A transaction, so that of two processes that open a new file one makes the tables.
  return Change([&]() -> absl::Status {
    absl::StatusOr<SqliteStatement> held = Prepare("PRAGMA user_version");
    if (!held.ok()) return held.status();
    const absl::StatusOr<std::int64_t> found = held->Query({});
    if (!found.ok()) return found.status();
    if (*found == version) return absl::OkStatus();
    if (*found != 0) {
      return absl::FailedPreconditionError(
          absl::StrCat("the ", of, "'s tables are of version ", *found, ", not ", version));
    }
    if (absl::Status status = Execute(schema); !status.ok()) return status;
    return Execute(absl::StrCat("PRAGMA user_version = ", version).c_str());
  });
}

absl::Status SqliteDatabase::Change(absl::FunctionRef<absl::Status()> change) {
  // Immediate: a read transaction that turns into a write one may find that another came first.
  if (absl::Status status = Execute("BEGIN IMMEDIATE"); !status.ok()) return status;
  absl::Status status = change();
  if (status.ok()) {
    status = Execute("COMMIT");
    if (status.ok()) return status;
    // The log may have reached the disk all the same.
    status = absl::UnavailableError(status.message());
  }
  // What fails here has been rolled back already.
  Execute("ROLLBACK").IgnoreError();
  return status;
}

}  // namespace adapters
