#ifndef NEARBY_TESTS_RUNTIME_CHURN_H_
#define NEARBY_TESTS_RUNTIME_CHURN_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "nearby/friendship.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/in_memory_friend_store.h"
#include "nearby/in_memory_history_store.h"
#include "nearby/in_memory_location_store.h"
#include "nearby/runtime.h"
#include "nearby/testing/recording_client_sink.h"
#include "nearby/testing/scripted_friend_store.h"
#include "nearby/testing/scripted_location_store.h"
#include "nearby/testing/simulated_clock.h"
#include "tests/runtime/reply.h"

namespace nearby::test {

/// A runtime whose shards run on threads of their own, and a host of several threads that call it
/// at random, with clients that are busy at random and a friend store that answers on yet another
/// thread, fails and holds back. No thread waits for time to pass.
///
/// Each user belongs to one host thread, which makes their calls, and so does each pair for edits.
class Churn {
 public:
  struct Options {
    std::uint64_t seed = 1;
    std::uint32_t shards = 1;
    std::uint32_t host_threads = 3;
    std::uint64_t calls = 2'000;  ///< Of each host thread, at least.
  };

  struct Counts {
    std::size_t answered = 0;  ///< Connects.
    std::size_t batches = 0;
    std::size_t resyncs = 0;
    std::size_t promises = 0;  ///< Edits that took sight away, and were acknowledged.
  };

  explicit Churn(const Options& options);
  ~Churn();
  Churn(const Churn&) = delete;
  Churn& operator=(const Churn&) = delete;

  /// Lets all threads do their calls, and joins them. A churn in which nothing happened proves
  /// nothing, and how much happens is the scheduler's choice: the host threads go on beyond their
  /// number of calls, up to a hundredfold, until there was `enough` of everything.
  void Run(const Counts& enough);
  /// On this thread alone: lets what is under way come to its end and everybody report once more.
  /// Then each client must know exactly who is in sight.
  void FinishAndCheck();

  /// Thread-safe.
  Counts counts();

 private:
  struct User;
  struct Pair;
  struct Connection;
  using View = std::pair<UserId, UserId>;  // who looks, at whom

  // One host thread.
  void Host(std::uint32_t thread, const Counts& enough);
  void Trouble();
  void CallOnce(std::mt19937_64& random, User& user);
  void Connect(std::mt19937_64& random, User& user);
  void Disconnect(User& user);
  void Report(std::mt19937_64& random, User& user);
  void SetRadius(std::mt19937_64& random, User& user);
  void ReadPage(User& user);
  void ToggleBusy(std::mt19937_64& random, User& user);
  void Edit(std::mt19937_64& random, Pair& pair);
  void OnConnected(Connection& connection, const ConnectResult& result);
  // The latest session of a user, if it is open as far as anybody can tell.
  std::shared_ptr<Connection> Open(const User& user) const;

  // What has been promised of a pair, by what is known of it.
  void NoteEdit(Pair& pair, const FriendEdit& edit, bool is_acknowledged);
  void Settle(Pair& pair);
  void ExpectAllowed(UserId viewer, absl::Span<const NearbyFriend> named);
  std::string FriendsOf(UserId user);

  const Options options_;
  SimulatedClock clock_;
  InMemoryFriendStore store_;
  ScriptedFriendStore friends_{&store_};
  InMemoryLocationStore location_store_{&clock_};
  ScriptedLocationStore locations_{&location_store_};
  InMemoryHistoryStore history_;
  RecordingClientSink sink_;
  std::vector<std::unique_ptr<User>> users_;
  std::vector<std::unique_ptr<Pair>> pairs_;
  std::atomic<std::uint64_t> last_cookie_{0};
  std::atomic<std::uint32_t> hosts_at_work_{0};
  std::atomic<std::size_t> answered_{0};

  std::mutex promises_mutex_;
  std::map<UserId, std::vector<std::uint64_t>> cookies_;
  std::set<View> promised_;
  std::size_t promises_ = 0;

  RuntimeOptions runtime_options_;
  std::unique_ptr<Runtime> runtime_;  // goes before what it borrows
};

}  // namespace nearby::test

#endif  // NEARBY_TESTS_RUNTIME_CHURN_H_
