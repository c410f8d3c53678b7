#include "src/parts/separations.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "src/base/spherical.h"
#include "src/base/vectors.h"

#if defined(NEARBY_HAS_AVX512_KERNEL) && !defined(__clang__)
#include <immintrin.h>
#endif

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

#if defined(NEARBY_HAS_AVX512_KERNEL) && defined(__clang__)
NEARBY_TARGET_AVX512 void Avx512Kernel(const Center& center, std::size_t count,
                                       const Position* positions, double* haversines,
                                       double* meters) {
  Compute(center, count, positions, haversines, meters);
}
#elif defined(NEARBY_HAS_AVX512_KERNEL)
using Doubles = double __attribute__((vector_size(64)));
static_assert(sizeof(Doubles) / sizeof(double) == SeparationBlock::kGroup);

// Written out, for g++ takes vectors of half the width here, which costs 4 % of a report. The same
// operations again. (clang does not pass vectors to functions compiled without AVX-512, even where
// it inlines them. g++ 12 warns of its own intrinsics where they take no mask.)
//
// A function of its own for each group: in a loop they would first fetch all constants, as many as
// there are operations.
NEARBY_TARGET_AVX512 __attribute__((noinline)) void ComputeByAvx512(const Center& center,
                                                                    const Position* positions,
                                                                    double* haversines,
                                                                    double* meters) {
  constexpr __mmask8 kAll = 0xFF;
  // A position's halves, the latitude first.
  const __m512i packed = _mm512_loadu_si512(positions);
  const __m256i lat_units = _mm512_maskz_cvtepi64_epi32(kAll, packed);
  const __m256i lng_units =
      _mm512_maskz_cvtepi64_epi32(kAll, _mm512_maskz_srli_epi64(kAll, packed, 32));
  const __m256i lng_difference =
      _mm256_sub_epi32(_mm256_set1_epi32(center.position.lng_units()), lng_units);  // It wraps.
  const Doubles lats = internal::kTurnsPerUnit * Doubles(_mm512_maskz_cvtepi32_pd(kAll, lat_units));
  const Doubles lat = internal::InTurns(center.position.lat_units()) - lats;
  const Doubles lng =
      internal::kTurnsPerUnit * Doubles(_mm512_maskz_cvtepi32_pd(kAll, lng_difference));
  const Doubles cos_lats = center.cosine * internal::LatitudeCosine(lats);
  const __m512d reach = _mm512_maskz_max_pd(kAll, _mm512_abs_pd(lat), _mm512_abs_pd(lng));
  const __mmask8 near = _mm512_cmp_pd_mask(
      reach, _mm512_set1_pd(internal::kTurnsPerUnit * internal::kNearUnits), _CMP_LT_OQ);
  Doubles haversine = internal::HaversineOf<true>(lat, lng, cos_lats);
  Doubles half_angle;
  if (near == kAll) {
    half_angle =
        internal::AsinOfRoot<true>(haversine, Doubles(_mm512_maskz_sqrt_pd(kAll, haversine)));
  } else {
    const Doubles any = internal::HaversineOf<false>(lat, lng, cos_lats);
    haversine = _mm512_mask_blend_pd(near, any, haversine);
    const Doubles root = _mm512_maskz_sqrt_pd(kAll, haversine);
    half_angle = _mm512_mask_blend_pd(near, internal::AsinOfRoot<false>(haversine, root),
                                      internal::AsinOfRoot<true>(haversine, root));
  }
  _mm512_storeu_pd(haversines, haversine);
  _mm512_storeu_pd(meters, 2 * kEarthRadiusMeters * half_angle);
}

void Avx512Kernel(const Center& center, std::size_t count, const Position* positions,
                  double* haversines, double* meters) {
  for (std::size_t i = 0; i < count; i += SeparationBlock::kGroup) {
    ComputeByAvx512(center, positions + i, haversines + i, meters + i);
  }
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
