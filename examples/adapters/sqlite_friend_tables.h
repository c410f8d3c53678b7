#ifndef EXAMPLES_ADAPTERS_SQLITE_FRIEND_TABLES_H_
#define EXAMPLES_ADAPTERS_SQLITE_FRIEND_TABLES_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "examples/adapters/sqlite_database.h"
#include "nearby/friend_graph.h"
#include "nearby/friend_store.h"
#include "nearby/friendship.h"
#include "nearby/ids.h"

namespace adapters {

/// The tables of a friend store, and what is asked of them: each call is one transaction.
///
/// Friendships have a row for each side. Settings have a row for their author alone, so that what
/// others set about a user costs that user neither room nor time.
///
/// Thread-compatible; calls block on the disk.
class SqliteFriendTables {
 public:
  /// Of each user, as those of a FriendGraph.
  struct Limits {
    std::uint32_t max_friends = nearby::FriendGraph::Options().max_friends;
    std::uint32_t max_settings = nearby::FriendGraph::Options().max_settings;
  };

  /// Makes the tables if the file is new. `FailedPrecondition`: they are those of another version.
  static absl::StatusOr<SqliteFriendTables> Create(SqliteDatabase database, const Limits& limits);

  absl::StatusOr<nearby::FriendList> List(nearby::UserId user);

  /// Makes the edits in order, in one transaction, and appends an outcome for each. An error says
  /// that none of them was made; `Unavailable`, that nobody knows.
  absl::Status EditAll(absl::Span<const nearby::FriendEdit> edits,
                       std::vector<absl::StatusOr<nearby::FriendshipOutcome>>* outcomes);

 private:
  enum Query {
    kVersion,
    kRaiseVersion,
    kListFriends,
    kIsFriend,
    kSettingBits,
    kCountFriends,
    kCountSettings,
    kAddFriend,
    kRemoveFriend,
    kWriteSetting,
    kRemoveSetting,
    kQueryCount,
  };

  SqliteFriendTables(SqliteDatabase database, const Limits& limits)
      : database_(std::move(database)), limits_(limits) {}

  absl::StatusOr<nearby::FriendList> ListInTransaction(nearby::UserId user);
  absl::Status EditAllInTransaction(
      absl::Span<const nearby::FriendEdit> edits,
      std::vector<absl::StatusOr<nearby::FriendshipOutcome>>* outcomes);
  // An error is the database's; that an edit is refused is an outcome.
  absl::Status EditOne(const nearby::FriendEdit& edit,
                       absl::StatusOr<nearby::FriendshipOutcome>* outcome);
  absl::StatusOr<nearby::Friendship> Read(nearby::UserId user, nearby::UserId friend_id);
  absl::Status Write(nearby::UserId user, nearby::UserId friend_id, const nearby::Friendship& held,
                     const nearby::Friendship& wanted);
  // Whether the limits allow it, in `allowed`.
  absl::Status CheckFriends(nearby::UserId user, absl::Status* allowed);
  absl::Status CheckSettings(nearby::UserId user, absl::Status* allowed);

  SqliteStatement& Get(Query query) { return statements_[query]; }

  // Declared before the statements, which must go first.
  SqliteDatabase database_;
  std::vector<SqliteStatement> statements_;  // by Query
  Limits limits_;
};

}  // namespace adapters

#endif  // EXAMPLES_ADAPTERS_SQLITE_FRIEND_TABLES_H_
