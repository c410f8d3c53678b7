#ifndef EXAMPLES_PHONES_WALKERS_H_
#define EXAMPLES_PHONES_WALKERS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "examples/replay/population.h"
#include "examples/replay/trace_reader.h"
#include "nearby/geo.h"

namespace phones {

/// Who is where when, and who does what: the lives of the phones' owners, in order of time.
///
/// Thread-compatible.
class Walkers {
 public:
  virtual ~Walkers() = default;

  /// Replaces `rows` by the next ones, at most `limit`; by none when life is over. On an error,
  /// `rows` holds those that precede it.
  virtual absl::Status Read(std::size_t limit, std::vector<replay::TraceRow>* rows) = 0;
};

/// The people of an invented city, for ever: each reports every 25 to 35 seconds. The same
/// population and seed make the same lives. The population must outlive them.
std::unique_ptr<Walkers> WalkCity(const replay::Population& population, std::uint64_t seed);

/// Those of a recorded trace, "-" for standard input.
absl::StatusOr<std::unique_ptr<Walkers>> WalkTrace(const std::string& path);

/// Where each person of a city is at `steps` moments, 30 seconds apart: for walking to and fro at
/// any speed, without a thought. By the person's index.
std::vector<std::vector<nearby::LatLng>> MakePaths(const replay::Population& population,
                                                   std::size_t steps, std::uint64_t seed);

}  // namespace phones

#endif  // EXAMPLES_PHONES_WALKERS_H_
