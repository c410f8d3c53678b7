#ifndef NEARBY_TESTS_PARTS_HASH_RING_BUILDER_H_
#define NEARBY_TESTS_PARTS_HASH_RING_BUILDER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "nearby/hash_ring.h"

namespace nearby {

using Ring = std::shared_ptr<const HashRing>;

inline RingSeat MakeSeat(const std::string& name, std::uint32_t weight = 100) {
  return RingSeat{name, weight, absl::StrCat("server of ", name)};
}

/// Seats named `prefix` and a number from `first` on.
inline std::vector<RingSeat> MakeSeats(const std::string& prefix, std::size_t count,
                                       std::uint32_t weight = 100, std::size_t first = 0) {
  std::vector<RingSeat> seats;
  for (std::size_t i = 0; i < count; ++i) {
    seats.push_back(MakeSeat(absl::StrCat(prefix, first + i), weight));
  }
  return seats;
}

/// Requires valid seats.
inline Ring MakeRing(std::vector<RingSeat> seats, std::uint64_t version = 1) {
  auto ring = HashRing::Create(RingVersion{version}, std::move(seats));
  EXPECT_TRUE(ring.ok()) << ring.status();
  return *std::move(ring);
}

inline std::vector<PartitionMove> Moves(const Ring& from, const Ring& to) {
  std::vector<PartitionMove> moves;
  Difference(*from, *to, &moves);
  return moves;
}

}  // namespace nearby

#endif  // NEARBY_TESTS_PARTS_HASH_RING_BUILDER_H_
