#include "examples/adapters/sqlite_history_table.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>

#include "absl/container/flat_hash_map.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/time.h"

namespace adapters {
namespace {

using nearby::AcceptedLocation;
using nearby::Position;
using nearby::Time;
using nearby::UserId;

using Batches = std::vector<std::vector<AcceptedLocation>>;

constexpr std::int64_t kSchemaVersion = 1;

// SQLite's integers are signed: ids from 2^63 on are kept as negative numbers.
constexpr char kSchema[] = R"(
  CREATE TABLE history (user INTEGER NOT NULL, accepted_ms INTEGER NOT NULL,
                        number INTEGER NOT NULL, position INTEGER NOT NULL,
                        reported_ms INTEGER NOT NULL,
                        PRIMARY KEY (user, accepted_ms, number)) WITHOUT ROWID;
  CREATE TABLE numbers (next INTEGER NOT NULL);
  INSERT INTO numbers VALUES (0);
)";

// In the order of SqliteHistoryTable::Statement.
constexpr const char* kStatements[] = {
    "UPDATE numbers SET next = next + ? RETURNING next",
    "INSERT INTO history VALUES (?, ?, ?, ?, ?)",
    "DELETE FROM history WHERE user = ? AND accepted_ms < ?",
    "SELECT accepted_ms, position, reported_ms FROM history"
    " WHERE user = ? AND accepted_ms >= ? AND accepted_ms < ?"
    " ORDER BY accepted_ms, number LIMIT ?",
};

std::int64_t ToColumn(UserId user) { return static_cast<std::int64_t>(nearby::ToInt(user)); }

std::int64_t ToColumn(Position position) {
  const auto lat = static_cast<std::uint32_t>(position.lat_units());
  const auto lng = static_cast<std::uint32_t>(position.lng_units());
  return static_cast<std::int64_t>(std::uint64_t{lat} << 32 | lng);
}

Position ToPosition(std::int64_t column) {
  const auto bits = static_cast<std::uint64_t>(column);
  return Position::FromUnits(static_cast<std::int32_t>(static_cast<std::uint32_t>(bits >> 32)),
                             static_cast<std::int32_t>(static_cast<std::uint32_t>(bits)));
}

std::int64_t ToLimit(std::size_t limit) {
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  return static_cast<std::int64_t>(std::min<std::uint64_t>(limit, kMost));
}

}  // namespace

absl::StatusOr<SqliteHistoryTable> SqliteHistoryTable::Create(SqliteDatabase database,
                                                              absl::Duration keep) {
  SqliteHistoryTable table(std::move(database), keep);
  absl::Status status = table.database_.MakeTables("history", kSchema, kSchemaVersion);
  if (!status.ok()) return status;
  static_assert(std::size(kStatements) == kStatementCount);
  for (const char* const sql : kStatements) {
    absl::StatusOr<SqliteStatement> statement = table.database_.Prepare(sql);
    if (!statement.ok()) return statement.status();
    table.statements_.push_back(*std::move(statement));
  }
  return table;
}

absl::Status SqliteHistoryTable::Append(const Batches& batches) {
  return database_.Change([&] { return AppendInTransaction(batches); });
}

absl::Status SqliteHistoryTable::AppendInTransaction(const Batches& batches) {
  std::size_t count = 0;
  for (const std::vector<AcceptedLocation>& batch : batches) count += batch.size();
  const auto rows = static_cast<std::int64_t>(count);
  const absl::StatusOr<std::int64_t> next = Get(kTakeNumbers).Query({rows});
  if (!next.ok()) return next.status();
  std::int64_t number = *next - rows;
  for (const std::vector<AcceptedLocation>& batch : batches) {
    for (const AcceptedLocation& location : batch) {
      absl::Status status =
          Get(kInsert).Run({ToColumn(location.user), location.accepted_at.ms, number++,
                            ToColumn(location.position), location.reported_at.ms});
      if (!status.ok()) return status;
    }
  }
  return Trim(batches);
}

absl::Status SqliteHistoryTable::Trim(const Batches& batches) {
  if (keep_ == absl::InfiniteDuration()) return absl::OkStatus();
  absl::flat_hash_map<UserId, Time> latest;
  for (const std::vector<AcceptedLocation>& batch : batches) {
    for (const AcceptedLocation& location : batch) {
      Time& time = latest.try_emplace(location.user, location.accepted_at).first->second;
      time = std::max(time, location.accepted_at);
    }
  }
  const std::int64_t keep_ms = std::min(absl::ToInt64Milliseconds(keep_), nearby::kMaxTimeMs);
  for (const auto& [user, time] : latest) {
    absl::Status status = Get(kTrim).Run({ToColumn(user), time.ms - keep_ms});
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<AcceptedLocation>> SqliteHistoryTable::Read(
    const nearby::HistoryStore::Query& query) {
  SqliteStatement& select = Get(kSelect);
  absl::Status status =
      select.Bind({ToColumn(query.user), query.from.ms, query.until.ms, ToLimit(query.limit)});
  if (!status.ok()) return status;
  std::vector<AcceptedLocation> found;
  while (true) {
    const absl::StatusOr<bool> has_row = select.Step();
    if (!has_row.ok()) return has_row.status();
    if (!*has_row) return found;
    found.push_back({query.user, ToPosition(select.Column(1)), Time::Millis(select.Column(0)),
                     Time::Millis(select.Column(2))});
  }
}

}  // namespace adapters
