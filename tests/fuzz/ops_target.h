#ifndef NEARBY_TESTS_FUZZ_OPS_TARGET_H_
#define NEARBY_TESTS_FUZZ_OPS_TARGET_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nearby/engine.h"
#include "nearby/friend_graph.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/options.h"
#include "nearby/time.h"
#include "tests/engine/stream_checker.h"

namespace nearby::test {

/// How the engines under test are driven.
enum class Driving : std::uint8_t {
  kLockstep,  ///< By Lockstep.
  kPrompt,    ///< Raw engines; messages arrive at once, friend lists when an operation says so.
  kDelayed,   ///< Raw engines; messages, too, arrive when an operation says so.
};

struct World {
  EngineOptions options;
  std::uint32_t shards = 1;
  Driving driving = Driving::kLockstep;
  std::size_t users = 2;  ///< Fewer meet more often.
};

/// What can be done to engines by a sequence of operations. Every implementation tells the checker
/// of each call and hands it all that the call delivered. Calls with nonsense are welcome.
class OpsTarget {
 public:
  enum class ChangeKind : std::uint8_t {
    kBefriend,
    kUnfriend,
    kHide,
    kShare,
    kSubscribe,
    kUnsubscribe,
  };

  virtual ~OpsTarget() = default;

  virtual absl::Status Advance(Time now) = 0;
  virtual Time now() const = 0;
  virtual absl::Status Connect(const ConnectRequest& request) = 0;
  virtual absl::Status Disconnect(UserId user) = 0;
  virtual ReportOutcome Report(UserId user, LatLng location, Time reported_at) = 0;
  virtual absl::Status Apply(ChangeKind kind, Viewing viewing) = 0;
  virtual absl::Status SetRadius(UserId user, double radius_m) = 0;
  virtual absl::StatusOr<NearbyPage> Nearby(UserId user, PageToken after, std::size_t size) = 0;
  virtual bool is_connected(UserId user) const = 0;

  /// Reads the user's friend list and keeps it; hands over the oldest list kept. Lockstep loads by
  /// itself: nothing happens.
  virtual void SnapshotList(UserId /*user*/) {}
  virtual void LoadOldestList(UserId /*user*/) {}
  /// Carries one message, or all. Nothing where messages are not held back.
  virtual void CarryOne(std::size_t /*choice*/) {}
  virtual void CarryAll() {}
  /// Calls with the handle of a session that is over; they must fail and change nothing.
  virtual void UseStaleHandle(std::size_t /*choice*/) {}
  /// A message that cannot be for the shard that gets it; it must change nothing.
  virtual void SendStrayMessage(std::size_t /*choice*/, UserId /*a*/, UserId /*b*/) {}

  virtual EngineStats stats() const = 0;
  virtual absl::Status CheckInvariants() const = 0;

  StreamChecker& checker() { return *checker_; }
  const StreamChecker& checker() const { return *checker_; }
  /// Everything delivered, in order.
  const std::vector<Delivery>& transcript() const { return transcript_; }
  /// Broken promises that the checker cannot see.
  const std::vector<Violation>& violations() const { return violations_; }

 protected:
  explicit OpsTarget(const World& world);

  FriendGraph& graph() { return *graph_; }
  /// For a change that the graph has made or refused.
  absl::StatusOr<FriendGraph::Outcome> ChangeGraph(ChangeKind kind, Viewing viewing);
  void Observe(StreamChecker::Call call, const std::vector<AcceptedLocation>& locations,
               const std::vector<Delivery>& deliveries);
  void Fail(int invariant, std::string what) { violations_.push_back({invariant, what}); }
  std::uint64_t NextCookie() { return ++last_cookie_; }
  static FriendGraph::Options GraphOptions(const World& world);

 private:
  std::unique_ptr<FriendGraph> graph_;
  std::unique_ptr<StreamChecker> checker_;
  std::vector<Delivery> transcript_;
  std::vector<Violation> violations_;
  std::uint64_t last_cookie_ = 0;
};

/// Requires valid options.
std::unique_ptr<OpsTarget> MakeOpsTarget(const World& world);

}  // namespace nearby::test

#endif  // NEARBY_TESTS_FUZZ_OPS_TARGET_H_
