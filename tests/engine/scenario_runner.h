#ifndef NEARBY_TESTS_ENGINE_SCENARIO_RUNNER_H_
#define NEARBY_TESTS_ENGINE_SCENARIO_RUNNER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tests/engine/scenario_file.h"
#include "tests/engine/scenario_world.h"

namespace nearby::test {

/// Carries out the commands of one scenario. The commands, with what is optional in brackets:
///
///   raw                             engines without Lockstep; at most before any other but options
///   shards N                        pins the number of shards
///   options NAME=VALUE...           of EngineOptions
///   user NAME ID                    otherwise the names get 1, 2, 3... in order of appearance
///   place NAME LAT LNG
///   at HH:MM:SS.mmm                 time begins at 12:00:00.000
///   advance DURATION
///   connect NAME [radius=500m] [cookie=N] [as=SESSION]
///   disconnect NAME
///   report NAME WHERE [age=3s] [ahead=3s]
///                                   WHERE: LAT LNG, or PLACE, or PLACE+METRESm and one of N E S W
///   radius NAME 500m
///   nearby NAME size=N [next]       next: from where the last page of this command ended
///   home NAME                       the shard
///   stats NAME...                   counters of EngineStats
///
/// With Lockstep:
///   befriend A B, unfriend A B
///   hide owner=A viewer=B, share owner=A viewer=B
///   unsubscribe viewer=A owner=B, subscribe viewer=A owner=B
///
/// With raw engines, where NAME may be the SESSION of a connect:
///   friends-loaded NAME vVERSION ENTRY...
///   apply vVERSION NAME ENTRY
///   carry                           all messages between shards, printing each
/// An ENTRY is a friend's name, with flags after it, seen from the user: bob(stranger), bob(hides),
/// bob(hidden), bob(ignored), bob(ignores), bob(hides,hidden).
///
/// Deliveries print as `TIME SUBSCRIBER [COOKIE]: KIND FRIEND (REASON) DISTANCE, reported TIME`,
/// without the parts that are absent; the time of the report only where it differs from that of the
/// delivery. Errors print as `error: CODE: message`. A step that prints nothing prints `ok`. After
/// each step all invariants are checked.
class ScenarioRunner {
 public:
  /// The number of shards is for scenarios that do not pin it.
  explicit ScenarioRunner(std::uint32_t shards, bool skip_far_pairs = true) {
    setup_.shards = shards;
    setup_.options.skip_far_pairs = skip_far_pairs;
  }

  /// What comes of a step's commands.
  std::string Run(const ScenarioStep& step);

  /// Whether what has been run so far must come out the same for any number of shards.
  bool any_number_of_shards() const { return !is_pinned_; }

 private:
  // The words of a command: those with a `=` by name, the others in order.
  struct Command {
    std::vector<std::string> words;
    std::map<std::string, std::string> named;
  };
  using Handler = absl::Status (ScenarioRunner::*)(const Command& command);

  static const std::map<std::string, Handler>& SetupHandlers();
  static const std::map<std::string, Handler>& Handlers();
  static absl::StatusOr<Command> ParseCommand(absl::string_view line);
  absl::Status Execute(absl::string_view line);
  absl::Status MakeWorld();

  absl::Status Raw(const Command& command);
  absl::Status Shards(const Command& command);
  absl::Status Options(const Command& command);
  absl::Status User(const Command& command);
  absl::Status Place(const Command& command);

  absl::Status At(const Command& command);
  absl::Status Advance(const Command& command);
  absl::Status Connect(const Command& command);
  absl::Status Disconnect(const Command& command);
  absl::Status Report(const Command& command);
  absl::Status Radius(const Command& command);
  absl::Status Nearby(const Command& command);
  absl::Status Home(const Command& command);
  absl::Status Stats(const Command& command);
  absl::Status Befriend(const Command& command);
  absl::Status Unfriend(const Command& command);
  absl::Status Hide(const Command& command);
  absl::Status Share(const Command& command);
  absl::Status Subscribe(const Command& command);
  absl::Status Unsubscribe(const Command& command);
  absl::Status FriendsLoaded(const Command& command);
  absl::Status Apply(const Command& command);
  absl::Status Carry(const Command& command);

  absl::Status ApplyViewing(ScenarioWorld::Change change, const Command& command);
  absl::StatusOr<LatLng> ParseWhere(const Command& command) const;
  absl::StatusOr<FriendEntry> ParseEntry(const std::string& word);

  ScenarioSetup setup_;
  bool is_raw_ = false;
  bool is_pinned_ = false;
  Names names_;
  std::map<std::string, LatLng> places_;
  std::map<std::string, PageToken> page_tokens_;
  std::unique_ptr<ScenarioWorld> world_;
  std::string output_;
};

}  // namespace nearby::test

#endif  // NEARBY_TESTS_ENGINE_SCENARIO_RUNNER_H_
