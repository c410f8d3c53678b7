#include "benchmarks/capacity/trace.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "benchmarks/capacity/random.h"

namespace capacity {
namespace {

// Users whose memory is fetched ahead of their reports.
constexpr std::size_t kAhead = 64;

}  // namespace

Trace::Trace(const World& world, std::uint64_t seed, Mobility mobility)
    : users_(world.size()),
      seed_(seed),
      movement_(world.homes, Mix(seed + kGoldenRatio), mobility),
      order_(users_, seed),
      in_a_second_(std::max(users_ / (kReportIntervalMs / 1000), 1u)),
      within_a_second_(in_a_second_, seed) {}

std::uint32_t Trace::UserAt(std::uint32_t place) const {
  const std::uint32_t second = place / in_a_second_ * in_a_second_;
  // What the division leaves over keeps its order.
  if (users_ - second < in_a_second_) return order_(place);
  return order_(second + within_a_second_(place - second));
}

std::uint32_t Trace::TimeMs(std::uint64_t round, std::uint32_t place) const {
  return static_cast<std::uint32_t>(round * kReportIntervalMs +
                                    std::uint64_t{place} * kReportIntervalMs / users_);
}

void Trace::Next(std::size_t count, std::vector<TracedReport>* reports) {
  while (count > 0) {
    const auto now = static_cast<std::uint32_t>(
        std::min({count, kAhead, static_cast<std::size_t>(users_ - place_)}));
    upcoming_.clear();
    for (std::uint32_t i = 0; i < now; ++i) {
      upcoming_.push_back(UserAt(place_ + i));
      movement_.Prefetch(upcoming_.back());
    }
    for (std::uint32_t i = 0; i < now; ++i) {
      const std::uint32_t at_ms = TimeMs(round_, place_ + i);
      now_ = nearby::Time{kTraceStart.ms + at_ms};
      reports->push_back({upcoming_[i], movement_.Report(upcoming_[i], at_ms), now_});
    }
    count -= now;
    place_ += now;
    if (place_ == users_) {
      place_ = 0;
      within_a_second_ = Permutation(in_a_second_, Mix(seed_ + ++round_));
    }
  }
}

}  // namespace capacity
