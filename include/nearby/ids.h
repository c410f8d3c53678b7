#ifndef NEARBY_IDS_H_
#define NEARBY_IDS_H_

#include <cstdint>
#include <utility>

namespace nearby {

/// A user of the host application. Every 64-bit value is a valid id, 0 included.
enum class UserId : std::uint64_t {};

/// The dense 32-bit name of an entity inside one shard: an index into the shard's tables. A slot is
/// meaningful only to the shard that gave it, and only until the entity leaves.
enum class Slot : std::uint32_t {};

/// What a lookup answers when there is no such entity.
inline constexpr Slot kNoSlot{0xFFFFFFFFu};

/// One engine among several that divide the users between them: 0 .. shard_count - 1.
enum class ShardId : std::uint32_t {};

/// A client's session, as `Engine::Connect` gave it. A later session of the same user, or of
/// another user in the same slot, has another generation, so a stale handle is recognised and
/// refused. Generation 0 is never given: a default handle names no session.
struct ClientHandle {
  Slot slot = kNoSlot;
  std::uint32_t generation = 0;

  friend bool operator==(ClientHandle a, ClientHandle b) {
    return a.slot == b.slot && a.generation == b.generation;
  }
  friend bool operator!=(ClientHandle a, ClientHandle b) { return !(a == b); }
};

/// A session of a runtime: the shard where its user is at home, and the client there. A default
/// one names no session.
struct SessionId {
  ShardId shard{};
  ClientHandle client;

  friend bool operator==(const SessionId& a, const SessionId& b) {
    return a.shard == b.shard && a.client == b.client;
  }
  friend bool operator!=(const SessionId& a, const SessionId& b) { return !(a == b); }
};

/// One process of a service, or one place for a process: what a host's deployment names it. Every
/// 64-bit value is a valid id.
enum class NodeId : std::uint64_t {};

/// What events are published to and subscribed to: a user's channel, or a node's inbox.
struct Channel {
  enum class Kind : std::uint8_t {
    kUser,   ///< What the user does, for each node where a friend may see them.
    kInbox,  ///< What other nodes have to tell this one alone.
  };

  Channel() = default;
  /// A user's channel: not explicit, for that is what most channels are.
  constexpr Channel(UserId user) : id(static_cast<std::uint64_t>(user)) {}  // NOLINT
  static constexpr Channel Inbox(NodeId node) {
    Channel channel;
    channel.kind = Kind::kInbox;
    channel.id = static_cast<std::uint64_t>(node);
    return channel;
  }

  /// The user, for kUser.
  constexpr UserId user() const { return UserId{id}; }

  friend constexpr bool operator==(const Channel& a, const Channel& b) {
    return a.kind == b.kind && a.id == b.id;
  }
  friend constexpr bool operator!=(const Channel& a, const Channel& b) { return !(a == b); }
  friend constexpr bool operator<(const Channel& a, const Channel& b) {
    return a.kind != b.kind ? a.kind < b.kind : a.id < b.id;
  }
  template <typename H>
  friend H AbslHashValue(H h, const Channel& channel) {
    return H::combine(std::move(h), channel.kind, channel.id);
  }

  Kind kind = Kind::kUser;
  std::uint64_t id = 0;
};

/// Orders a user's sessions over all nodes: a later session has a higher one. Also orders the lives
/// of a node (see SessionDirectory). 0 is none's.
enum class Epoch : std::uint64_t {};

constexpr std::uint64_t ToInt(UserId user) { return static_cast<std::uint64_t>(user); }
constexpr std::uint32_t ToInt(Slot slot) { return static_cast<std::uint32_t>(slot); }
constexpr std::uint32_t ToInt(ShardId shard) { return static_cast<std::uint32_t>(shard); }
constexpr std::uint64_t ToInt(NodeId node) { return static_cast<std::uint64_t>(node); }
constexpr std::uint64_t ToInt(Epoch epoch) { return static_cast<std::uint64_t>(epoch); }

/// The shard where `user` is at home, of `shard_count` >= 1. The mapping is specified, not merely
/// stable within a process: the finaliser of SplitMix64 (Steele, Lea and Flood, "Fast Splittable
/// Pseudorandom Number Generators", OOPSLA 2014), then the high half of a 64 x 32 bit product.
/// Processes of different builds therefore agree on it.
constexpr ShardId HomeShard(UserId user, std::uint32_t shard_count) {
  std::uint64_t x = ToInt(user) + 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  x ^= x >> 31;
  return ShardId{static_cast<std::uint32_t>(((x >> 32) * shard_count) >> 32)};
}

}  // namespace nearby

#endif  // NEARBY_IDS_H_
