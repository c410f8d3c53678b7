#ifndef NEARBY_SRC_BASE_VECTORS_H_
#define NEARBY_SRC_BASE_VECTORS_H_

#include <cstdint>

// Which vectors a kernel can be made of: compiled beside the plain one, chosen when the program
// runs.

#if defined(__x86_64__) && defined(__GNUC__)
#define NEARBY_HAS_AVX2_KERNEL 1
// With AddressSanitizer g++ 12 misplaces variables that need 64 bytes of alignment (its bug
// 110027), so that a store to one traps.
#if !defined(__SANITIZE_ADDRESS__)
#define NEARBY_HAS_AVX512_KERNEL 1
#endif
// Compilers avoid the widest vectors unless they are asked for them.
#if defined(__clang__)
#define NEARBY_TARGET_AVX512 \
  __attribute__((target("avx512f,avx512dq,avx512vl,popcnt"), min_vector_width(512)))
#else
#define NEARBY_TARGET_AVX512 \
  __attribute__((target("avx512f,avx512dq,avx512vl,popcnt,prefer-vector-width=512")))
#endif
#endif

// A part of kernels, compiled for the same processor as the kernel that it is part of.
#if defined(__GNUC__)
#define NEARBY_ALWAYS_INLINE __attribute__((always_inline)) inline
#else
#define NEARBY_ALWAYS_INLINE inline
#endif

namespace nearby::internal {

/// Sets of instructions with vectors of 16, 32 and 64 bytes.
enum class Vectors : std::uint8_t { kPlain, kAvx2, kAvx512 };

/// The widest that the processor has and a kernel is compiled for.
inline Vectors WidestVectors() {
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

}  // namespace nearby::internal

#endif  // NEARBY_SRC_BASE_VECTORS_H_
