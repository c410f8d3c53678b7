#include "benchmarks/capacity/load.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "benchmarks/capacity/random.h"

namespace capacity {

Load::Load(const World& world, const LoadOptions& options)
    : world_(world),
      options_(options),
      trace_(world, options.seed, options.mobility),
      engine_(world, options.chunk) {
  // Touched now, so that it does not count as the engine's later.
  reports_.resize(options.chunk);
}

Permutation Load::connect_order() const { return {world_.size(), Mix(options_.seed + 3)}; }

std::vector<std::uint32_t> Load::SomeUsers(std::uint32_t count) const {
  const Permutation order(world_.size(), Mix(options_.seed + 4));
  std::vector<std::uint32_t> users(count);
  for (std::uint32_t i = 0; i < count; ++i) users[i] = order(i);
  return users;
}

Served Load::ConnectAll() {
  constexpr std::uint32_t kAtOnce = 1 << 16;
  const Permutation order = connect_order();
  Served served;
  std::vector<std::uint32_t> users;
  for (std::uint32_t begin = 0; begin < world_.size(); begin += kAtOnce) {
    users.clear();
    for (std::uint32_t i = begin; i < std::min(begin + kAtOnce, world_.size()); ++i) {
      users.push_back(order(i));
    }
    served += engine_.Connect(users, 0);
  }
  return served;
}

Served Load::ReportRound() {
  Served served;
  for (std::size_t left = world_.size(); left > 0;) {
    const std::size_t count = std::min(options_.chunk, left);
    served += engine_.ReportAll(NextBatches(count));
    left -= count;
  }
  return served;
}

const std::vector<Batch>& Load::NextBatches(std::size_t count) {
  reports_.clear();
  trace_.Next(count, &reports_);
  batches_ = CutIntoBatches(reports_, options_.batch);
  return batches_;
}

}  // namespace capacity
