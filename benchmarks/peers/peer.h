#ifndef BENCHMARKS_PEERS_PEER_H_
#define BENCHMARKS_PEERS_PEER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "benchmarks/peers/world.h"
#include "nearby/effects.h"

namespace peers {

/// Something that does the job: takes reports and says who came into sight of whom, moved there, or
/// left.
///
/// Thread-compatible. Implementations borrow the world, which must outlive them.
class Peer {
 public:
  virtual ~Peer() = default;

  /// Makes all users and friendships known. Nobody has a location yet.
  virtual absl::Status Connect() = 0;

  /// Takes a batch, and returns when all that it causes has been delivered: appends that.
  virtual absl::Status Report(absl::Span<const TraceReport> batch,
                              std::vector<nearby::Delivery>* deliveries) = 0;

  /// What a peer's server was asked to do so far; zeros where there is none.
  struct Traffic {
    std::uint64_t pushes = 0;         ///< Messages received from the server.
    std::uint64_t bytes = 0;          ///< Received from it.
    std::uint64_t subscriptions = 0;  ///< That it holds.
  };
  virtual Traffic traffic() const { return {}; }

  /// Pairs that needed no check so far.
  virtual std::uint64_t checks_skipped() const { return 0; }
};

/// The engine itself, as a host drives it that keeps the handles.
std::unique_ptr<Peer> MakeNearbyPeer(const World& world, bool skipping);

/// What a good engineer writes in an afternoon: a hash map of users, a vector of friend ids for
/// each, libm's haversine for each pair.
std::unique_ptr<Peer> MakeTextbookPeer(const World& world);

/// Boost.Geometry's R-tree over everybody, and a set of friends for each user: each report moves a
/// point, asks for the box around it and keeps the friends.
std::unique_ptr<Peer> MakeRtreePeer(const World& world);

}  // namespace peers

#endif  // BENCHMARKS_PEERS_PEER_H_
