#include "src/parts/box_kernel.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

#include "absl/numeric/bits.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif
#if defined(NEARBY_HAS_AVX512_KERNEL)
#include <immintrin.h>
#endif

namespace nearby {
namespace {

// Entries ahead of the tested one whose positions are asked for. Enough to keep the line-fill
// buffers busy; more evicts what was just fetched.
constexpr std::size_t kPrefetchDistance = 16;

constexpr std::uint32_t kHalfTurn = 1u << 31;

// What the plain kernel compares, the shorter way round.
std::int64_t WrappingDistance(std::int64_t a, std::int64_t b) {
  const std::int64_t distance = std::llabs(a - b);
  return std::min(distance, (std::int64_t{1} << 32) - distance);
}

// A position p lies within w of c exactly if p - c + w, wrapping, is at most 2 w.
struct Interval {
  Interval(std::int32_t center, std::uint32_t half_width)
      : shift(half_width - static_cast<std::uint32_t>(center)),
        // The widest box holds everything.
        limit(half_width >= kHalfTurn ? 0xFFFFFFFFu : 2 * half_width) {}

  std::uint32_t shift;
  std::uint32_t limit;
};

#if defined(__SSE2__)

// The box test for two positions at a time. These vectors compare as signed numbers, so both sides
// are moved by half the range.
class VectorBox {
 public:
  VectorBox(Interval lat, Interval lng)
      : shift_(Vector(lat.shift, lng.shift)), limit_(Vector(lat.limit, lng.limit)) {}

  // The lowest four bits: which of these lie outside.
  std::uint32_t Outside(const Position& a, const Position& b, const Position& c,
                        const Position& d) const {
    const __m128 ab = _mm_castsi128_ps(Compare(a, b));
    const __m128 cd = _mm_castsi128_ps(Compare(c, d));
    const __m128 lats = _mm_shuffle_ps(ab, cd, _MM_SHUFFLE(2, 0, 2, 0));
    const __m128 lngs = _mm_shuffle_ps(ab, cd, _MM_SHUFFLE(3, 1, 3, 1));
    return static_cast<std::uint32_t>(_mm_movemask_ps(_mm_or_ps(lats, lngs)));
  }

 private:
  static __m128i Vector(std::uint32_t lat, std::uint32_t lng) {
    const auto signed_lat = static_cast<int>(lat + kHalfTurn);
    const auto signed_lng = static_cast<int>(lng + kHalfTurn);
    return _mm_set_epi32(signed_lng, signed_lat, signed_lng, signed_lat);
  }
  // All ones where a coordinate lies outside.
  __m128i Compare(const Position& a, const Position& b) const {
    const __m128i low = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(&a));
    const __m128i high = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(&b));
    return _mm_cmpgt_epi32(_mm_add_epi32(_mm_unpacklo_epi64(low, high), shift_), limit_);
  }

  __m128i shift_;
  __m128i limit_;
};

