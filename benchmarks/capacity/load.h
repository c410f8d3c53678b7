#ifndef BENCHMARKS_CAPACITY_LOAD_H_
#define BENCHMARKS_CAPACITY_LOAD_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "benchmarks/capacity/batches.h"
#include "benchmarks/capacity/engine_side.h"
#include "benchmarks/capacity/permutation.h"
#include "benchmarks/capacity/trace.h"
#include "benchmarks/capacity/world.h"

namespace capacity {

struct LoadOptions {
  std::uint64_t seed = 0;
  std::size_t batch = 0;  ///< Reports handed over at once.
  std::size_t chunk = 0;  ///< The most that NextBatches is asked for.
  Mobility mobility = Mobility::kAsPeopleDo;
};

/// A world whose users connect and report, and the engine that serves them. The engine is yet to be
/// created: `engine().Create(...)`.
///
/// Thread-compatible. Borrows the world, which must outlive it.
class Load {
 public:
  Load(const World& world, const LoadOptions& options);

  /// Connects everybody, in a random order.
  Served ConnectAll();
  /// Lets everybody report once.
  Served ReportRound();

  /// The next reports of the trace, in batches. Valid until the next call.
  const std::vector<Batch>& NextBatches(std::size_t count);

  /// So many users, each once: others than those at the beginning of `connect_order`.
  std::vector<std::uint32_t> SomeUsers(std::uint32_t count) const;

  Permutation connect_order() const;
  EngineSide& engine() { return engine_; }
  const Trace& trace() const { return trace_; }

 private:
  const World& world_;
  LoadOptions options_;
  Trace trace_;
  std::vector<TracedReport> reports_;
  std::vector<Batch> batches_;
  EngineSide engine_;
};

}  // namespace capacity

#endif  // BENCHMARKS_CAPACITY_LOAD_H_
