#ifndef NEARBY_TESTS_RUNTIME_RANDOM_WORLD_H_
#define NEARBY_TESTS_RUNTIME_RANDOM_WORLD_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "nearby/client_sink.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/time.h"
#include "tests/runtime/world.h"

namespace nearby::test {

/// A world in which everybody does everything at random: users connect, report, edit and leave;
/// clients are busy; shards are polled in any order; the friend store is slow, fails and loses
/// lists. The world and its sink watch over what is handed to whom.
///
/// Thread-compatible.
class RandomWorld {
 public:
  struct Counts {
    std::size_t answered = 0;
    std::size_t failed = 0;
    std::size_t replaced = 0;
    std::size_t edits = 0;
    std::size_t resyncs = 0;
    std::size_t deferred = 0;
    std::size_t locations_dropped = 0;
    std::size_t moves = 0;
  };

  explicit RandomWorld(std::uint64_t seed);

  /// Does one thing, and expects all to be as it must be.
  void Step();
  /// Lets everything under way come to its end and everybody report once more. Then each client
  /// must know exactly who is in sight.
  void FinishAndCheck();

  const Counts& counts() const { return counts_; }
  /// The latest of what was done, a line each; NEARBY_RANDOM_LOG is how many.
  std::string Recent() const;

 private:
  // A report, or several of one client time.
  struct Fix {
    std::optional<Time> accepted_at;  // of the latest that was
    bool is_waiting = true;           // until the shard is polled
  };

  struct Session {
    Connecting connecting;
    bool has_location = false;  // in the call
    bool is_disconnected = false;
    double radius_m = 0;
  };

  std::uint64_t Below(std::uint64_t limit) { return random_() % limit; }
  bool OneIn(std::uint64_t n) { return Below(n) == 0; }
  template <typename T>
  T OneOf(std::initializer_list<T> choices) {
    return choices.begin()[Below(choices.size())];
  }
  template <typename... Words>
  void Note(const Words&... words) {
    AddLine(absl::StrCat("at ", world_.now().ms - kStart.ms, " ms: ", words...));
  }
  void AddLine(std::string line);
  static World::Options DrawOptions(std::mt19937_64& random);
  UserId DrawUser();
  LatLng DrawPlace();
  Session* DrawOpen();
  bool IsOpen(const Session& session) const;
  // Whether the user connects anew, with a location that may be older than what the session has
  // reported in the meantime. Were it disconnected, the user's time would start again from there.
  bool IsBeingReplaced(const Session& session) const;

  void Connect();
  void Disconnect();
  void Report(const Session& session);
  void Edit();
  void SetRadius();
  void ReadPage();
  void ToggleBusy();
  void TroubleLists();
  void TroubleEdits();
  void Poll(ShardId shard);
  void PollAll();
  void NoteAccepted(std::optional<ShardId> shard);
  void CheckEvents(const ClientBatch& batch);

  std::mt19937_64 random_;
  World::Options options_;
  World world_;
  std::vector<std::unique_ptr<Session>> sessions_;        // of all time
  std::map<std::pair<UserId, std::int64_t>, Fix> fixes_;  // by user and client time
  Counts counts_;
  std::deque<std::string> recent_;
};

}  // namespace nearby::test

#endif  // NEARBY_TESTS_RUNTIME_RANDOM_WORLD_H_
