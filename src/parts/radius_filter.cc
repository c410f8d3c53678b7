#include "nearby/radius_filter.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "absl/numeric/bits.h"
#include "absl/strings/str_format.h"
#include "src/base/spherical.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace nearby {
namespace {

constexpr double kCircumferenceMeters = 2 * kMaxDistanceMeters;
constexpr double kPi = 3.141592653589793;
constexpr double kUnitsPerRadian = 4294967296.0 / (2 * kPi);
constexpr std::uint32_t kHalfTurn = 1u << 31;

// Entries ahead of the tested one whose positions are asked for. Enough to keep the line-fill
// buffers busy; more evicts what was just fetched.
constexpr std::size_t kPrefetchDistance = 16;

// The larger the better the box holds what it must; the box may be too large by some units, since
// what it selects is tested exactly.
std::uint32_t ToUnitsRoundedUp(double radians) {
  const double units = std::ceil(radians * kUnitsPerRadian * (1 + 1e-9)) + 4;
  return units >= kHalfTurn ? kHalfTurn : static_cast<std::uint32_t>(units);
}

std::uint32_t AbsoluteDifference(std::int32_t a, std::int32_t b) {
  const std::uint32_t difference = static_cast<std::uint32_t>(a) - static_cast<std::uint32_t>(b);
  return std::min(difference, 0u - difference);
}

// 1 or 0. Bitwise on purpose: two short-circuits would be two unpredictable branches.
std::uint32_t InBox(Position center, FixedPointBox box, Position position) {
  const std::uint32_t lat = AbsoluteDifference(center.lat_units(), position.lat_units());
  const std::uint32_t lng = AbsoluteDifference(center.lng_units(), position.lng_units());
  return static_cast<std::uint32_t>(lat <= box.lat_units) &
         static_cast<std::uint32_t>(lng <= box.lng_units);
}

// The plain version of AbsoluteDifference.
std::int64_t WrappingDistance(std::int64_t a, std::int64_t b) {
  const std::int64_t distance = std::llabs(a - b);
  return std::min(distance, (std::int64_t{1} << 32) - distance);
}

}  // namespace

absl::Status ValidateRadius(double radius_m) {
  if (radius_m >= 0 && radius_m <= kMaxRadiusMeters) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrFormat("radius %.15g m lies outside 0 .. %.15g m", radius_m, kMaxRadiusMeters));
}

RadiusLimit RadiusLimit::FromMeters(double radius_m) {
  // The angle in turns: 0 .. 1/2 for radii up to half the circumference.
  const double turns = std::min(radius_m / kCircumferenceMeters, 0.5);
  const bool beyond_quarter = turns > 0.25;
  return RadiusLimit(internal::AngleHaversine<false>(beyond_quarter ? 0.5 - turns : turns),
                     beyond_quarter);
}

bool RadiusLimit::Admits(Position a, Position b) const {
  const double cos_lats = internal::CosLat(a) * internal::CosLat(b);
  return beyond_quarter_ ? internal::HaversineToAntipode(a, b, cos_lats) >= haversine_
                         : internal::Haversine(a, b, cos_lats) <= haversine_;
}

FixedPointBox FixedPointBox::Around(Position center, double radius_m) {
  const double angle = radius_m / kEarthRadiusMeters;
  FixedPointBox box;
  box.lat_units = ToUnitsRoundedUp(angle);
  box.lng_units = kHalfTurn;
  const double latitude = std::fabs(center.lat_units() / kUnitsPerRadian);
  if (latitude + angle >= kPi / 2) return box;  // The circle holds a pole: every meridian meets it.
  // The meridian that touches the circle: sin(half-width) = sin(angle) / cos(latitude) (Napier's
  // rules). Towards the pole the inverse sine loses its precision, so the box gives up a little
  // early.
  const double cosine = internal::CosLat(center);
  // No sine is larger than its angle, and asin(x) <= x (1 + 0.17 x^2) for x <= 0.1, by its series.
  if (const double above = angle / cosine; above <= 0.1) {
    box.lng_units = ToUnitsRoundedUp(above * (1 + 0.17 * above * above));
    return box;
  }
  const double sine = std::sin(angle) / cosine;
  if (sine < 0.9999) box.lng_units = ToUnitsRoundedUp(std::asin(sine));
  return box;
}

#if defined(__SSE2__)

namespace {

// The box test for two positions at a time: p lies within w of c exactly if p - c + w, wrapping, is
// at most 2 w. Vectors compare as signed numbers, so both sides are moved by half the range.
class VectorBox {
 public:
  VectorBox(Position center, FixedPointBox box)
      : shift_(Vector(Shift(center.lat_units(), box.lat_units),
                      Shift(center.lng_units(), box.lng_units))),
        limit_(Vector(Limit(box.lat_units), Limit(box.lng_units))) {}

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
  static std::uint32_t Shift(std::int32_t center, std::uint32_t half_width) {
    return half_width - static_cast<std::uint32_t>(center) + kHalfTurn;
  }
  static std::uint32_t Limit(std::uint32_t half_width) {
    // The widest box holds everything.
    return (half_width >= kHalfTurn ? 0xFFFFFFFFu : 2 * half_width) + kHalfTurn;
  }
  static __m128i Vector(std::uint32_t lat, std::uint32_t lng) {
    const auto signed_lat = static_cast<int>(lat);
    const auto signed_lng = static_cast<int>(lng);
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

}  // namespace

// A bit for each entry, by fours; then a loop over the bits of those selected, which ends, and is
// guessed wrong, once for 64 entries.
std::size_t SelectInBox(Position center, FixedPointBox box, PositionTable table,
                        const IndexedRow& row, std::uint32_t* out) {
  constexpr std::size_t kWord = 64;
  constexpr std::size_t kStep = 4;
  const VectorBox vector_box(center, box);
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
      for (std::size_t j = 0; j < kStep; ++j) {
        __builtin_prefetch(&position(at + kPrefetchDistance + j), 0, 2);
      }
      std::uint32_t in =
          ~vector_box.Outside(position(at), position(at + 1), position(at + 2), position(at + 3));
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

#else

std::size_t SelectInBox(Position center, FixedPointBox box, PositionTable table,
                        const IndexedRow& row, std::uint32_t* out) {
  return SelectInBoxPlain(center, box, table, row, out);
}

#endif

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

absl::StatusOr<RadiusFilter> RadiusFilter::Create(double radius_m) {
  if (absl::Status status = ValidateRadius(radius_m); !status.ok()) return status;
  return RadiusFilter(radius_m);
}

bool RadiusFilter::Contains(Position center, Position position) const {
  return position.is_somewhere() && limit_.Admits(center, position);
}

std::size_t RadiusFilter::Select(Position center, absl::Span<const Position> positions,
                                 std::uint32_t* out) const {
  const FixedPointBox box = FixedPointBox::Around(center, radius_m_);
  std::size_t in_box = 0;
  for (std::size_t i = 0; i < positions.size(); ++i) {
    out[in_box] = static_cast<std::uint32_t>(i);
    in_box += InBox(center, box, positions[i]);
  }
  std::size_t selected = 0;
  for (std::size_t i = 0; i < in_box; ++i) {
    const std::uint32_t index = out[i];
    out[selected] = index;
    selected += static_cast<std::size_t>(Contains(center, positions[index]));
  }
  return selected;
}

}  // namespace nearby
