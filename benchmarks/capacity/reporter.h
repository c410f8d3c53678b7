#ifndef NEARBY_BENCHMARKS_CAPACITY_REPORTER_H_
#define NEARBY_BENCHMARKS_CAPACITY_REPORTER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "benchmarks/capacity/engine_side.h"
#include "benchmarks/capacity/movement.h"
#include "benchmarks/capacity/random.h"
#include "benchmarks/capacity/world.h"
#include "nearby/engine.h"

namespace capacity {

/// Everybody's reports in order of time: in each round of 30 s everybody reports once, in an order
/// that is as good as random. Made ahead of what is measured.
class Reporter {
 public:
  static constexpr std::int64_t kRoundMs = 30'000;

  Reporter(const World& world, nearby::Time start, std::uint64_t seed);

  /// The next reports.
  void Make(std::size_t count, const EngineSide& engine);
  const std::vector<std::uint32_t>& users() const { return users_; }
  const std::vector<nearby::LocationReport>& reports() const { return reports_; }

  nearby::Position position(std::uint32_t user) const { return movement_.reported(user); }
  nearby::Time time(std::uint32_t user) const { return times_[user]; }

 private:
  const World* world_;
  nearby::Time start_;
  Movement movement_;
  Order order_;
  std::uint64_t made_ = 0;
  std::vector<nearby::Time> times_;
  std::vector<std::uint32_t> users_;
  std::vector<nearby::LocationReport> reports_;
};

}  // namespace capacity

#endif  // NEARBY_BENCHMARKS_CAPACITY_REPORTER_H_
