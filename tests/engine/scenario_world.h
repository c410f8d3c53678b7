#ifndef NEARBY_TESTS_ENGINE_SCENARIO_WORLD_H_
#define NEARBY_TESTS_ENGINE_SCENARIO_WORLD_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "nearby/effects.h"
#include "nearby/engine.h"
#include "nearby/friend_graph.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/options.h"
#include "nearby/stats.h"
#include "nearby/time.h"

namespace nearby::test {

/// People in a scenario have names; engines know them by ids.
class Names {
 public:
  /// The id of a name: the next small number for a name that is new.
  UserId Id(absl::string_view name);
  /// False if the name or the id is taken.
  bool Assign(absl::string_view name, UserId id);
  std::string Name(UserId id) const;

 private:
  std::map<std::string, UserId> ids_;
  std::map<UserId, std::string> names_;
  std::uint64_t last_id_ = 0;
};

/// "12:00:30.000": milliseconds since midnight.
std::string FormatTime(Time time);
/// "1234.567 m"
std::string FormatDistance(std::int64_t distance_mm);

/// The engines of a scenario. Calls append what comes of them to the output, a line for each thing
/// that an engine asked of the world.
class ScenarioWorld {
 public:
  enum class Change : std::uint8_t {
    kBefriend,
    kUnfriend,
    kHide,
    kShare,
    kSubscribe,
    kUnsubscribe,
  };

  struct Connection {
    std::string session;  ///< What the scenario calls it; by default the user's name.
    ConnectRequest request;
  };

  virtual ~ScenarioWorld() = default;

  virtual absl::Status Advance(Time now) = 0;
  virtual Time now() const = 0;
  virtual absl::Status Connect(const Connection& connection) = 0;
  virtual absl::Status Disconnect(const std::string& session) = 0;
  virtual ReportOutcome Report(const std::string& session, LatLng location, Time reported_at) = 0;
  virtual absl::Status SetRadius(const std::string& session, double radius_m) = 0;
  virtual absl::StatusOr<NearbyPage> Nearby(const std::string& session, PageToken after,
                                            std::size_t size) = 0;
  virtual EngineStats stats() const = 0;
  virtual absl::Status CheckInvariants() const = 0;
  /// The shard where a user is at home.
  virtual ShardId home(UserId user) const = 0;

  /// Lockstep only; `Unimplemented` otherwise.
  virtual absl::Status Apply(Change change, Viewing viewing);
  /// Raw engines only; `Unimplemented` otherwise.
  virtual absl::Status LoadFriends(const std::string& session, FriendVersion version,
                                   const std::vector<FriendEntry>& friends);
  virtual absl::Status ApplyRaw(const FriendshipChange& change);
  virtual absl::Status Carry();

  /// The lines since the last call.
  std::string TakeOutput();

 protected:
  explicit ScenarioWorld(Names* names) : names_(names) {}

  Names& names() { return *names_; }
  void Print(absl::string_view line);
  void Print(const Delivery& delivery);

 private:
  Names* names_;
  std::string output_;
};

struct ScenarioSetup {
  EngineOptions options;
  std::uint32_t shards = 1;
};

/// Over Lockstep: friend lists load by themselves, messages arrive at once. Deliveries are printed
/// in order of (time, subscriber, friend), which is the same for every number of shards. `names`
/// must outlive it.
absl::StatusOr<std::unique_ptr<ScenarioWorld>> MakeLockstepWorld(const ScenarioSetup& setup,
                                                                 Names* names);
/// Over engines alone: the scenario loads friend lists, applies changes and carries messages.
/// Deliveries are printed as they come.
absl::StatusOr<std::unique_ptr<ScenarioWorld>> MakeRawWorld(const ScenarioSetup& setup,
                                                            Names* names);

}  // namespace nearby::test

#endif  // NEARBY_TESTS_ENGINE_SCENARIO_WORLD_H_
