#ifndef EXAMPLES_ADAPTERS_SQLITE_FRIEND_STORE_H_
#define EXAMPLES_ADAPTERS_SQLITE_FRIEND_STORE_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "examples/adapters/sqlite_friend_tables.h"
#include "nearby/friend_store.h"
#include "nearby/friendship.h"
#include "nearby/ids.h"

namespace adapters {

/// A friend store in a SQLite file, with the semantics of `InMemoryFriendStore`: hides and
/// unsubscriptions are one-way and outlive the friendship. How many users there are, the disk
/// limits.
///
///   auto store = SqliteFriendStore::Open("friends.db").value();
///   auto runtime = Runtime::Create({}, {&sink, store.get()}).value();
///
/// Versions count the changes that have been committed; they are kept in the file and rise in the
/// transaction that makes the change. Several processes may use one file.
///
/// Thread-safe. Calls go to a thread of the store's own, which answers them in order. An edit that
/// has been answered is on the disk; edits that wait together are committed together.
/// Ownership: owns the connection and the thread. Destroying the store drops what still waits,
/// uncalled.
/// Cost: about half a microsecond for each friend of a list; for an edit, its share of a commit,
/// which takes as long as the disk does, some milliseconds.
class SqliteFriendStore : public nearby::FriendStore {
 public:
  struct Options {
    SqliteFriendTables::Limits limits;
    /// Calls that wait for the thread; further ones fail with `ResourceExhausted`.
    std::size_t max_waiting = 1u << 14;
    /// Edits that one transaction takes at most.
    std::size_t max_batch = 64;
  };

  /// Opens a file, or makes it. `FailedPrecondition`: its tables are those of another version;
  /// otherwise as SqliteDatabase::Open.
  static absl::StatusOr<std::unique_ptr<SqliteFriendStore>> Open(const std::string& path) {
    return Open(path, Options());
  }
  static absl::StatusOr<std::unique_ptr<SqliteFriendStore>> Open(const std::string& path,
                                                                 const Options& options);
  ~SqliteFriendStore() override;

  void List(nearby::UserId user, ListDone done) override;
  void Edit(const nearby::FriendEdit& edit, EditDone done) override;

 private:
  class Worker;
  explicit SqliteFriendStore(std::unique_ptr<Worker> worker);

  std::unique_ptr<Worker> worker_;
};

}  // namespace adapters

#endif  // EXAMPLES_ADAPTERS_SQLITE_FRIEND_STORE_H_
