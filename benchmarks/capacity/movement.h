#ifndef BENCHMARKS_CAPACITY_MOVEMENT_H_
#define BENCHMARKS_CAPACITY_MOVEMENT_H_

#include <cstdint>

#include "benchmarks/capacity/huge_array.h"
#include "benchmarks/capacity/random.h"
#include "nearby/geo.h"

namespace capacity {

/// Who goes anywhere.
enum class Mobility : std::uint8_t {
  kAsPeopleDo,
  kNobody,  ///< All stay at home; their phones err all the same.
};

/// Where everybody goes, and what their phones make of it. A user is still, walks, drives, takes a
/// train or flies; one in twenty does something else from one ten minutes to the next, at a moment
/// of their own. A phone is some ten metres off, and now and then some kilometres for one report.
/// Nobody is told any of this but by the reports.
///
/// Moves a user only when the user reports, by the time that has passed. A pure function of the
/// homes, the seed, and the times at which the user reported: it does not matter what others did.
///
/// Thread-compatible. Borrows the homes, which must outlive it.
class Movement {
 public:
  Movement(const HugeArray<nearby::Position>& homes, std::uint64_t seed,
           Mobility mobility = Mobility::kAsPeopleDo);

  /// Where the user's phone says that the user is, so many milliseconds after the beginning.
  /// Requires that the user's times do not decrease.
  nearby::LatLng Report(std::uint32_t user, std::uint32_t at_ms);

  /// The last report, as a location cache holds it, and its time.
  nearby::Position reported(std::uint32_t user) const { return travellers_[user].reported; }
  std::uint32_t reported_at_ms(std::uint32_t user) const { return travellers_[user].at_ms; }

  /// Starts to fetch what Report(user) reads.
  void Prefetch(std::uint32_t user) const { __builtin_prefetch(&travellers_[user], 1); }

 private:
  enum class Mode : std::uint32_t { kStill, kWalk, kDrive, kRail, kFly };

  struct Traveller {
    nearby::Position position;
    nearby::Position reported;
    float heading = 0;    // Radians, clockwise from north.
    float speed_mps = 0;  // While on the way.
    std::uint32_t at_ms = 0;
    Mode mode = Mode::kStill;
  };

  static void DrawMode(Traveller* traveller, Random* random);
  void MaybeChangeMode(std::uint32_t user, std::uint32_t at_ms, Traveller* traveller) const;
  void Travel(std::uint32_t user, double seconds, Random* random, Traveller* traveller) const;

  const HugeArray<nearby::Position>& homes_;
  std::uint64_t seed_;
  Mobility mobility_;
  HugeArray<Traveller> travellers_;
};

}  // namespace capacity

#endif  // BENCHMARKS_CAPACITY_MOVEMENT_H_
