#ifndef NEARBY_SRC_BASE_SPHERICAL_H_
#define NEARBY_SRC_BASE_SPHERICAL_H_

#include <cmath>
#include <cstdint>

#include "nearby/geo.h"

// Spherical trigonometry on positions with nothing but +, -, *, / and sqrt, which IEEE 754 rounds
// correctly: the results are the same bits on every platform, which libm's sines do not promise.
// The files that include this must be compiled with -ffp-contract=off, because a fused multiply-add
// rounds once where these expressions round twice; hence private, and inline only inside the
// library.

namespace nearby::internal {

// One unit of a Position as a fraction of a turn.
inline constexpr double kTurnsPerUnit = 1.0 / 4294967296.0;

// A polynomial of twelve coefficients, the lowest first, by Estrin's scheme: halves of halves,
// whose products do not wait for each other, in a quarter of the time that Horner's scheme takes.
inline double Polynomial(const double (&c)[12], double x) {
  const double x2 = x * x;
  const double x4 = x2 * x2;
  const double x8 = x4 * x4;
  const double low = (c[0] + c[1] * x) + (c[2] + c[3] * x) * x2;
  const double middle = (c[4] + c[5] * x) + (c[6] + c[7] * x) * x2;
  const double high = (c[8] + c[9] * x) + (c[10] + c[11] * x) * x2;
  return (low + middle * x4) + high * x8;
}

// sin(pi * u) for u in [0, 1/2]: the Taylor series to the 23rd power, whose remainder there is
// below 1e-20, so only rounding is left (some 4e-16).
inline double SinPi(double u) {
  constexpr double kCoefficients[12] = {
      3.141592653589793,       -5.16771278004997,       2.5501640398773455,
      -5.992645293207921e-01,  8.214588661112823e-02,   -7.3704309457143504e-03,
      4.6630280576761255e-04,  -2.1915353447830217e-05, 7.952054001475513e-07,
      -2.2948428997269873e-08, 5.392664662608129e-10,   -1.0518471716932065e-11};
  return Polynomial(kCoefficients, u * u) * u;
}

// asin(x) for x in [0, 0.2]: the Taylor series; its remainder there is below 1e-20.
inline double AsinSmall(double x) {
  constexpr double kCoefficients[12] = {1.6666666666666666e-01, 7.5e-02,
                                        4.4642857142857144e-02, 3.0381944444444444e-02,
                                        2.2372159090909092e-02, 1.7352764423076924e-02,
                                        1.396484375e-02,        1.1551800896139705e-02,
                                        9.761609529194078e-03,  8.390335809616815e-03,
                                        7.3125258735988454e-03, 6.447210311889649e-03};
  const double y = x * x;
  return x + x * (Polynomial(kCoefficients, y) * y);
}

// asin(x) for x in [0, sqrt(1/2)], by halving the angle until the series applies:
// asin(x) = 2 asin(x / sqrt(2 + 2 sqrt(1 - x^2))) (half-angle identity of the sine).
inline double Asin(double x) {
  double scale = 1;
  while (x > 0.2) {
    x = x / std::sqrt(2.0 + 2.0 * std::sqrt(1.0 - x * x));
    scale *= 2;
  }
  return scale * AsinSmall(x);
}

// The cosine of a latitude. The argument of SinPi is exact, so the poles give exactly 0.
inline double CosLat(std::int32_t lat_units) {
  const double turns = kTurnsPerUnit * static_cast<double>(lat_units);
  return SinPi(0.5 - 2.0 * std::fabs(turns));
}

// sin^2 of half an angle given in units, |units| <= 2^31.
inline double HalfSine2(std::int64_t units) {
  const double half_turns = kTurnsPerUnit * static_cast<double>(units < 0 ? -units : units);
  const double sine = SinPi(half_turns);
  return sine * sine;
}

inline std::int32_t WrappingDifference(std::int32_t a, std::int32_t b) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) - static_cast<std::uint32_t>(b));
}

// hav(d / R) for the distance d of two positions: the haversine formula (Inman, "Navigation and
// Nautical Astronomy", 1835). Symmetric bit for bit. `cos_lats` is CosLat(a) * CosLat(b).
inline double Haversine(Position a, Position b, double cos_lats) {
  const std::int64_t lat = std::int64_t{a.lat_units()} - b.lat_units();
  const std::int32_t lng = WrappingDifference(a.lng_units(), b.lng_units());
  return HalfSine2(lat) + cos_lats * HalfSine2(lng);
}

// hav of the angle from `a` to the antipode of `b`, which is 1 - hav(d / R) without the
// cancellation.
inline double HaversineToAntipode(Position a, Position b, double cos_lats) {
  const std::int64_t lat = std::int64_t{a.lat_units()} + b.lat_units();
  const std::int64_t lng = std::int64_t{WrappingDifference(a.lng_units(), b.lng_units())};
  const std::int64_t half_turn = std::int64_t{1} << 31;
  return HalfSine2(lat) + cos_lats * HalfSine2(half_turn - (lng < 0 ? -lng : lng));
}

}  // namespace nearby::internal

#endif  // NEARBY_SRC_BASE_SPHERICAL_H_
