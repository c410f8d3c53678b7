#ifndef NEARBY_TESTS_SIM_WORLD_H_
#define NEARBY_TESTS_SIM_WORLD_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "nearby/client_sink.h"
#include "nearby/ids.h"
#include "nearby/ring_source.h"
#include "nearby/runtime.h"
#include "nearby/session_directory.h"
#include "nearby/testing/simulated_random.h"
#include "nearby/time.h"
#include "tests/sim/drain.h"
#include "tests/sim/drain_counts.h"
#include "tests/sim/history.h"
#include "tests/sim/ledger.h"
#include "tests/sim/node.h"
#include "tests/sim/odds.h"
#include "tests/sim/scenery.h"
#include "tests/sim/world_size.h"

namespace nearby::sim {

struct WorldOptions {
  std::uint64_t seed = 0;
  /// Actions of the simulation, before all becomes quiet; more in a world of many nodes (see
  /// WorldSize), so that as much happens on each.
  std::uint64_t steps = 10'000;
  std::size_t nodes = 0;  ///< 0: two to five, by chance.
  bool has_faults = true;
};

/// A cluster, phones that use it, and everything that can go wrong. One run: faults for so many
/// steps, then quiet, until every phone must have been told what is true.
class World : public ClientSink {
 public:
  /// `rings` are those that it goes through, in order of their versions.
  World(const WorldOptions& options, absl::Span<const RingSource::Ring> rings);
  ~World() override;

  /// False if something was violated.
  bool Run();

  const std::string& violation() const { return ledger_.violation(); }
  const Simulation& simulation() const { return scenery_.simulation; }
  const SimulatedFaults& faults() const { return scenery_.faults; }
  std::size_t nodes() const { return nodes_.size(); }
  std::size_t phones() const { return phones_.size(); }
  std::uint64_t delivered() const { return ledger_.delivered(); }
  /// Of nodes that crash, which no part of the simulated world makes happen.
  std::uint64_t crashes() const { return crashes_; }
  std::uint64_t ring_changes() const { return ring_changes_; }
  const DrainCounts& drains() const { return drain_counts_; }

 private:
  enum class State : std::uint8_t { kOffline, kConnecting, kOnline };

  enum class Act : std::uint8_t {
    kServer,    // a pub/sub server goes down for a while
    kRing,      // the ring changes, and one node is the last to know
    kMove,      // users connect to other nodes
    kLeave,     // some disconnect
    kCrash,     // a node does not come back, nor do those who were connected to it
    kStorm,     // all disconnect, and connect at once
    kSleep,     // some report nothing for longer than the time to live
    kCutOff,    // a node does not reach the directory, while much goes on around it
    kDeaf,      // one hears no letters, the same
    kFirstFix,  // some connect, and take a while to find out where they are
    kDrain,     // a node is drained, shut down, and begins again
  };
  static constexpr std::size_t kActs = 11;

  struct Phone {
    UserId user{};
    State state = State::kOffline;
    std::size_t node = 0;
    std::uint64_t process = 0;  // of the node
    std::uint64_t cookie = 0;
    SessionId session;
    // While connecting: the connection before, which goes on if this one fails.
    std::optional<std::uint64_t> former_cookie;
    LatLng place;
    bool has_reported = false;
    Time last_report{-kMaxTimeMs};
    std::optional<TimedLocation> previous;  // in this session
    bool is_silent = false;                 // reports nothing any more
    bool is_away = false;                   // does not connect
    bool is_stubborn = false;               // does not move when asked to
  };

  // A connection, also of a phone that has forgotten it.
  struct Connection {
    std::size_t phone = 0;
    std::size_t node = 0;
    std::uint64_t process = 0;
    SessionId session;
    bool is_for_drained = false;  // the node took no clients any more
    Time moves_at = kNever;       // as the node has asked
  };

  Flow Deliver(const ClientBatch& batch) override;
  void Ended(SessionId session, std::uint64_t cookie, EndReason reason) override;
  void MoveAway(SessionId session, std::uint64_t cookie, absl::Duration after) override;

  // What happens again and again begins with Act.
  void ScheduleAll();
  void ActNode(std::size_t node);
  void ActRing();

  // Friendships (world_friends.cc).
  void MakeFriends();
  void ActEdit();
  void EditFriendsOf(std::size_t phone);
  // Somebody whom the user sees must not be seen any more.
  void TakeFromSightOf(std::size_t phone);
  // So that many see each other, after so many changes.
  void MakeUp();
  void Edit(const FriendEdit& edit);

