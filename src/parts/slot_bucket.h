#ifndef NEARBY_SRC_PARTS_SLOT_BUCKET_H_
#define NEARBY_SRC_PARTS_SLOT_BUCKET_H_

#include <array>
#include <cstddef>
#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace nearby {

/// A line of a UserTable: places for 12 slots, a tag (eight bits of the user's hash) beside each,
/// and how many entries found no place here and went on. Whoever looks for a user who is not in the
/// table learns so, nearly always, from this line alone.
///
/// Those who went on are counted in eight groups, by three more bits of the hash: an entry of
/// another group that went on does not make a look-up follow it.
///
/// Thread-compatible.
struct alignas(64) SlotBucket {
  static constexpr std::size_t kPlaces = 12;
  static constexpr std::uint8_t kFree = 0;  ///< The tag of a free place, and of no entry.
  static constexpr std::uint32_t kGroups = 8;
  /// A counter that has come this far stays there: it no longer knows how many there are.
  static constexpr std::uint32_t kUncounted = 15;

  /// The places with this tag: a bit each.
  std::uint32_t Matches(std::uint8_t tag) const {
#if defined(__SSE2__)
    const __m128i line = _mm_load_si128(reinterpret_cast<const __m128i*>(tags.data()));
    const __m128i equal = _mm_cmpeq_epi8(line, _mm_set1_epi8(static_cast<char>(tag)));
    return static_cast<std::uint32_t>(_mm_movemask_epi8(equal)) & ((1u << kPlaces) - 1);
#else
    return MatchesOneByOne(tag);
#endif
  }
  /// The same, without vectors.
  std::uint32_t MatchesOneByOne(std::uint8_t tag) const {
    std::uint32_t matches = 0;
    for (std::size_t i = 0; i < kPlaces; ++i) matches |= std::uint32_t{tags[i] == tag} << i;
    return matches;
  }

  /// Entries of a group that went on from here; kUncounted for that many or more, once.
  std::uint32_t passed(std::uint32_t group) const { return passed_counts >> 4 * group & 15; }
  void CountPassed(std::uint32_t group) {
    if (passed(group) < kUncounted) passed_counts += 1u << 4 * group;
  }
  /// For one that was counted.
  void DiscountPassed(std::uint32_t group) {
    if (passed(group) < kUncounted) passed_counts -= 1u << 4 * group;
  }

  std::array<std::uint8_t, kPlaces> tags{};
  std::uint32_t passed_counts = 0;  // four bits for each group
  std::array<std::uint32_t, kPlaces> slots{};
};
static_assert(sizeof(SlotBucket) == 64);

}  // namespace nearby

#endif  // NEARBY_SRC_PARTS_SLOT_BUCKET_H_