// A bit for each entry, by fours; then a loop over the bits of those selected, which ends, and is
// guessed wrong, once for 64 entries.
std::size_t SelectBySse2(Interval lat, Interval lng, PositionTable table, const IndexedRow& row,
                         std::uint32_t* out) {
  constexpr std::size_t kWord = 64;
  constexpr std::size_t kStep = 4;
  const VectorBox box(lat, lng);
  const __m128i mask = _mm_set1_epi32(static_cast<int>(row.always_mask));
  const std::uint32_t* const entries = row.entries.data();
  const std::size_t size = row.entries.size();
  const auto position = [&](std::size_t i) -> const Position& {
    // The last entries are tested, and asked for, again, which costs less than a branch.
    return table[entries[std::min(i, size - 1)] >> row.index_shift];
  };
  std::size_t selected = 0;
  for (std::size_t begin = 0; begin < size; begin += kWord) {
    const std::size_t count = std::min(kWord, size - begin);
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < count; i += kStep) {
      const std::size_t at = begin + i;
      for (std::size_t j = 0; j < kStep && !row.is_cached; ++j) {
        __builtin_prefetch(&position(at + kPrefetchDistance + j), 0, 2);
      }
      std::uint32_t in =
          ~box.Outside(position(at), position(at + 1), position(at + 2), position(at + 3));
      if (at + kStep <= size) {
        const __m128i four = _mm_loadu_si128(reinterpret_cast<const __m128i*>(entries + at));
        const __m128i is_untested = _mm_cmpeq_epi32(_mm_and_si128(four, mask), _mm_setzero_si128());
        in |= ~static_cast<std::uint32_t>(_mm_movemask_ps(_mm_castsi128_ps(is_untested)));
      } else {
        for (std::size_t j = 0; at + j < size; ++j) {
          in |= static_cast<std::uint32_t>((entries[at + j] & row.always_mask) != 0) << j;
        }
      }
      word |= std::uint64_t{in & 0xFu} << i;
    }
    word &= ~std::uint64_t{0} >> (kWord - count);
    for (; word != 0; word &= word - 1) {
      out[selected++] = static_cast<std::uint32_t>(begin + absl::countr_zero(word));
    }
  }
  return selected;
}

#endif

#if defined(NEARBY_HAS_AVX512_KERNEL)

// Eight entries at a time. Their positions are loaded one by one, because the processor's own
// gather takes longer.
//
// EntriesAreOffsets: things in the table are as many bytes apart as the spare bits of an entry
// count, as those of the engine are; so an entry is the offset but for those bits.
template <bool EntriesAreOffsets>
class WideBox {
 public:
  NEARBY_TARGET_AVX512 WideBox(Interval lat, Interval lng, PositionTable table,
                               const IndexedRow& row)
      : first_(reinterpret_cast<const char*>(&table[0])),
        stride_bytes_(table.stride_bytes()),
        index_shift_(row.index_shift),
        offset_mask_(~std::uint32_t{0} << row.index_shift),
        shift_(_mm512_set1_epi64(Both(lat.shift, lng.shift))),
        limit_(_mm512_set1_epi64(Both(lat.limit, lng.limit))),
        always_(_mm256_set1_epi32(static_cast<int>(row.always_mask))) {}

  NEARBY_ALWAYS_INLINE const char* At(std::uint32_t entry) const {
    return first_ + (EntriesAreOffsets
                         ? std::size_t{entry & offset_mask_}
                         : static_cast<std::size_t>(entry >> index_shift_) * stride_bytes_);
  }

  // Bit i: whether entry i of the eight is selected.
  NEARBY_TARGET_AVX512 NEARBY_ALWAYS_INLINE unsigned Selected(const std::uint32_t* eight) const {
    const __m512i positions =
        _mm512_set_epi64(Load(eight[7]), Load(eight[6]), Load(eight[5]), Load(eight[4]),
                         Load(eight[3]), Load(eight[2]), Load(eight[1]), Load(eight[0]));
    const __m512i shifted = _mm512_add_epi32(positions, shift_);
    // 0 where neither coordinate is beyond its limit. g++ 12 warns of its own _mm512_max_epu32.
    const __m512i larger = _mm512_maskz_max_epu32(__mmask16{0xFFFF}, shifted, limit_);
    const __m512i beyond = _mm512_sub_epi32(larger, limit_);
    const __m256i entries = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(eight));
    const unsigned in_box = _mm512_testn_epi64_mask(beyond, beyond);
    return in_box | _mm256_test_epi32_mask(entries, always_);
  }

 private:
  static std::int64_t Both(std::uint32_t lat, std::uint32_t lng) {
    return static_cast<std::int64_t>(std::uint64_t{lng} << 32 | lat);
  }
  NEARBY_ALWAYS_INLINE std::int64_t Load(std::uint32_t entry) const {
    std::int64_t position;
    std::memcpy(&position, At(entry), sizeof(position));
    return position;
  }

  const char* first_;
  std::size_t stride_bytes_;
  int index_shift_;
  std::uint32_t offset_mask_;
  __m512i shift_;
  __m512i limit_;
  __m256i always_;
};

