#include "src/parts/due_ticks.h"

#include <algorithm>

#include "absl/numeric/bits.h"

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

// A bit for each tick, by sixteens; then a loop over the bits alone, which ends, and is guessed
// wrong, once for 64 ticks.
std::size_t DueTicks::Select(const std::uint8_t* ticks, std::size_t size, std::uint8_t now,
                             std::uint32_t* out) {
  constexpr std::size_t kWord = 64;
  const __m128i present = _mm_set1_epi8(static_cast<char>(now));
  std::size_t selected = 0;
  for (std::size_t begin = 0; begin < size; begin += kWord) {
    const std::size_t count = std::min(kWord, size - begin);
    std::uint64_t ahead = 0;
    for (std::size_t i = 0; i < count; i += kBlock) {
      const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(ticks + begin + i));
      const __m128i is_ahead = _mm_cmpgt_epi8(_mm_sub_epi8(block, present), _mm_setzero_si128());
      ahead |= static_cast<std::uint64_t>(_mm_movemask_epi8(is_ahead)) << i;
    }
    std::uint64_t due = ~ahead & (~std::uint64_t{0} >> (kWord - count));
    for (; due != 0; due &= due - 1) {
      out[selected++] = static_cast<std::uint32_t>(begin + absl::countr_zero(due));
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
