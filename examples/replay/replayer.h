#ifndef EXAMPLES_REPLAY_REPLAYER_H_
#define EXAMPLES_REPLAY_REPLAYER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "examples/replay/trace_reader.h"
#include "nearby/effects.h"
#include "nearby/friend_graph.h"
#include "nearby/ids.h"
#include "nearby/lockstep.h"
#include "nearby/stats.h"
#include "nearby/time.h"

namespace replay {

/// What a replay did, and what it cost.
struct ReplayStats {
  nearby::EngineStats engine;
  std::uint64_t rows = 0;         ///< Lines of the trace that were carried out.
  std::uint64_t users = 0;        ///< Users that reported.
  std::uint64_t friendships = 0;  ///< As they stand.
  std::uint64_t events = 0;       ///< Enters, moves and leaves: what an event file holds.
  std::uint32_t shards = 0;
  absl::Duration wall;  ///< Spent in the engine alone.
  absl::Duration cpu;   ///< By this thread, in the engine alone.
};

/// Drives the engine by the rows of a trace: the rules of `nearby_replay --help`.
///
///   auto replayer = Replayer::Create({});
///   (*replayer)->graph().Befriend(UserId{1}, UserId{2});
///   (*replayer)->Run(rows);
///   (*replayer)->Finish();
///   for (const Delivery* event : (*replayer)->TakeEvents()) Print(*event);
///
/// Thread-compatible. Owns the engine.
class Replayer {
 public:
  struct Options {
    double radius_m = 8046.72;
    absl::Duration ttl = absl::Minutes(10);
    std::uint32_t shards = 1;
    bool skipping = true;  ///< EngineOptions::skip_far_pairs.
  };

  /// What became of a call to Run: how many rows were carried out, and why the next one could not
  /// be.
  struct Progress {
    std::size_t rows = 0;
    absl::Status status;
  };

  /// `InvalidArgument` naming the option that is out of range.
  static absl::StatusOr<std::unique_ptr<Replayer>> Create(const Options& options);

  /// For loading friendships before the first row.
  nearby::FriendGraph& graph() { return lockstep_->graph(); }

  /// Carries out rows, in order of time, from the first one on. Stops early when many deliveries
  /// have gathered, after one row at least: take the events, then go on with the rest.
  Progress Run(absl::Span<const TraceRow> rows);

  /// After the last row: time runs on until everyone has expired.
  absl::Status Finish();

  /// The events since the last call that no later row can add to, sorted by (time, subscriber,
  /// friend, order of occurrence): those before now, and after Finish all. Resets are among them,
  /// though they are no events: they tell a viewer who keeps count that the subscriber sees nobody
  /// any more. Valid until the next call.
  absl::Span<const nearby::Delivery* const> TakeEvents();

  /// Time of the last row; kNever before the first one.
  nearby::Time now() const { return started_ ? now_ : nearby::kNever; }

  ReplayStats stats() const;

 private:
  Replayer(const Options& options, std::unique_ptr<nearby::Lockstep> lockstep);

  absl::Status RunRow(const TraceRow& row);
  absl::Status MoveTo(nearby::Time time);
  absl::Status Report(const TraceRow& row);
  absl::Status Disconnect(nearby::UserId user);

  Options options_;
  std::unique_ptr<nearby::Lockstep> lockstep_;
  bool started_ = false;
  bool finished_ = false;
  nearby::Time now_;
  absl::flat_hash_set<nearby::UserId> users_;
  ReplayStats stats_;

  std::vector<nearby::Delivery> departures_;     // a reset for each disconnect
  std::vector<nearby::Delivery> pending_;        // what TakeEvents gathers from
  std::vector<const nearby::Delivery*> sorted_;  // of pending_
  std::size_t taken_ = 0;                        // of sorted_, at the front
};

}  // namespace replay

#endif  // EXAMPLES_REPLAY_REPLAYER_H_
