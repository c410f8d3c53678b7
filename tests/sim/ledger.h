#ifndef NEARBY_TESTS_SIM_LEDGER_H_
#define NEARBY_TESTS_SIM_LEDGER_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "nearby/client_sink.h"
#include "nearby/friendship.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/runtime.h"
#include "nearby/testing/simulated_random.h"
#include "nearby/testing/simulation.h"
#include "nearby/time.h"

namespace nearby::sim {

/// What clients have been told, what users have done, and what nobody may be told any more: holds
/// each thing that a sink is handed against these. The first violation ends the run.
///
/// It knows nothing of nodes, channels or directories: only what a user could know.
class Ledger {
 public:
  struct Limits {
    double radius_m = 0;
    /// A location older than this, by the user's own time, must not be told.
    std::int64_t max_age_ms = 0;
  };

  Ledger(Simulation* simulation, const Limits& limits) : simulation_(simulation), limits_(limits) {}

  /// For whoever reads of a violation.
  void BeginScene(const std::string& scene) { scene_ = scene; }

  // --- what happens ---
  void OnReported(UserId user, Position position, Time reported_at);
  void OnConnecting(std::uint64_t cookie, UserId user);
  void OnConnected(std::uint64_t cookie, const ConnectResult& result);
  /// The client has gone: what a node still hands over is its own affair.
  void OnLeft(std::uint64_t cookie);
  void OnDelivered(const ClientBatch& batch);
  /// The client takes nothing more for a while: what comes next may be several things in one.
  void OnBusy(std::uint64_t cookie) { clients_[cookie].was_busy = true; }
  void OnEnded(std::uint64_t cookie);
  /// The client is to connect to another node.
  void OnAskedToMove(std::uint64_t cookie);

  // --- friendships ---
  /// At the beginning all pairs are strangers.
  void SetFriends(UserId a, UserId b);
  /// An edit has been called; the number is for OnEdited.
  std::uint64_t OnEditing(const FriendEdit& edit);
  /// It has been completed: `is_certain` unless its outcome is open.
  void OnEdited(std::uint64_t number, bool is_ok, bool is_certain);

  /// Nothing is under way any more: what has not taken effect never will.
  void OnHealed();

  /// Whom the client has been told to be in sight.
  const std::set<UserId>& InSight(std::uint64_t cookie) const;
  /// When the last location of the friend was reported that the client has been told.
  std::optional<Time> NewestTold(std::uint64_t cookie, UserId friend_id) const;
  std::optional<Position> PositionOf(UserId user) const;
  /// Of those whom the user's last client has been told of.
  std::optional<UserId> SomebodyInSight(UserId user, SimulatedRandom* random) const;

  bool has_violation() const { return !violation_.empty(); }
  const std::string& violation() const { return violation_; }
  void Violate(const std::string& what);
  std::uint64_t delivered() const { return delivered_; }
  /// Whether an edit of the pair has not been completed, or not with Ok: what the store says of it
  /// need not be known everywhere.
  bool IsOpen(UserId a, UserId b) const;

 private:
  static constexpr std::size_t kRemembered = 64;

  struct Reported {
    Position position;
    Time reported_at;
  };

  // What a client knows of a friend, and when: equal only if nothing has happened between two.
  struct Told {
    Time reported_at;
    std::uint64_t own_reports = 0;
    std::uint64_t edits = 0;
  };

  struct Client {
    UserId user{};
    bool is_answered = false;
    bool is_over = false;    // for the client
    bool has_ended = false;  // for the node as well
    std::set<UserId> in_sight;
    bool was_busy = false;
    std::map<UserId, Time> newest;  // that has been told of each
    std::map<UserId, Told> told;    // the same, last
  };

  struct Pair {
    // By the direction: whether the first may be told of the second.
    bool first_forbidden = true;
    bool second_forbidden = true;
    std::uint64_t grants = 0;       // edits that grant, begun so far
    std::uint64_t open_grants = 0;  // that may still take effect
    std::uint64_t edits = 0;        // begun and completed
    std::uint64_t open_edits = 0;   // of which some node may know nothing
  };

  struct OpenEdit {
    FriendEdit edit;
    std::uint64_t grants = 0;
    bool had_open_grants = false;
  };

  static std::pair<UserId, UserId> Key(UserId a, UserId b) {
    return a < b ? std::pair(a, b) : std::pair(b, a);
  }
  static bool Grants(FriendEdit::Kind kind);
  bool IsForbidden(UserId viewer, UserId friend_id) const;
  void Forbid(UserId viewer, UserId friend_id);
  Client* Find(std::uint64_t cookie, const char* what);
  void CheckSighting(Client* client, UserId friend_id, Position position, Time reported_at,
                     std::int64_t distance_mm);
  void OnEvent(Client* client, const ClientEvent& event);
  // Whoever has hung up may still be told something, but nothing that is forbidden.
  void OnGone(const Client& client, const ClientBatch& batch);
  void CheckNews(Client* client, const ClientEvent& event);
  void CheckLeave(const Client& client, const ClientEvent& event);

  Simulation* simulation_;
  const Limits limits_;
  std::map<UserId, std::deque<Reported>> reports_;
  std::map<UserId, std::uint64_t> report_counts_;
  std::map<std::uint64_t, Client> clients_;
  std::map<std::pair<UserId, UserId>, Pair> pairs_;
  std::map<std::uint64_t, OpenEdit> edits_;
  std::uint64_t next_edit_ = 1;
  std::uint64_t delivered_ = 0;
  std::string scene_ = "among faults";
  std::string violation_;
};

}  // namespace nearby::sim

#endif  // NEARBY_TESTS_SIM_LEDGER_H_
