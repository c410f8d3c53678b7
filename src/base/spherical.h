#ifndef NEARBY_SRC_BASE_SPHERICAL_H_
#define NEARBY_SRC_BASE_SPHERICAL_H_

#include <cmath>
#include <cstdint>

#include "nearby/geo.h"
#include "src/base/vectors.h"

// Spherical trigonometry on positions with nothing but +, -, *, / and sqrt, which IEEE 754 rounds
// correctly: the results are the same bits on every platform, which libm's sines do not promise.
// The files that include this must be compiled with -ffp-contract=off, because a fused multiply-add
// rounds once where these expressions round twice; hence private, and inline only inside the
// library.

namespace nearby::internal {

// One unit of a Position as a fraction of a turn.
inline constexpr double kTurnsPerUnit = 1.0 / 4294967296.0;

// What follows computes with doubles, or with vectors of them as g++ and clang know them: the same
// operations on each.

// Polynomials by their coefficients, the lowest first, by Estrin's scheme: halves of halves, whose
// products do not wait for each other, in a fraction of the time that Horner's scheme takes. The
// shortest has too few for it to save any.
template <typename Number>
NEARBY_ALWAYS_INLINE Number Polynomial(const double (&c)[3], Number x) {
  return c[0] + (c[1] + c[2] * x) * x;
}

template <typename Number>
NEARBY_ALWAYS_INLINE Number Polynomial(const double (&c)[4], Number x) {
  return (c[0] + c[1] * x) + (c[2] + c[3] * x) * (x * x);
}

template <typename Number>
NEARBY_ALWAYS_INLINE Number Polynomial(const double (&c)[8], Number x) {
  const Number x2 = x * x;
  const Number low = (c[0] + c[1] * x) + (c[2] + c[3] * x) * x2;
  const Number high = (c[4] + c[5] * x) + (c[6] + c[7] * x) * x2;
  return low + high * (x2 * x2);
}

template <typename Number>
NEARBY_ALWAYS_INLINE Number Polynomial(const double (&c)[9], Number x) {
  const Number x2 = x * x;
  const Number x4 = x2 * x2;
  const Number low = (c[0] + c[1] * x) + (c[2] + c[3] * x) * x2;
  const Number high = (c[4] + c[5] * x) + (c[6] + c[7] * x) * x2;
  return low + (high + c[8] * x4) * x4;
}

// The coefficients below were found by Remez's exchange algorithm, in 60 digits: it makes the
// largest relative error over an interval as small as their number allows, and that error is given
// beside them. Then they were rounded to doubles, which moves the polynomials by up to 4e-17 more.
// An operation rounds by up to 1.1e-16, so nothing but rounding shows: haversines and distances are
// right to some 1e-15 of themselves.

// Two positions are near each other if their latitudes and their longitudes differ by less than
// this: 2^-8 turns, or 156 km. Fewer terms serve for them.
inline constexpr std::uint32_t kNearUnits = 1u << 24;

// The haversine of an angle of t turns, sin^2(pi t), |t| <= 1/2; with Near |t| <= 2^-8.
template <bool Near, typename Number>
NEARBY_ALWAYS_INLINE Number AngleHaversine(Number t) {
  // sin(pi t) / t by t^2 in [0, 2^-16] and [0, 1/4]; errors below 2.2e-17 and 2.6e-19.
  constexpr double kNear[3] = {3.141592653589793, -5.1677127799714855, 2.5501503238067538};
  constexpr double kAny[9] = {
      3.141592653589793,      -5.167712780049969,      2.550164039877294,
      -0.5992645293187383,    8.21458865698929e-02,    -7.370430478763268e-03,
      4.6629968877229456e-04, -2.1903185411870502e-05, 7.694727201695666e-07};
  const Number t2 = t * t;
  Number sine;
  if constexpr (Near) {
    sine = t * Polynomial(kNear, t2);
  } else {
    sine = t * Polynomial(kAny, t2);
  }
  return sine * sine;
}

// cos(2 pi t) for a latitude of t turns, |t| <= 1/4. What has the cosine's zeros is a factor of its
// own, both of whose factors are exact: so the poles give exactly 0, and their neighbours all bits.
template <typename Number>
NEARBY_ALWAYS_INLINE Number LatitudeCosine(Number t) {
  // By t^2 in [0, 1/16]; the error is below 1.8e-17.
  constexpr double kCoefficients[8] = {16.0,
                                       -59.827340834858916,
                                       81.7928510047567,
                                       -58.62345920483078,
                                       25.938912861206397,
                                       -7.797431054086244,
                                       1.6959931850075167,
                                       -0.2707834733569676};
  const Number t2 = t * t;
  return (0.25 - t) * (0.25 + t) * Polynomial(kCoefficients, t2);
}

// Up to this haversine (some 2,550 km) AsinSqrt serves; those of near positions are below 3.1e-4.
inline constexpr double kSeriesHaversine = 0.04;

// asin(sqrt(h)), half the angle whose haversine is h, by the root of it.
template <bool Near, typename Number>
NEARBY_ALWAYS_INLINE Number AsinOfRoot(Number h, Number root) {
  // asin(sqrt(h)) / sqrt(h) by h in [0, 0.0004] and [0, 0.04]; errors below 6.1e-18 and 2.7e-18.
  constexpr double kNear[4] = {1.0, 0.1666666666671531, 7.499999392018032e-02,
                               4.466717289227062e-02};
  constexpr double kAny[8] = {1.0,
                              0.16666666666667523,
                              7.499999999551879e-02,
                              4.464285803495598e-02,
                              3.038185735489988e-02,
                              2.2376763983359915e-02,
                              1.7218591675502534e-02,
                              1.5973319382232766e-02};
  if constexpr (Near) {
    return root * Polynomial(kNear, h);
  } else {
    return root * Polynomial(kAny, h);
  }
}

template <bool Near>
inline double AsinSqrt(double h) {
  return AsinOfRoot<Near>(h, std::sqrt(h));
}

// hav(d / R) for two positions whose latitudes and longitudes differ by so many turns.
template <bool Near, typename Number>
NEARBY_ALWAYS_INLINE Number HaversineOf(Number lat, Number lng, Number cos_lats) {
  return AngleHaversine<Near>(lat) + cos_lats * AngleHaversine<Near>(lng);
}

inline std::int32_t WrappingDifference(std::int32_t a, std::int32_t b) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) - static_cast<std::uint32_t>(b));
}

