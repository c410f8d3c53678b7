#ifndef EXAMPLES_ECHO_SERVER_FRIEND_REQUESTS_H_
#define EXAMPLES_ECHO_SERVER_FRIEND_REQUESTS_H_

#include <cstddef>
#include <cstdint>
#include <mutex>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nearby/ids.h"

namespace echo_server {

/// Who has asked whom to be friends and has not been answered. Kept in memory: after a restart
/// users ask again.
///
/// Once both have asked, the friendship is made elsewhere, and that takes a while. Until it is
/// finished nothing else is done to the pair: a request that could be withdrawn meanwhile would
/// still make friends.
///
/// Thread-safe.
/// Cost: O(log requests); some 100 bytes a request.
class FriendRequests {
 public:
  struct Options {
    /// Requests of one user that wait for an answer; further ones are refused. Only the asking side
    /// is counted: otherwise many could ask one user until nobody else can.
    std::size_t max_per_user = 100;
    /// Requests in all. Past it the oldest makes room.
    std::size_t max_requests = 100'000;
  };

  enum class Outcome {
    kRequested,  ///< Waits for the other side.
    kMutual,     ///< The other side has asked as well: befriend the two, then call Finish.
  };

  explicit FriendRequests(const Options& options) : options_(options) {}

  /// Repeating a request changes nothing. `ResourceExhausted`: the user has too many that wait.
  /// `Aborted`: the two are just becoming friends.
  absl::StatusOr<Outcome> Add(nearby::UserId from, nearby::UserId to);
  /// What kMutual began has ended. Unless they have become friends, the request waits as before.
  void Finish(nearby::UserId a, nearby::UserId b, bool are_friends);
  /// Forgets what either has asked of the other. `Aborted`, and nothing has changed: the two are
  /// just becoming friends.
  absl::Status Remove(nearby::UserId a, nearby::UserId b);

  std::size_t size() const;

 private:
  struct Request {
    nearby::UserId from{};
    nearby::UserId to{};

    friend bool operator==(const Request& a, const Request& b) {
      return a.from == b.from && a.to == b.to;
    }
    template <typename H>
    friend H AbslHashValue(H hash, const Request& request) {
      return H::combine(std::move(hash), request.from, request.to);
    }
  };

  static Request PairOf(nearby::UserId a, nearby::UserId b);
  void RemoveOne(const Request& request);
  void RemoveBoth(nearby::UserId a, nearby::UserId b);

  const Options options_;
  mutable std::mutex mutex_;
  absl::flat_hash_map<Request, std::uint64_t> numbers_;
  absl::btree_map<std::uint64_t, Request> by_age_;           // by number: the oldest first
  absl::flat_hash_map<nearby::UserId, std::size_t> counts_;  // by who asked; never zero
  // Pairs between kMutual and Finish: no more than there are edits of the friend store under way.
  absl::flat_hash_set<Request> becoming_friends_;
  std::uint64_t next_number_ = 0;
};

}  // namespace echo_server

#endif  // EXAMPLES_ECHO_SERVER_FRIEND_REQUESTS_H_
