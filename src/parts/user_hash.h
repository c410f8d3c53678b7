#ifndef NEARBY_SRC_PARTS_USER_HASH_H_
#define NEARBY_SRC_PARTS_USER_HASH_H_

#include <cstdint>

#include "absl/hash/hash.h"
#include "absl/numeric/int128.h"
#include "nearby/ids.h"

namespace nearby {

/// A hash of users, all 64 bits of which are good, that nobody outside can foresee: ids come from
/// clients, who shall not be able to choose many with one hash. Two products fold a user with
/// multipliers that are secret, since with a known multiplier ids can be found whose products
/// agree in their high bits whatever is added to them first.
///
/// The secret is that of absl::Hash, which differs from one process to the next; nothing that can
/// be observed may depend on a hash.
///
/// Immutable.
class UserHash {
 public:
  UserHash() : addend_(Secret(1)), first_(Secret(2) | 1), second_(Secret(3) | 1) {}

  std::uint64_t operator()(UserId user) const {
    return Fold(Fold(ToInt(user) + addend_, first_) ^ addend_, second_);
  }

 private:
  static std::uint64_t Fold(std::uint64_t a, std::uint64_t b) {
    const absl::uint128 product = absl::uint128(a) * b;
    return absl::Uint128High64(product) ^ absl::Uint128Low64(product);
  }
  // The hashes of small numbers resemble each other; folded with a constant they do not.
  static std::uint64_t Secret(std::uint64_t number) {
    constexpr std::uint64_t kOdd = 0x9E3779B97F4A7C15;  // 2^64 over the golden ratio
    return Fold(absl::Hash<std::uint64_t>()(number) ^ kOdd, kOdd);
  }

  std::uint64_t addend_;
  std::uint64_t first_;
  std::uint64_t second_;
};

}  // namespace nearby

#endif  // NEARBY_SRC_PARTS_USER_HASH_H_
