#ifndef BENCHMARKS_PEERS_WORLD_H_
#define BENCHMARKS_PEERS_WORLD_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/time.h"

namespace peers {

inline constexpr double kRadiusMeters = 8046.72;

/// A user as all peers name them: 0 .. users - 1. Whoever wants 64-bit ids takes World::ids.
using User = std::uint32_t;

struct TraceReport {
  User user = 0;
  nearby::Time time;
  nearby::LatLng location;
};

/// Friends and a trace, in memory before anything is timed.
///
/// A batch is what a second or so of the trace brings, and no user is in it twice: peers that work
/// in parallel may take its reports in any order, and have finished it before the next one begins.
struct World {
  std::vector<nearby::UserId> ids;

  /// The friends of `user` are friends[row_begin[user]] .. friends[row_begin[user + 1] - 1].
  std::vector<std::uint32_t> row_begin;
  std::vector<User> friends;

  std::vector<TraceReport> reports;
  /// Where each batch begins in `reports`, and one entry more: where the last one ends.
  std::vector<std::size_t> batch_begin;
  /// The batches before this one are for warming up: in them everybody comes online.
  std::size_t first_measured_batch = 0;

  std::size_t users() const { return ids.size(); }
  std::size_t batches() const { return batch_begin.size() - 1; }
  absl::Span<const User> FriendsOf(User user) const {
    return absl::MakeConstSpan(friends).subspan(row_begin[user],
                                                row_begin[user + 1] - row_begin[user]);
  }
  absl::Span<const TraceReport> Batch(std::size_t batch) const {
    return absl::MakeConstSpan(reports).subspan(batch_begin[batch],
                                                batch_begin[batch + 1] - batch_begin[batch]);
  }
};

/// How a trace is gone through, in seconds of it.
struct Pace {
  double warm_up_s = 40;  ///< So much of its beginning is for warming up.
  double batch_s = 1;
};

/// Reads what make_trace or nearby_capacity wrote. `InvalidArgument`: a file is not as
/// nearby_replay wants it, has a line that acts, or has no reports beyond the warm-up.
absl::StatusOr<World> LoadWorld(const std::string& friends, const std::string& trace,
                                const Pace& pace);

/// Writes the world in the form that peers.erl reads: numbers of 32 bits and IEEE doubles, all
/// big-endian. Coordinates are in radians.
absl::Status ExportWorld(const World& world, const std::string& path);

}  // namespace peers

#endif  // BENCHMARKS_PEERS_WORLD_H_
