#include "examples/adapters/sqlite_friend_tables.h"

#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"

namespace adapters {
namespace {

using nearby::FriendEdit;
using nearby::FriendEntry;
using nearby::FriendList;
using nearby::Friendship;
using nearby::FriendshipOutcome;
using nearby::FriendVersion;
using nearby::UserId;

using Outcomes = std::vector<absl::StatusOr<FriendshipOutcome>>;

constexpr std::int64_t kSchemaVersion = 1;

// SQLite's integers are signed: ids from 2^63 on are kept as negative numbers.
constexpr char kSchema[] = R"(
  CREATE TABLE friends (user INTEGER NOT NULL, friend INTEGER NOT NULL,
                        PRIMARY KEY (user, friend)) WITHOUT ROWID;
  CREATE TABLE settings (author INTEGER NOT NULL, other INTEGER NOT NULL, bits INTEGER NOT NULL,
                         PRIMARY KEY (author, other)) WITHOUT ROWID;
  CREATE TABLE versions (version INTEGER NOT NULL);
  INSERT INTO versions VALUES (0);
)";

// Of settings.bits.
constexpr std::int64_t kHides = 1;
constexpr std::int64_t kUnsubscribed = 2;

// In the order of SqliteFriendTables::Query.
constexpr const char* kQueries[] = {
    "SELECT version FROM versions",
    "UPDATE versions SET version = version + 1 RETURNING version",
    "SELECT friend, coalesce(mine.bits, 0), coalesce(theirs.bits, 0) FROM friends"
    " LEFT JOIN settings AS mine ON mine.author = user AND mine.other = friend"
    " LEFT JOIN settings AS theirs ON theirs.author = friend AND theirs.other = user"
    " WHERE user = ?",
    "SELECT count(*) FROM friends WHERE user = ? AND friend = ?",
    "SELECT coalesce(max(bits), 0) FROM settings WHERE author = ? AND other = ?",
    "SELECT count(*) FROM friends WHERE user = ?",
    "SELECT count(*) FROM settings WHERE author = ?",
    "INSERT INTO friends VALUES (?1, ?2), (?2, ?1)",
    "DELETE FROM friends WHERE (user = ?1 AND friend = ?2) OR (user = ?2 AND friend = ?1)",
    "INSERT OR REPLACE INTO settings VALUES (?, ?, ?)",
    "DELETE FROM settings WHERE author = ? AND other = ?",
};

std::int64_t ToColumn(UserId user) { return static_cast<std::int64_t>(nearby::ToInt(user)); }
UserId ToUser(std::int64_t column) { return UserId{static_cast<std::uint64_t>(column)}; }

Friendship MakeFriendship(bool friends, std::int64_t mine, std::int64_t theirs) {
  Friendship friendship;
  friendship.friends = friends;
  friendship.i_hide = (mine & kHides) != 0;
  friendship.friend_hides = (theirs & kHides) != 0;
  friendship.i_unsubscribed = (mine & kUnsubscribed) != 0;
  friendship.friend_unsubscribed = (theirs & kUnsubscribed) != 0;
  return friendship;
}

// What its author has set about a pair.
std::int64_t OwnBits(const Friendship& friendship) {
  return (friendship.i_hide ? kHides : 0) | (friendship.i_unsubscribed ? kUnsubscribed : 0);
}

// The pair after the edit, seen from its author.
absl::StatusOr<Friendship> Wanted(const FriendEdit& edit, Friendship held) {
  switch (edit.kind) {
    case FriendEdit::Kind::kBefriend:
      held.friends = true;
      return held;
    case FriendEdit::Kind::kUnfriend:
      held.friends = false;
      return held;
    case FriendEdit::Kind::kHide:
      held.i_hide = true;
      return held;
    case FriendEdit::Kind::kShare:
      held.i_hide = false;
      return held;
    case FriendEdit::Kind::kSubscribe:
      held.i_unsubscribed = false;
      return held;
    case FriendEdit::Kind::kUnsubscribe:
      held.i_unsubscribed = true;
      return held;
  }
  return absl::InvalidArgumentError("no such kind of edit");
}

}  // namespace

absl::StatusOr<SqliteFriendTables> SqliteFriendTables::Create(SqliteDatabase database,
                                                              const Limits& limits) {
  SqliteFriendTables tables(std::move(database), limits);
  absl::Status status = tables.database_.MakeTables("friend store", kSchema, kSchemaVersion);
  if (!status.ok()) return status;

  static_assert(std::size(kQueries) == kQueryCount);
  for (const char* const query : kQueries) {
    absl::StatusOr<SqliteStatement> statement = tables.database_.Prepare(query);
    if (!statement.ok()) return statement.status();
    tables.statements_.push_back(*std::move(statement));
  }
  return tables;
}

absl::StatusOr<FriendList> SqliteFriendTables::List(UserId user) {
  // One transaction, so that the version is that of the rows.
  if (absl::Status status = database_.Execute("BEGIN"); !status.ok()) return status;
  absl::StatusOr<FriendList> list = ListInTransaction(user);
  const absl::Status ended = database_.Execute(list.ok() ? "COMMIT" : "ROLLBACK");
  if (list.ok() && !ended.ok()) return ended;
  return list;
}