template <bool EntriesAreOffsets>
NEARBY_TARGET_AVX512 std::size_t SelectByAvx512(Interval lat, Interval lng, PositionTable table,
                                                const IndexedRow& row, std::uint32_t* out) {
  constexpr std::size_t kStep = 8;
  const WideBox<EntriesAreOffsets> box(lat, lng, table, row);
  const std::uint32_t* const entries = row.entries.data();
  const std::size_t size = row.entries.size();
  std::array<std::uint32_t, kStep> last;
  __m256i numbers = _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0);
  std::size_t selected = 0;
  for (std::size_t begin = 0; begin < size; begin += kStep) {
    if (!row.is_cached) {
      for (std::size_t j = 0; j < kStep; ++j) {
        const std::size_t ahead = std::min(begin + kPrefetchDistance + j, size - 1);
        __builtin_prefetch(box.At(entries[ahead]), 0, 2);
      }
    }
    unsigned word;
    if (const std::size_t left = size - begin; left >= kStep) {
      word = box.Selected(entries + begin);
    } else {
      last.fill(entries[begin]);
      std::copy_n(entries + begin, left, last.begin());
      word = box.Selected(last.data()) & ((1u << left) - 1);
    }
    // As many as are selected, and not a word more, are written.
    const auto chosen = static_cast<__mmask8>(word);
    const int count = __builtin_popcount(word);
    const auto written = static_cast<__mmask8>((1u << count) - 1);
    _mm256_mask_storeu_epi32(out + selected, written, _mm256_maskz_compress_epi32(chosen, numbers));
    selected += static_cast<std::size_t>(count);
    numbers = _mm256_add_epi32(numbers, _mm256_set1_epi32(kStep));
  }
  return selected;
}

#endif

}  // namespace

std::size_t internal::SelectInBoxBy([[maybe_unused]] Vectors vectors, Position center,
                                    FixedPointBox box, PositionTable table, const IndexedRow& row,
                                    std::uint32_t* out) {
  if (row.entries.empty()) return 0;
#if defined(__SSE2__)
  const Interval lat(center.lat_units(), box.lat_units);
  const Interval lng(center.lng_units(), box.lng_units);
#if defined(NEARBY_HAS_AVX512_KERNEL)
  if (vectors == Vectors::kAvx512) {
    const bool entries_are_offsets = table.stride_bytes() == std::size_t{1} << row.index_shift;
    return entries_are_offsets ? SelectByAvx512<true>(lat, lng, table, row, out)
                               : SelectByAvx512<false>(lat, lng, table, row, out);
  }
#endif
  return SelectBySse2(lat, lng, table, row, out);
#else
  return SelectInBoxPlain(center, box, table, row, out);
#endif
}

std::size_t SelectInBox(Position center, FixedPointBox box, PositionTable table,
                        const IndexedRow& row, std::uint32_t* out) {
  static const internal::Vectors kWidest = internal::WidestVectors();
  return internal::SelectInBoxBy(kWidest, center, box, table, row, out);
}

std::size_t SelectInBoxPlain(Position center, FixedPointBox box, PositionTable table,
                             const IndexedRow& row, std::uint32_t* out) {
  std::size_t selected = 0;
  for (std::size_t i = 0; i < row.entries.size(); ++i) {
    const std::uint32_t entry = row.entries[i];
    const Position position = table[entry >> row.index_shift];
    const bool in_box =
        WrappingDistance(center.lat_units(), position.lat_units()) <= box.lat_units &&
        WrappingDistance(center.lng_units(), position.lng_units()) <= box.lng_units;
    if (in_box || (entry & row.always_mask) != 0) out[selected++] = static_cast<std::uint32_t>(i);
  }
  return selected;
}

}  // namespace nearby
