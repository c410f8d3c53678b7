#include "src/parts/separations.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdlib>

#include "src/base/spherical.h"

// Whether a function can be compiled for AVX2 or AVX-512 beside the rest and chosen when the
// program runs. Compilers avoid the widest vectors unless they are asked for them.
#if defined(__x86_64__) && defined(__GNUC__)
#define NEARBY_HAS_AVX2_KERNEL 1
// With AddressSanitizer g++ 12 misplaces variables that need 64 bytes of alignment (its bug
// 110027), so that a store to one traps.
#if !defined(__SANITIZE_ADDRESS__)
#define NEARBY_HAS_AVX512_KERNEL 1
#endif
#if defined(__clang__)
#define NEARBY_TARGET_AVX512 \
  __attribute__((target("avx512f,avx512dq,avx512vl"), min_vector_width(512)))
#else
#define NEARBY_TARGET_AVX512 \
  __attribute__((target("avx512f,avx512dq,avx512vl,prefer-vector-width=512")))
#endif
#endif

namespace nearby {
namespace {

struct Center {
  double lat;
  double cosine;  // of the latitude
};

// Latitudes and differences of longitude in units in, haversines and metres out; the metres by the
// series of the inverse sine alone. The same operations in the same order as in internal::CosLat,
// Haversine and Asin, which take integers: a difference of latitudes is exact as a double, too.
//
// A loop for each step, with a fixed number of rounds, nothing to decide in it, and arrays that
// nothing else points at, so that the compiler turns them into vectors. None of the operations
// rounds otherwise in a vector.
template <std::size_t Group>
#if defined(__GNUC__)
__attribute__((always_inline))
#endif
inline void
ComputeGroup(const Center& center, const double* lats, const double* lngs, double* haversines,
             double* meters) {
  std::array<double, Group> lat;
  std::array<double, Group> lng;
  std::array<double, Group> root;
  std::copy_n(lats, Group, lat.begin());
  std::copy_n(lngs, Group, lng.begin());
  for (std::size_t i = 0; i < Group; ++i) {
    const double cosine = internal::SinPi(0.5 - 2.0 * std::fabs(internal::kTurnsPerUnit * lat[i]));
    const double lat_sine =
        internal::SinPi(internal::kTurnsPerUnit * std::fabs(center.lat - lat[i]));
    const double lng_sine = internal::SinPi(internal::kTurnsPerUnit * std::fabs(lng[i]));
    root[i] = lat_sine * lat_sine + center.cosine * cosine * (lng_sine * lng_sine);
  }
  std::copy_n(root.begin(), Group, haversines);
  for (std::size_t i = 0; i < Group; ++i) root[i] = std::sqrt(root[i]);
  for (std::size_t i = 0; i < Group; ++i) {
    root[i] = 2 * kEarthRadiusMeters * internal::AsinSmall(root[i]);
  }
  std::copy_n(root.begin(), Group, meters);
}

// For `count` of them, and what fills up the last group of SeparationBlock::kGroup.
using Kernel = void (*)(Center center, std::size_t count, const double* lats, const double* lngs,
                        double* haversines, double* meters);

void PlainKernel(Center center, std::size_t count, const double* lats, const double* lngs,
                 double* haversines, double* meters) {
  constexpr std::size_t kGroup = 4;
  for (std::size_t i = 0; i < count; i += kGroup) {
    ComputeGroup<kGroup>(center, lats + i, lngs + i, haversines + i, meters + i);
  }
}

#if defined(NEARBY_HAS_AVX2_KERNEL)
__attribute__((target("avx2"))) void Avx2Kernel(Center center, std::size_t count,
                                                const double* lats, const double* lngs,
                                                double* haversines, double* meters) {
  constexpr std::size_t kGroup = 4;
  for (std::size_t i = 0; i < count; i += kGroup) {
    ComputeGroup<kGroup>(center, lats + i, lngs + i, haversines + i, meters + i);
  }
}
#endif

#if defined(NEARBY_HAS_AVX512_KERNEL)
NEARBY_TARGET_AVX512 void Avx512Kernel(Center center, std::size_t count, const double* lats,
                                       const double* lngs, double* haversines, double* meters) {
  constexpr std::size_t kGroup = 8;
  for (std::size_t i = 0; i < count; i += kGroup) {
    ComputeGroup<kGroup>(center, lats + i, lngs + i, haversines + i, meters + i);
  }
}
#endif

Kernel KernelFor([[maybe_unused]] SeparationBlock::Vectors vectors) {
#if defined(NEARBY_HAS_AVX512_KERNEL)
  if (vectors == SeparationBlock::Vectors::kAvx512) return Avx512Kernel;
#endif
#if defined(NEARBY_HAS_AVX2_KERNEL)
  if (vectors == SeparationBlock::Vectors::kAvx2) return Avx2Kernel;
#endif
  return PlainKernel;
}

}  // namespace

Separation Separation::Between(Position a, Position b) {
  if (!a.is_somewhere() || !b.is_somewhere()) return {};
  const double cos_lats = internal::CosLat(a.lat_units()) * internal::CosLat(b.lat_units());
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
    : center_(center),
      center_lat_(center.lat_units()),
      center_cos_(internal::CosLat(center.lat_units())) {}

SeparationBlock::Vectors SeparationBlock::Widest() {
#if defined(NEARBY_HAS_AVX512_KERNEL)
  const bool has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                          __builtin_cpu_supports("avx512vl");
  if (has_avx512) return Vectors::kAvx512;
#endif
#if defined(NEARBY_HAS_AVX2_KERNEL)
  if (__builtin_cpu_supports("avx2")) return Vectors::kAvx2;
#endif
  return Vectors::kPlain;
}

void SeparationBlock::Compute() {
  static const Vectors kWidest = Widest();
  ComputeBy(kWidest);
}

void SeparationBlock::ComputeBy(Vectors vectors) {
  // What fills up the last group is computed for nothing.
  for (std::size_t i = size_; i % kGroup != 0; ++i) lats_[i] = lngs_[i] = 0;
  KernelFor(vectors)({center_lat_, center_cos_}, size_, lats_.data(), lngs_.data(),
                     haversines_.data(), meters_.data());
}

}  // namespace nearby
