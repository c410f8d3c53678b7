#ifndef NEARBY_TESTS_RUNTIME_WORLD_H_
#define NEARBY_TESTS_RUNTIME_WORLD_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "nearby/client_sink.h"
#include "nearby/friendship.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/in_memory_friend_store.h"
#include "nearby/in_memory_history_store.h"
#include "nearby/in_memory_location_store.h"
#include "nearby/runtime.h"
#include "nearby/testing/recording_client_sink.h"
#include "nearby/testing/recording_metrics_sink.h"
#include "nearby/testing/scripted_friend_store.h"
#include "nearby/testing/scripted_history_store.h"
#include "nearby/testing/scripted_location_store.h"
#include "nearby/testing/simulated_clock.h"
#include "nearby/time.h"
#include "tests/runtime/reply.h"

namespace nearby::test {

inline constexpr Time kStart{1'700'000'000'000};
inline constexpr LatLng kHere{48.137, 11.575};
inline constexpr LatLng kFarAway{49, 11.575};

/// So many metres to the north of kHere, roughly.
constexpr LatLng North(double meters) { return {kHere.lat + meters / 111'195.0, kHere.lng}; }

using ConnectReply = Reply<absl::StatusOr<ConnectResult>>;
using StatusReply = Reply<absl::Status>;
using PageReply = Reply<absl::StatusOr<NearbyPage>>;
using EditReply = Reply<absl::StatusOr<std::optional<NearbyFriend>>>;

/// A connection of the host's, with its session.
struct Client {
  UserId user{};
  std::uint64_t cookie = 0;
  SessionId session;
};

/// One that has not been answered, or was not when it was made.
struct Connecting {
  UserId user{};
  std::uint64_t cookie = 0;
  ConnectReply reply;

  /// Once it has been answered with Ok.
  Client client() const { return {user, cookie, (*reply)->session}; }
};

/// A runtime on one thread, with all that it borrows in the hands of a test. Time stands still
/// until the clock is moved, and nothing happens until Settle or one of the runtime's polls.
///
/// The world holds every answer against what has been promised: once an edit that takes sight away
/// has been completed, the sink complains of anything but a leave, and so does the world of anybody
/// who is named in an answer or on a page.
///
/// Thread-compatible.
class World {
 public:
  struct Options {
    RuntimeOptions runtime;
    bool has_location_store = false;
    bool has_history_store = false;
    bool has_metrics = false;
    RecordingClientSink::Options sink;
    std::function<void(ShardId)> wake;
  };

  explicit World(const Options& options);
  explicit World(std::uint32_t shards = 1);
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  /// Expects that nothing has been violated.
  ~World();

  Runtime& runtime() { return *runtime_; }
  SimulatedClock& clock() { return clock_; }
  RecordingClientSink& sink() { return sink_; }
  const RecordingClientSink& sink() const { return sink_; }
  RecordingMetricsSink& metrics() { return metrics_; }
  FriendGraph& graph() { return store_.graph(); }
  ScriptedFriendStore& friends() { return friends_; }
  InMemoryLocationStore& stored() { return location_store_; }
  ScriptedLocationStore& locations() { return locations_; }
  InMemoryHistoryStore& logged() { return history_store_; }
  ScriptedHistoryStore& history() { return history_; }
  Time now() const { return clock_.Now(); }
  /// Destroys the runtime, and nothing else.
  void DestroyRuntime() { runtime_.reset(); }

  /// The i-th user, at home on shard i modulo their number.
  UserId User(std::uint64_t i) const;
  /// Befriends two users before either is online.
  void Befriend(UserId a, UserId b);

  Connecting BeginConnect(UserId user, std::optional<LatLng> location = std::nullopt,
                          std::optional<double> radius_m = std::nullopt);
  Connecting BeginConnect(ConnectCall call);
  /// Connects, settles, and expects it to have succeeded.
  Client Connect(UserId user, std::optional<LatLng> location = std::nullopt,
                 std::optional<double> radius_m = std::nullopt);
  void Disconnect(const Client& client);
  /// A report of now, expected to be let in.
  void Report(const Client& client, LatLng location);
  void Ready(const Client& client);
  void SetBusy(const Client& client, bool is_busy);
  StatusReply SetRadius(const Client& client, double radius_m);
  PageReply Page(UserId user, std::size_t page_size, PageToken after = {});
  EditReply Edit(FriendEdit::Kind kind, UserId user, UserId friend_id);

  /// Polls until nothing is left to do, and expects all to be as it must be.
  void Settle();
  /// Moves the clock, and settles.
  void Pass(absl::Duration time);
  void ExpectSound() const;

  std::set<UserId> InSight(const Client& client) const;

 private:
  using View = std::pair<UserId, UserId>;  // who looks, at whom

  void OnConnected(UserId user, std::uint64_t cookie, const ConnectResult& result);
  void ExpectAllowed(UserId viewer, absl::Span<const NearbyFriend> named) const;
  // Notes what an edit, just made, has changed in the store.
  void NoteCommitted(View view);
  void NoteCompleted(View view, std::uint64_t edit);

  SimulatedClock clock_{kStart};
  InMemoryFriendStore store_;
  ScriptedFriendStore friends_{&store_};
  InMemoryLocationStore location_store_{&clock_};
  ScriptedLocationStore locations_{&location_store_};
  InMemoryHistoryStore history_store_;
  ScriptedHistoryStore history_{&history_store_};
  RecordingClientSink sink_;
  RecordingMetricsSink metrics_;
  std::uint32_t shards_;
  std::uint64_t last_cookie_ = 0;
  std::map<UserId, std::vector<std::uint64_t>> cookies_;

  std::uint64_t last_edit_ = 0;
  std::map<View, std::uint64_t> denied_since_;  // by the edit that denied it; 0: from the beginning
  std::set<View> promised_;
  std::unique_ptr<Runtime> runtime_;  // goes before what it borrows
};

}  // namespace nearby::test

#endif  // NEARBY_TESTS_RUNTIME_WORLD_H_
