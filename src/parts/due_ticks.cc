#include "src/parts/due_ticks.h"

#include <algorithm>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace nearby {

std::size_t DueTicks::SelectPlain(const std::uint8_t* ticks, std::size_t size, std::uint8_t now,
                                  std::uint32_t* out) {
  std::size_t selected = 0;
  for (std::size_t i = 0; i < size; ++i) {
    if (Ahead(ticks[i], now) <= 0) out[selected++] = static_cast<std::uint32_t>(i);
  }
  return selected;
}

#if defined(__SSE2__)

std::size_t DueTicks::Select(const std::uint8_t* ticks, std::size_t size, std::uint8_t now,
                             std::uint32_t* out) {
  const __m128i present = _mm_set1_epi8(static_cast<char>(now));
  std::size_t selected = 0;
  for (std::size_t begin = 0; begin < size; begin += kBlock) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(ticks + begin));
    const __m128i is_ahead = _mm_cmpgt_epi8(_mm_sub_epi8(block, present), _mm_setzero_si128());
    auto due = ~static_cast<std::uint32_t>(_mm_movemask_epi8(is_ahead));
    due &= (1u << std::min(kBlock, size - begin)) - 1;
    for (; due != 0; due &= due - 1) {
      out[selected++] =
          static_cast<std::uint32_t>(begin) + static_cast<std::uint32_t>(__builtin_ctz(due));
    }
  }
  return selected;
}

#else

std::size_t DueTicks::Select(const std::uint8_t* ticks, std::size_t size, std::uint8_t now,
                             std::uint32_t* out) {
  return SelectPlain(ticks, size, now, out);
}

#endif

}  // namespace nearby
