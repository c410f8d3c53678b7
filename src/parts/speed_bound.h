#ifndef NEARBY_SRC_PARTS_SPEED_BOUND_H_
#define NEARBY_SRC_PARTS_SPEED_BOUND_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace nearby {

/// How fast a user goes at most, learned from what they did: a class of speed. Nobody tells the
/// library; a user who goes faster than their class *breaks* the bound, whoever relied on it must
/// be told, and the class rises at once to what was seen. It falls, one class at a time, after some
/// reports in a row that the class below would have admitted.
///
/// The classes are those of a walk, a car in a city, a train or a motorway, and an aeroplane; in
/// the last one nothing is promised.
struct SpeedBound {
  static constexpr std::uint32_t kClasses = 5;
  static constexpr std::array<double, kClasses> kMetersPerMs = {
      0.003, 0.025, 0.070, 0.300, std::numeric_limits<double>::infinity()};
  /// How many milliseconds at least it takes users of two classes to come one metre closer: 1 over
  /// the sum of their speeds, or a little less. 0 where nothing is promised.
  static double MsPerMeter(std::uint32_t a, std::uint32_t b) {
    return kMsPerMeter[a * kClasses + b];
  }
  /// Of somebody of whom nothing is known.
  static constexpr std::uint32_t kFirstClass = 1;
  /// In which nothing is promised.
  static constexpr std::uint32_t kNoBound = kClasses - 1;
  /// Reports in a row before the class falls: as many as a stop on the way takes, so that one at a
  /// traffic light does not cost a break a minute later.
  static constexpr std::uint32_t kCalmReports = 8;

  /// Whether anything is promised.
  static constexpr bool IsBounded(std::uint32_t speed_class) { return speed_class < kNoBound; }

  std::uint32_t speed_class = kFirstClass;
  std::uint32_t calm_reports = 0;  ///< Below kCalmReports.

  /// A time shorter than this says little about speed: two reports that were held up and arrive
  /// together are not a flight, nor is the noise of two measurements a second apart a journey.
  static constexpr double kLeastMs = 10'000;
  /// A report so soon after another is no sign of calm.
  static constexpr double kLeastCalmMs = 1'000;

  /// Takes account of a move of at most `meters` in `ms`; false if the bound did not admit it. Then
  /// any class is as sound as another, since nothing that rested on the old one is left to stand,
  /// and the one is chosen that will probably do.
  bool Judge(double meters, double ms) {
    if (!Admits(speed_class, meters, ms)) {
      ++speed_class;
      while (!Admits(speed_class, meters, std::max(ms, kLeastMs))) ++speed_class;
      calm_reports = 0;
      return false;
    }
    if (ms < kLeastCalmMs) return true;
    if (speed_class == 0 || !Admits(speed_class - 1, meters, ms)) {
      calm_reports = 0;
    } else if (++calm_reports == kCalmReports) {
      --speed_class;
      calm_reports = 0;
    }
    return true;
  }

 private:
  static constexpr std::array<double, std::size_t{kClasses} * kClasses> MakeMsPerMeter() {
    std::array<double, std::size_t{kClasses} * kClasses> table{};
    for (std::size_t i = 0; i < table.size(); ++i) {
      const double speeds = kMetersPerMs[i / kClasses] + kMetersPerMs[i % kClasses];
      table[i] = (1 - 1e-12) / speeds;
    }
    return table;
  }
  static const std::array<double, std::size_t{kClasses} * kClasses> kMsPerMeter;

  static bool Admits(std::uint32_t speed_class, double meters, double ms) {
    return !IsBounded(speed_class) || meters <= kMetersPerMs[speed_class] * ms;
  }
};

inline constexpr std::array<double, std::size_t{SpeedBound::kClasses}* SpeedBound::kClasses>
    SpeedBound::kMsPerMeter = SpeedBound::MakeMsPerMeter();

}  // namespace nearby

#endif  // NEARBY_SRC_PARTS_SPEED_BOUND_H_
