#ifndef NEARBY_SRC_WIRE_FRIENDSHIP_BITS_H_
#define NEARBY_SRC_WIRE_FRIENDSHIP_BITS_H_

#include <cstdint>

#include "nearby/friendship.h"

namespace nearby::wire {

/// A friendship as nearby.v1 numbers its facts.
constexpr std::uint32_t ToBits(const Friendship& friendship) {
  return (friendship.friends ? 1u : 0u) | (friendship.i_hide ? 2u : 0u) |
         (friendship.friend_hides ? 4u : 0u) | (friendship.i_unsubscribed ? 8u : 0u) |
         (friendship.friend_unsubscribed ? 16u : 0u);
}

/// No more than these bits are set.
inline constexpr std::uint32_t kFriendshipBits = 31;

constexpr Friendship FriendshipFromBits(std::uint32_t bits) {
  return {(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0, (bits & 16) != 0};
}

}  // namespace nearby::wire

#endif  // NEARBY_SRC_WIRE_FRIENDSHIP_BITS_H_
