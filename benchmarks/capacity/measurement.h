#ifndef BENCHMARKS_CAPACITY_MEASUREMENT_H_
#define BENCHMARKS_CAPACITY_MEASUREMENT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "benchmarks/capacity/distance_mix.h"
#include "benchmarks/capacity/engine_side.h"
#include "benchmarks/capacity/flags.h"
#include "benchmarks/capacity/sink.h"
#include "nearby/stats.h"

namespace capacity {

/// One repetition: all that are compared, one right after the other.
struct Slice {
  double ceiling_reads_per_s = 0;
  Served engine;
  std::uint64_t checks = 0;
  std::uint64_t skipped = 0;
  std::optional<Served> baseline;
  std::optional<Served> reference;  ///< The engine in another world.

  double pairs_per_s() const { return static_cast<double>(checks + skipped) / engine.seconds; }
};

/// All that a run found out.
struct Measurement {
  Flags flags;
  DistanceMix mix;
  std::uint64_t friendships = 0;

  Served connects;
  std::vector<Served> warmup;  ///< Round by round.
  std::uint64_t engine_bytes = 0;
  double bytes_per_bare_user = 0;  ///< Of one without friends.

  std::vector<Slice> slices;
  double simulated_seconds = 0;  ///< That the slices stand for.
  std::uint64_t bound_breaks = 0;

  Served disconnects;
  Served reconnects;

  /// Why the run means nothing; empty if it does.
  std::vector<std::string> voids;
};

/// Makes the world and measures. Says on standard error what it is at.
Measurement Measure(const Flags& flags);

}  // namespace capacity

#endif  // BENCHMARKS_CAPACITY_MEASUREMENT_H_
