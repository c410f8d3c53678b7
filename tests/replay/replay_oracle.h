#ifndef TESTS_REPLAY_REPLAY_ORACLE_H_
#define TESTS_REPLAY_REPLAY_ORACLE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tests/replay/replay_oracle_input.h"

namespace replay_oracle {

/// What `nearby_replay` was asked.
struct Question {
  std::string friends_path;
  std::string trace_path;
  std::string events_path;  ///< Its answer.
  double radius_m = 8046.72;
  double ttl_s = 600;
};

/// How the answer compares with what it should be.
struct Verdict {
  std::size_t rows = 0;                         ///< Of the trace.
  std::size_t users = 0;                        ///< That reported.
  std::map<std::string, std::size_t> expected;  ///< Events by kind.
  std::size_t on_boundary = 0;                  ///< Decisions within 2 cm: taken from the answer.
  double largest_error_m = 0;                   ///< Of a distance.
  std::size_t differences = 0;
  std::vector<std::string> first_differences;  ///< The first few, in words.
};

/// Plays a trace through once more by the plainest means, every friend tested by the haversine
/// formula, and compares each event. Throws InputError if a file cannot be read.
Verdict CheckReplay(const Question& question);

/// The events that were delivered, taken in step with those that are expected: in order of time.
class Deliveries {
 public:
  Deliveries(const std::string& path, Verdict* verdict) : reader_(path), verdict_(verdict) {}

  /// Expected events from now on happen at `time_ms`; whatever is left from before is a difference.
  void MoveTo(std::int64_t time_ms);
  /// The next event about the pair at this time, or nullptr.
  const Event* Peek(std::uint64_t subscriber, std::uint64_t friend_id);
  /// The pair is expected to have this event next.
  void Expect(const Event& expected);
  /// No more events are expected.
  void Finish();

 private:
  using PairKey = std::pair<std::uint64_t, std::uint64_t>;

  bool ReadAhead();
  void RejectRest();
  void Differ(const std::string& what);

  EventReader reader_;
  Verdict* verdict_;
  std::optional<std::int64_t> time_ms_;
  std::optional<Event> ahead_;
  bool at_end_ = false;
  std::map<PairKey, std::deque<Event>> present_;  // of time_ms_
};

/// The rules of the replay, over sets of users and friends.
class Replay {
 public:
  Replay(const Question& question, Deliveries* deliveries, Verdict* verdict);

  void Befriend(std::uint64_t a, std::uint64_t b);
  /// One line of the trace.
  void Play(const std::vector<std::string>& fields);
  /// Time runs on until everyone has expired.
  void Finish();

 private:
  struct User;

  // A user looking at another: a friend, or one whom a setting concerns.
  struct Look {
    User* subscriber = nullptr;
    User* owner = nullptr;
    Look* back = nullptr;
    bool friends = false;
    bool hidden = false;  // the owner hides from the subscriber
    bool unsubscribed = false;
    bool sees = false;
  };

  struct User {
    std::uint64_t id = 0;
    bool active = false;
    double lat = 0;
    double lng = 0;
    std::int64_t reported_ms = 0;
    double radius_m = 0;
    std::map<std::uint64_t, Look> looks;
  };

  User& GetUser(std::uint64_t id);
  Look& GetLook(std::uint64_t subscriber, std::uint64_t owner);
  void Report(std::uint64_t id, double lat, double lng);
  void Act(const std::vector<std::string>& fields);
  void SetFriends(std::uint64_t a, std::uint64_t b, bool friends);
  void SetRadius(std::uint64_t id, double radius_m);
  // Ends activity: by expiry or by a disconnect.
  void End(User& user, const char* reason);
  void AdvanceTo(std::int64_t time_ms);
  // Settles whether one sees the other, after anything; `reason` is for a leave.
  void Settle(Look& look, const char* reason, bool owner_reported);
  void Expect(const Look& look, const std::string& kind, std::optional<double> distance_m);

  double radius_m_;
  std::int64_t ttl_ms_;
  Deliveries* deliveries_;
  Verdict* verdict_;
  std::optional<std::int64_t> now_ms_;
  std::unordered_map<std::uint64_t, User> users_;
  std::set<std::pair<std::int64_t, std::uint64_t>> deadlines_;
  std::set<std::uint64_t> reporters_;
};

}  // namespace replay_oracle

#endif  // TESTS_REPLAY_REPLAY_ORACLE_H_