absl::StatusOr<FriendList> SqliteFriendTables::ListInTransaction(UserId user) {
  FriendList list;
  const absl::StatusOr<std::int64_t> version = Get(kVersion).Query({});
  if (!version.ok()) return version.status();
  list.version = FriendVersion{static_cast<std::uint64_t>(*version)};
  SqliteStatement& query = Get(kListFriends);
  if (absl::Status status = query.Bind({ToColumn(user)}); !status.ok()) return status;
  while (true) {
    const absl::StatusOr<bool> has_row = query.Step();
    if (!has_row.ok()) return has_row.status();
    if (!*has_row) return list;
    list.friends.push_back(
        {ToUser(query.Column(0)), MakeFriendship(true, query.Column(1), query.Column(2))});
  }
}

absl::Status SqliteFriendTables::EditAll(absl::Span<const FriendEdit> edits, Outcomes* outcomes) {
  const std::size_t before = outcomes->size();
  absl::Status status = database_.Change([&] { return EditAllInTransaction(edits, outcomes); });
  if (!status.ok()) {
    outcomes->erase(outcomes->begin() + static_cast<std::ptrdiff_t>(before), outcomes->end());
  }
  return status;
}

absl::Status SqliteFriendTables::EditAllInTransaction(absl::Span<const FriendEdit> edits,
                                                      Outcomes* outcomes) {
  for (const FriendEdit& edit : edits) {
    absl::StatusOr<FriendshipOutcome> outcome = FriendshipOutcome();
    if (absl::Status status = EditOne(edit, &outcome); !status.ok()) return status;
    outcomes->push_back(std::move(outcome));
  }
  return absl::OkStatus();
}

absl::Status SqliteFriendTables::EditOne(const FriendEdit& edit,
                                         absl::StatusOr<FriendshipOutcome>* outcome) {
  const auto [kind, user, friend_id] = edit;
  if (user == friend_id) {
    *outcome = absl::InvalidArgumentError(
        absl::StrCat("user ", nearby::ToInt(user), " cannot be paired with themselves"));
    return absl::OkStatus();
  }
  const absl::StatusOr<Friendship> held = Read(user, friend_id);
  if (!held.ok()) return held.status();
  const absl::StatusOr<Friendship> wanted = Wanted(edit, *held);
  if (!wanted.ok()) {
    *outcome = wanted.status();
    return absl::OkStatus();
  }

  const bool changed = *wanted != *held;
  absl::Status allowed;
  if (changed) {
    if (wanted->friends && !held->friends) {
      if (absl::Status status = CheckFriends(user, &allowed); !status.ok()) return status;
      if (absl::Status status = CheckFriends(friend_id, &allowed); !status.ok()) return status;
    }
    if (OwnBits(*wanted) != 0 && OwnBits(*held) == 0) {
      if (absl::Status status = CheckSettings(user, &allowed); !status.ok()) return status;
    }
    if (!allowed.ok()) {
      *outcome = allowed;
      return absl::OkStatus();
    }
    if (absl::Status status = Write(user, friend_id, *held, *wanted); !status.ok()) return status;
  }
  const absl::StatusOr<std::int64_t> version = Get(changed ? kRaiseVersion : kVersion).Query({});
  if (!version.ok()) return version.status();
  *outcome = FriendshipOutcome{
      {user, friend_id, *wanted, FriendVersion{static_cast<std::uint64_t>(*version)}}, changed};
  return absl::OkStatus();
}

absl::StatusOr<Friendship> SqliteFriendTables::Read(UserId user, UserId friend_id) {
  const std::int64_t me = ToColumn(user);
  const std::int64_t other = ToColumn(friend_id);
  const absl::StatusOr<std::int64_t> friends = Get(kIsFriend).Query({me, other});
  if (!friends.ok()) return friends.status();
  const absl::StatusOr<std::int64_t> mine = Get(kSettingBits).Query({me, other});
  if (!mine.ok()) return mine.status();
  const absl::StatusOr<std::int64_t> theirs = Get(kSettingBits).Query({other, me});
  if (!theirs.ok()) return theirs.status();
  return MakeFriendship(*friends != 0, *mine, *theirs);
}

absl::Status SqliteFriendTables::Write(UserId user, UserId friend_id, const Friendship& held,
                                       const Friendship& wanted) {
  const std::int64_t me = ToColumn(user);
  const std::int64_t other = ToColumn(friend_id);
  if (wanted.friends != held.friends) {
    return Get(wanted.friends ? kAddFriend : kRemoveFriend).Run({me, other});
  }
  const std::int64_t bits = OwnBits(wanted);
  return bits != 0 ? Get(kWriteSetting).Run({me, other, bits})
                   : Get(kRemoveSetting).Run({me, other});
}

absl::Status SqliteFriendTables::CheckFriends(UserId user, absl::Status* allowed) {
  const absl::StatusOr<std::int64_t> count = Get(kCountFriends).Query({ToColumn(user)});
  if (!count.ok()) return count.status();
  if (*count >= limits_.max_friends) {
    allowed->Update(absl::ResourceExhaustedError(absl::StrCat(
        "user ", nearby::ToInt(user), " has the maximum of ", limits_.max_friends, " friends")));
  }
  return absl::OkStatus();
}

absl::Status SqliteFriendTables::CheckSettings(UserId user, absl::Status* allowed) {
  const absl::StatusOr<std::int64_t> count = Get(kCountSettings).Query({ToColumn(user)});
  if (!count.ok()) return count.status();
  if (*count >= limits_.max_settings) {
    allowed->Update(absl::ResourceExhaustedError(
        absl::StrCat("user ", nearby::ToInt(user), " hides from, or has unsubscribed from, the ",
                     "maximum of ", limits_.max_settings, " users")));
  }
  return absl::OkStatus();
}

}  // namespace adapters
