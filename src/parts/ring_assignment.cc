#include "src/parts/ring_assignment.h"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "nearby/hash_ring.h"

// Compiled in, so that who links nearby needs no xxHash.
#define XXH_INLINE_ALL
#include "xxhash.h"

namespace nearby {
namespace {

// Visits are gathered, sorted and settled in waves; a lap is as many visits as there are
// partitions. Neither number has an influence on the outcome. With fewer waves many partitions are
// visited by several seats in one wave, and all these visits must be sorted; with more waves there
// is little to do for each seat.
constexpr std::uint64_t kWavesPerLap = 64;
// The last partitions take more laps than all others: hardly a visit still finds a free one. So
// when all remaining visits to free partitions are fewer than this part of a lap, they make up the
// last wave.
constexpr std::uint64_t kLastWavePart = 16;

struct Visit {
  std::uint64_t time;
  std::uint32_t partition;
  std::uint16_t runner;
};

bool ComesBefore(const Visit& a, const Visit& b) {
  return std::tie(a.time, a.runner) < std::tie(b.time, b.runner);
}

// All seats on their courses, and who has got which partition so far.
class Race {
 public:
  Race(absl::Span<const RingRunner> runners, const RingClock& clock);

  std::vector<std::uint16_t> Run() &&;

 private:
  struct Progress {
    std::uint32_t room = 0;  // partitions that the seat may still take
    std::uint32_t next_rank = 0;
  };

  // Appends to the wave the visits before `end`, or all that are still to come, of seats that have
  // room to partitions that are free.
  void GatherUntil(std::uint64_t end);
  void GatherRest();
  // Lets the visits of the wave take effect.
  void Settle();

