#ifndef NEARBY_BENCHMARKS_CAPACITY_ENGINE_SIDE_H_
#define NEARBY_BENCHMARKS_CAPACITY_ENGINE_SIDE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/types/span.h"
#include "benchmarks/capacity/deliveries.h"
#include "benchmarks/capacity/random.h"
#include "benchmarks/capacity/world.h"
#include "nearby/engine.h"

namespace capacity {

/// The engine under test, driven as a host drives it: through its public API, in batches, time
/// moved on before each, deliveries carried out after each.
class EngineSide {
 public:
  struct Options {
    bool skipping = true;
    std::size_t batch = 512;
  };

  EngineSide(const World& world, const Options& options);

  /// Connects everybody, in a random order, with their friends; returns the seconds that the engine
  /// took of it.
  double ConnectAll(nearby::Time now, std::uint64_t seed);
  nearby::ClientHandle client(std::uint32_t user) const { return clients_[user]; }

  /// The users of a server that fell over: many disconnect, and come back at once, each with a list
  /// of ten times as many friends as are online. Calls a second.
  struct Storm {
    double disconnects_per_s = 0;
    double connects_per_s = 0;
  };
  Storm ConnectStorm(std::uint32_t count, std::uint64_t seed);

  /// In order of time; what is delivered is written. This is what is measured.
  void Report(absl::Span<const nearby::LocationReport> reports);

  Deliveries& deliveries() { return deliveries_; }
  nearby::EngineStats stats() const { return engine_->stats(); }

 private:
  void CarryOut();
  // The friends whom the world knows, and `offline` more who are not connected.
  void MakeList(std::uint32_t user, std::size_t offline, Random* random,
                std::vector<nearby::FriendEntry>* list) const;
  void Connect(std::uint32_t user, absl::Span<const nearby::FriendEntry> friends);

  const World* world_;
  Options options_;
  std::vector<nearby::ClientHandle> clients_;
  std::unique_ptr<nearby::Engine> engine_;
  nearby::Effects effects_;
  Deliveries deliveries_;
};

}  // namespace capacity

#endif  // NEARBY_BENCHMARKS_CAPACITY_ENGINE_SIDE_H_
