#ifndef NEARBY_BENCHMARKS_CAPACITY_ENGINE_SIDE_H_
#define NEARBY_BENCHMARKS_CAPACITY_ENGINE_SIDE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/types/span.h"
#include "benchmarks/capacity/deliveries.h"
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

  /// In order of time; what is delivered is written. This is what is measured.
  void Report(absl::Span<const nearby::LocationReport> reports);

  Deliveries& deliveries() { return deliveries_; }
  nearby::EngineStats stats() const { return engine_->stats(); }

 private:
  void CarryOut();

  const World* world_;
  Options options_;
  std::vector<nearby::ClientHandle> clients_;
  std::unique_ptr<nearby::Engine> engine_;
  nearby::Effects effects_;
  Deliveries deliveries_;
};

}  // namespace capacity

#endif  // NEARBY_BENCHMARKS_CAPACITY_ENGINE_SIDE_H_