  absl::Span<const RingRunner> runners_;
  const RingClock& clock_;
  std::uint64_t total_weight_ = 0;
  std::vector<Progress> progress_;  // by runner
  std::vector<std::uint16_t> owners_;
  std::uint64_t free_;  // partitions without an owner
  std::vector<Visit> wave_;
};

Race::Race(absl::Span<const RingRunner> runners, const RingClock& clock)
    : runners_(runners),
      clock_(clock),
      progress_(runners.size()),
      owners_(clock.partitions(), kNoRunner),
      free_(clock.partitions()) {
  assert(runners.size() < kNoRunner);
  for (const RingRunner& runner : runners) total_weight_ += runner.weight;
  for (std::size_t i = 0; i < runners.size(); ++i) {
    if (runners[i].weight == 0) continue;
    progress_[i].room = RingQuota(clock.partitions(), runners[i].weight, total_weight_);
  }
}

std::vector<std::uint16_t> Race::Run() && {
  if (total_weight_ == 0) return std::move(owners_);
  // At first, while all have room, they make a lap in a time of 2^58 / total weight.
  std::uint64_t step = (std::uint64_t{1} << 58) / kWavesPerLap / total_weight_;
  std::uint64_t end = 0;
  // This ends: the quotas together hold all partitions, and whoever has room visits each of them
  // before 2^62. A step is at most twice as long as all before it together, so `end` stays below
  // 2^64.
  while (free_ > 0) {
    end += step;
    if (free_ * runners_.size() < owners_.size() / kLastWavePart) {
      GatherRest();
    } else {
      GatherUntil(end);
    }
    // Later, visits to free partitions become rare.
    if (wave_.size() <= owners_.size() / kWavesPerLap / 4) step *= 2;
    Settle();
  }
  return std::move(owners_);
}

void Race::GatherUntil(std::uint64_t end) {
  for (std::size_t i = 0; i < runners_.size(); ++i) {
    Progress& progress = progress_[i];
    if (progress.room == 0) continue;
    const RingCourse course(runners_[i].seed, clock_.partition_bits());
    for (; progress.next_rank < clock_.partitions(); ++progress.next_rank) {
      const std::uint64_t time = clock_.TimeOf(progress.next_rank, runners_[i].weight);
      if (time >= end) break;
      const std::uint32_t partition = course.PartitionAt(progress.next_rank);
      if (owners_[partition] != kNoRunner) continue;
      wave_.push_back(Visit{time, partition, static_cast<std::uint16_t>(i)});
    }
  }
}

void Race::GatherRest() {
  for (std::uint32_t partition = 0; partition < clock_.partitions(); ++partition) {
    // Whoever has visited a free partition already had no room then, and has none now.
    if (owners_[partition] != kNoRunner) continue;
    for (std::size_t i = 0; i < runners_.size(); ++i) {
      if (progress_[i].room == 0) continue;
      const RingCourse course(runners_[i].seed, clock_.partition_bits());
      const std::uint64_t time = clock_.TimeOf(course.RankOf(partition), runners_[i].weight);
      wave_.push_back(Visit{time, partition, static_cast<std::uint16_t>(i)});
    }
  }
}

void Race::Settle() {
  std::sort(wave_.begin(), wave_.end(), ComesBefore);
  for (const Visit& visit : wave_) {
    std::uint32_t& room = progress_[visit.runner].room;
    if (owners_[visit.partition] != kNoRunner || room == 0) continue;
    owners_[visit.partition] = visit.runner;
    --room;
    --free_;
  }
  wave_.clear();
}

std::uint64_t Finalise(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

}  // namespace

static_assert(XXH_VERSION_NUMBER >= 800, "XXH3 had other values before xxHash 0.8");

std::uint64_t RingSeed(absl::string_view name) { return XXH3_64bits(name.data(), name.size()); }

std::uint32_t RingCourse::Round(std::uint32_t round, std::uint32_t half) const {
  const std::uint64_t number = (std::uint64_t{round} << half_bits_) + half + 1;
  return static_cast<std::uint32_t>(Finalise(seed_ + number * 0x9E3779B97F4A7C15u) >>
                                    (64 - half_bits_));
}

std::uint32_t RingCourse::RankOf(std::uint32_t partition) const {
  std::uint32_t low = partition & ((1u << half_bits_) - 1);
  std::uint32_t high = partition >> half_bits_;
  high ^= Round(0, low);
  low ^= Round(1, high);
  high ^= Round(2, low);
  low ^= Round(3, high);
  return (high << half_bits_) | low;
}

std::uint32_t RingCourse::PartitionAt(std::uint32_t rank) const {
  std::uint32_t low = rank & ((1u << half_bits_) - 1);
  std::uint32_t high = rank >> half_bits_;
  low ^= Round(3, high);
  high ^= Round(2, low);
  low ^= Round(1, high);
  high ^= Round(0, low);
  return (high << half_bits_) | low;
}

RingClock::RingClock(int partition_bits) : partition_bits_(partition_bits) {
  assert(partition_bits >= 2 && partition_bits <= 18 && partition_bits % 2 == 0);
  base_times_.reserve(partitions());
  std::uint64_t sum = 0;
  for (std::uint32_t left = partitions(); left > 0; --left) {
    base_times_.push_back(sum + (std::uint64_t{1} << 47) / left);
    sum += (std::uint64_t{1} << 48) / left;
  }
}

const RingClock& SharedRingClock() {
  // Never destroyed, so that rings in static storage may outlive everything else.
  static const auto* const kClock = new RingClock(HashRing::kPartitionBits);
  return *kClock;
}

std::uint32_t RingQuota(std::uint32_t partitions, std::uint32_t weight,
                        std::uint64_t total_weight) {
  const std::uint64_t share =
      (std::uint64_t{partitions} * weight + total_weight - 1) / total_weight;
  std::uint64_t slack = 0;
  while (4 * slack * slack < 9 * share) ++slack;
  return static_cast<std::uint32_t>(share + slack);
}

std::vector<std::uint16_t> AssignPartitions(absl::Span<const RingRunner> runners,
                                            const RingClock& clock) {
  return Race(runners, clock).Run();
}

}  // namespace nearby