inline double InTurns(std::int32_t units) { return kTurnsPerUnit * units; }

inline double CosLat(Position position) { return LatitudeCosine(InTurns(position.lat_units())); }

// Below kNearUnits if, and only if, the two are near each other.
inline std::uint32_t Reach(Position a, Position b) {
  // From pole to pole the difference of latitudes wraps, to what is as far from 0.
  const auto absolute = [](std::int32_t difference) {
    const auto bits = static_cast<std::uint32_t>(difference);
    return difference < 0 ? 0u - bits : bits;
  };
  return absolute(WrappingDifference(a.lat_units(), b.lat_units())) |
         absolute(WrappingDifference(a.lng_units(), b.lng_units()));
}

inline bool IsNear(Position a, Position b) { return Reach(a, b) < kNearUnits; }

// hav(d / R) for the distance d of two positions: the haversine formula (Inman, "Navigation and
// Nautical Astronomy", 1835). Symmetric bit for bit. `cos_lats` is CosLat(a) * CosLat(b).
template <bool Near>
inline double Haversine(Position a, Position b, double cos_lats) {
  const double lat = InTurns(a.lat_units()) - InTurns(b.lat_units());  // Exact.
  const double lng = InTurns(WrappingDifference(a.lng_units(), b.lng_units()));
  return HaversineOf<Near>(lat, lng, cos_lats);
}

inline double Haversine(Position a, Position b, double cos_lats) {
  return IsNear(a, b) ? Haversine<true>(a, b, cos_lats) : Haversine<false>(a, b, cos_lats);
}

// hav of the angle from `a` to the antipode of `b`, which is 1 - hav(d / R) without the
// cancellation.
inline double HaversineToAntipode(Position a, Position b, double cos_lats) {
  const double lat = InTurns(a.lat_units()) + InTurns(b.lat_units());
  const double lng = InTurns(WrappingDifference(a.lng_units(), b.lng_units()));
  return AngleHaversine<false>(lat) + cos_lats * AngleHaversine<false>(0.5 - std::fabs(lng));
}

}  // namespace nearby::internal

#endif  // NEARBY_SRC_BASE_SPHERICAL_H_