  // Phones (world_phones.cc).
  void ActPhone(std::size_t phone);
  void Connect(std::size_t phone);
  void Connect(std::size_t phone, std::size_t node);
  void Connect(std::size_t phone, std::size_t node, bool with_location);
  void OnAnswer(std::size_t phone, std::uint64_t cookie, std::size_t node, std::uint64_t process,
                const absl::StatusOr<ConnectResult>& result);
  // Friends in sight whom the answer to a connect does not hold, page by page.
  void AskForMore(std::uint64_t cookie, PageToken after);
  void Leave(Phone* phone);
  // Goes on with the connection that there was before, if it is still open.
  bool GoBack(Phone* phone);
  void LetGoOfFormer(Phone* phone);
  void Report(Phone* phone);
  // The same from where they were last.
  void SayWhere(Phone* phone);
  void ReportIfAlive(std::size_t phone);
  void NoteReport(Phone* phone);
  void Move(Phone* phone);
  void GoAnywhere(Phone* phone);
  bool IsAlive(const Phone& phone) const;
  std::size_t RandomNode();
  // The one with the most phones.
  std::size_t BusiestNode() const;

  // The last acts (world_last_act.cc): in a world without faults one thing happens, and then nobody
  // says anything that could make up for what has been missed.
  void PlayLastActs();
  void PlayLastAct();
  // All is as before the first.
  void Recover();
  void BeginLastAct(Act act);
  void LeaveForGood(std::size_t phone);
  void WakeSomewhere();
  void CrashForGood(std::size_t node);
  void BeginMove(std::size_t node);
  void BeginStorm();
  void BeginFirstFixes();
  void FindFirstFix(std::size_t phone);
  void ChangeRingUnheardBy(std::size_t node);
  void CrashServerForAWhile();
  // Somewhere in town; from there the phone reports once more.
  void SayLastWords(std::size_t phone);
  void LetSayLastWords(std::size_t node, const SimulatedDelay& when, double odds = 1);

  // Nodes that are cut off (world_cut_off.cc). From the directory: it goes on with the lease that
  // it has, and without the others' knowing. From letters: it can write, but does not read.
  void CutOffFromDirectory(std::size_t node, const SimulatedDelay& duration);
  void CutOffFromLetters(std::size_t node, const SimulatedDelay& duration);
  void BeginCutOff();
  void BeginDeafness();
  // Everybody reports often, and those on the node see fewer and fewer friends.
  void BeginBustle(std::size_t node, std::int64_t edits_after_ms);
  bool IsBustling() const;
  void ReportOften(std::size_t phone);
  void EditOften(std::size_t phone, std::int64_t after_ms);
  void CheckLetGo(std::size_t node, std::uint64_t process);

  // Nodes that are drained (world_drain.cc); with the lease that they have to give back, if nothing
  // can keep them from it.
  void BeginDrain(std::size_t node, std::optional<NodeLease> lease);
  void OnDrained(std::size_t node, std::uint64_t process, const absl::Status& status);
  void TendDrain(std::size_t node, std::uint64_t process);
  void EndDrain(std::size_t node, std::int64_t restart_after_ms);
  bool MustMove(const Phone& phone) const;
  void MoveElsewhere(std::size_t phone);
  void MayHangUp(std::uint64_t cookie);
  void CheckAnswerOfDrained(std::uint64_t cookie, const absl::Status& status);
  void CheckNobodyIsDraining();
  std::optional<NodeLease> LeaseOf(std::size_t node);
  void CheckLeaseGivenBack(std::size_t node, const NodeLease& lease);
  void PlayDrain();
  // Whether all have left who were to.
  void CheckLeft(std::size_t node);
  void ShutDownDrained(std::size_t node);

  // What must be true (world_checks.cc).
  void CheckNodes();
  void CheckConverged();
  // Whether who sees another has been told the last that they said.
  void CheckUpToDate();
  // Whether those who have been told what a user said at that time have been told what came after.
  void CheckFollowed(std::size_t phone, Time time);
  bool MayBeSeen(const Phone& viewer, const Phone& owner, bool* is_borderline);
  bool IsActive(const Phone& phone) const;
  // Once nothing happens any more, what all keep must fit together.
  void CheckBalance();
  std::string FindNodeImbalance(const Node& node);
  std::string FindStoreImbalance();
  std::string FindSessionImbalance();
  std::string FindLocationImbalance();
  std::string FindHistoryImbalance();

  const WorldOptions options_;
  bool refreshes_lists_ = false;
  bool probes_rarely_ = false;  // so that probes do not make up for what went wrong
  const std::vector<RingSource::Ring> rings_;
  Scenery scenery_;
  SimulatedRandom random_;
  const Odds odds_;
  WorldSize size_{0};
  Ledger ledger_;
  History history_;
  std::vector<Phone> phones_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<std::optional<Drain>> drains_;  // by node: its last one
  std::vector<Connection> connections_;       // by cookie
  std::size_t next_ring_ = 0;
  bool is_quiet_ = false;
  bool is_healed_ = false;  // nor is there anything left of the faults
  bool is_still_ = false;   // nobody moves any more
  SimulatedFaultOptions quiet_pace_;
  Time bustle_until_{-kMaxTimeMs};
  std::uint64_t crashes_ = 0;
  std::uint64_t ring_changes_ = 0;
  DrainCounts drain_counts_;
};

}  // namespace nearby::sim

#endif  // NEARBY_TESTS_SIM_WORLD_H_
