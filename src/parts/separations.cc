#include "src/parts/separations.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "src/base/spherical.h"
#include "src/base/vectors.h"

namespace nearby {
namespace {

struct Center {
  Position position;
  double cosine;  // of the latitude
};

#if defined(__GNUC__)
#define NEARBY_RESTRICT __restrict__
#else
#define NEARBY_RESTRICT
#endif

// Haversines and metres, the latter by AsinSqrt alone; AllNear says that all are near. The same
// operations in the same order as in Separation::Between and DistanceMillimeters, with nothing to
// decide, over arrays that nothing else points at: so the compiler makes vectors of the loop. None
// of the operations rounds otherwise in a vector.
template <bool AllNear>
NEARBY_ALWAYS_INLINE void ComputeAll(const Center& center, std::size_t count,
                                     const Position* NEARBY_RESTRICT positions,
                                     double* NEARBY_RESTRICT haversines,
                                     double* NEARBY_RESTRICT meters) {
  for (std::size_t i = 0; i < count; ++i) {
    const Position position = positions[i];
    const double cos_lats = center.cosine * internal::CosLat(position);
    double haversine = internal::Haversine<true>(center.position, position, cos_lats);
    double half_angle;
    if constexpr (AllNear) {
      half_angle = internal::AsinSqrt<true>(haversine);
    } else {
      // Both, and then one of them.
      const bool is_near = internal::IsNear(center.position, position);
      const double any = internal::Haversine<false>(center.position, position, cos_lats);
      haversine = is_near ? haversine : any;
      const double near_angle = internal::AsinSqrt<true>(haversine);
      const double any_angle = internal::AsinSqrt<false>(haversine);
      half_angle = is_near ? near_angle : any_angle;
    }
    haversines[i] = haversine;
    meters[i] = 2 * kEarthRadiusMeters * half_angle;
  }
}

// For `count` of them, a multiple of SeparationBlock::kGroup.
//
// Positions that are all near, as those in sight are, take half as many operations as others. Where
// one is not, all of them take both ways and a choice, for to sort them would cost more.
NEARBY_ALWAYS_INLINE void Compute(const Center& center, std::size_t count,
                                  const Position* positions, double* haversines, double* meters) {
  // This tells the compiler.
  count = count / SeparationBlock::kGroup * SeparationBlock::kGroup;
  std::uint32_t reach = 0;
  for (std::size_t i = 0; i < count; ++i) reach |= internal::Reach(center.position, positions[i]);
  if (reach < internal::kNearUnits) {
    ComputeAll<true>(center, count, positions, haversines, meters);
  } else {
    ComputeAll<false>(center, count, positions, haversines, meters);
  }
}

using Kernel = void (*)(const Center& center, std::size_t count, const Position* positions,
                        double* haversines, double* meters);

void PlainKernel(const Center& center, std::size_t count, const Position* positions,
                 double* haversines, double* meters) {
  Compute(center, count, positions, haversines, meters);
}

#if defined(NEARBY_HAS_AVX2_KERNEL)
__attribute__((target("avx2"))) void Avx2Kernel(const Center& center, std::size_t count,
                                                const Position* positions, double* haversines,
                                                double* meters) {
  Compute(center, count, positions, haversines, meters);
}
#endif

#if defined(NEARBY_HAS_AVX512_KERNEL)
NEARBY_TARGET_AVX512 void Avx512Kernel(const Center& center, std::size_t count,
                                       const Position* positions, double* haversines,
                                       double* meters) {
  Compute(center, count, positions, haversines, meters);
}
#endif

Kernel KernelFor([[maybe_unused]] internal::Vectors vectors) {
#if defined(NEARBY_HAS_AVX512_KERNEL)
  if (vectors == internal::Vectors::kAvx512) return Avx512Kernel;
#endif
#if defined(NEARBY_HAS_AVX2_KERNEL)
  if (vectors == internal::Vectors::kAvx2) return Avx2Kernel;
#endif
  return PlainKernel;
}

}  // namespace

Separation Separation::Between(Position a, Position b) {
  if (!a.is_somewhere() || !b.is_somewhere()) return {};
  const double cos_lats = internal::CosLat(a) * internal::CosLat(b);
  return {a, b, internal::Haversine(a, b, cos_lats), -1, true};
}

double MaxMetersBetween(Position a, Position b) {
  constexpr double kRadiansPerUnit = 2 * 3.141592653589794 * internal::kTurnsPerUnit;
  const double lat = kRadiansPerUnit * std::min(std::abs(a.lat_units()), std::abs(b.lat_units()));
  const double lat_difference =
      kRadiansPerUnit * (static_cast<double>(a.lat_units()) - static_cast<double>(b.lat_units()));
  const double lng_difference =
      kRadiansPerUnit * internal::WrappingDifference(a.lng_units(), b.lng_units());
  // The cosine by its series, cut off where the rest is negative; the larger of the two serves for
  // both. No sine is larger than its angle, so this is twice a bound of sin(d / 2R).
  const double lat2 = lat * lat;
  const double cosine = 1 - lat2 * (1.0 / 2) + lat2 * lat2 * (1.0 / 24);
  const double x2 =
      lat_difference * lat_difference + cosine * cosine * (lng_difference * lng_difference);
  // x = 0.2 is some 1,270 km. 2 asin(x / 2) <= x (1 + x^2 / 23) there, by its series.
  if (x2 <= 0.04) return kEarthRadiusMeters * (1 + 1e-9) * std::sqrt(x2) * (1 + x2 * (1.0 / 23));
  return static_cast<double>(DistanceMillimeters(a, b) + 1) / 1000;
}

SeparationBlock::SeparationBlock(Position center)
    : center_(center), center_cos_(internal::CosLat(center)) {}

void SeparationBlock::Compute() {
  static const internal::Vectors kWidest = internal::WidestVectors();
  ComputeBy(kWidest);
}

void SeparationBlock::ComputeBy(internal::Vectors vectors) {
  // What fills up the last group is computed for nothing.
  std::size_t count = size_;
  for (; count % kGroup != 0; ++count) positions_[count] = center_;
  KernelFor(vectors)({center_, center_cos_}, count, positions_.data(), haversines_.data(),
                     meters_.data());
}

}  // namespace nearby
