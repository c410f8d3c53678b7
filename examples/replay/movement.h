#ifndef EXAMPLES_REPLAY_MOVEMENT_H_
#define EXAMPLES_REPLAY_MOVEMENT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "examples/replay/great_circle.h"
#include "examples/replay/population.h"
#include "examples/replay/random.h"

namespace replay {

enum class Mode : std::uint8_t { kStill, kWalk, kRide, kDrive, kRail, kFly };
inline constexpr std::size_t kModeCount = 6;

/// How people move and how their phones misreport it. Where the numbers come from, recordings or a
/// formula, is another's business: see geolife.h and city.h.
struct MovementModel {
  /// Speeds in metres a second, one every kSpeedStepMs, for each mode: whoever travels plays a
  /// mode's sequence from a random point on, and so stops and starts as the recorded ones did. A
  /// mode without speeds is not used; kWalk, kDrive and kFly must have some, and not only zeros.
  static constexpr std::int64_t kSpeedStepMs = 5000;
  std::array<std::vector<float>, kModeCount> speeds;

  /// GPS noise: the root mean square of the error of a report.
  double noise_m = 10;

  /// The chance that a report is a glitch, and the speeds at which glitches seem to jump.
  double glitches_per_report = 0;
  std::vector<double> glitch_speeds_mps;

  /// The chance, by mode, that a report is followed by a gap, and how long gaps last.
  std::array<double, kModeCount> gaps_per_report{};
  std::vector<double> gap_seconds;

  /// How long people stay at a place, on average.
  double mean_stay_s = 600;
  /// People prefer near places: at this distance half as much as next door.
  double near_m = 10'000;
  /// The share of trips for which they don't: these go wherever a person goes, however far.
  double far_trips = 0.005;
};

/// "walk", "ride" and so on. Static strings.
const char* ToString(Mode mode);

/// The mode for a trip of that length: on foot below 2 km, by air above 300 km. Rides, short and
/// long, take the place of some walks and drives if the model knows them.
Mode ChooseMode(double distance_m, const MovementModel& model, Random* random);

/// One person on the move between places: stays, then leaves for another, at the model's speeds
/// along the great circle.
///
/// Thread-compatible. Borrows the person's places, which must outlive it.
class Traveller {
 public:
  /// Begins at one of the places, drawn by weight, at `start_ms`.
  Traveller(const std::vector<Place>& places, std::int64_t start_ms, const MovementModel& model,
            Random* random);

  /// Lives on until then. Earlier times than before are ignored. Pass the same model each time.
  void AdvanceTo(std::int64_t time_ms, const MovementModel& model, Random* random);

  UnitVector position() const;
  Mode mode() const { return mode_; }

 private:
  void Stay(const MovementModel& model, Random* random);
  void Leave(const MovementModel& model, Random* random);
  // One speed of the sequence, or what is left of it, but not beyond `time_ms`.
  void Step(std::int64_t time_ms, const MovementModel& model);
  std::size_t ChooseNext(const MovementModel& model, Random* random) const;

  const std::vector<Place>* places_;
  std::int64_t now_ms_;
  std::size_t place_ = 0;  // Where the person is, or is going.
  Mode mode_ = Mode::kStill;

  std::int64_t leave_ms_ = 0;  // While at a place.

  GreatCircle way_;  // While on the way.
  double travelled_m_ = 0;
  std::size_t speed_index_ = 0;
  std::int64_t step_left_ms_ = 0;
};

}  // namespace replay

#endif  // EXAMPLES_REPLAY_MOVEMENT_H_
