#include "examples/echo_server/friends_import.h"

#include <vector>

#include "absl/status/statusor.h"
#include "examples/adapters/sqlite_database.h"
#include "examples/adapters/sqlite_friend_tables.h"
#include "examples/replay/friends_reader.h"
#include "nearby/friend_graph.h"
#include "nearby/friendship.h"
#include "nearby/ids.h"

namespace echo_server {

using adapters::SqliteDatabase;
using adapters::SqliteFriendTables;
using nearby::FriendEdit;
using nearby::UserId;

absl::Status ImportFriends(const std::string& friends, const std::string& db) {
  std::vector<FriendEdit> edits;
  absl::Status status = replay::ReadFriends(friends, [&edits](UserId a, UserId b) {
    edits.push_back({FriendEdit::Kind::kBefriend, a, b});
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  absl::StatusOr<SqliteDatabase> database = SqliteDatabase::Open(db);
  if (!database.ok()) return database.status();
  absl::StatusOr<SqliteFriendTables> tables =
      SqliteFriendTables::Create(*std::move(database), SqliteFriendTables::Limits());
  if (!tables.ok()) return tables.status();
  std::vector<absl::StatusOr<nearby::FriendshipOutcome>> outcomes;
  status = tables->EditAll(edits, &outcomes);
  for (const auto& outcome : outcomes) status.Update(outcome.status());
  return status;
}

}  // namespace echo_server
