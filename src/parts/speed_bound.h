#ifndef NEARBY_SRC_PARTS_SPEED_BOUND_H_
#define NEARBY_SRC_PARTS_SPEED_BOUND_H_

#include <array>
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
  /// Of somebody of whom nothing is known.
  static constexpr std::uint32_t kFirstClass = 1;
  /// Reports in a row before the class falls: as many as a stop on the way takes, so that one at a
  /// traffic light does not cost a break a minute later.
  static constexpr std::uint32_t kCalmReports = 8;

  std::uint32_t speed_class = kFirstClass;
  std::uint32_t calm_reports = 0;  ///< Below kCalmReports.

  /// Takes account of a move of at most `meters` in `ms`; false if the bound did not admit it.
  bool Judge(double meters, double ms) {
    if (!Admits(speed_class, meters, ms)) {
      while (!Admits(speed_class, meters, ms)) ++speed_class;
      calm_reports = 0;
      return false;
    }
    if (speed_class == 0 || !Admits(speed_class - 1, meters, ms)) {
      calm_reports = 0;
    } else if (++calm_reports == kCalmReports) {
      --speed_class;
      calm_reports = 0;
    }
    return true;
  }

 private:
  static bool Admits(std::uint32_t speed_class, double meters, double ms) {
    return speed_class == kClasses - 1 || meters <= kMetersPerMs[speed_class] * ms;
  }
};

}  // namespace nearby

#endif  // NEARBY_SRC_PARTS_SPEED_BOUND_H_
