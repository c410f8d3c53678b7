#ifndef NEARBY_HASH_RING_H_
#define NEARBY_HASH_RING_H_

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "nearby/export.h"
#include "nearby/ids.h"

namespace nearby {

/// A point in the life of a ring: of two rings, the one with the higher version is newer. Who
/// publishes rings numbers them.
enum class RingVersion : std::uint64_t {};

/// One of the HashRing::kPartitions parts of the key space. A channel lies in the same partition
/// for ever, on every ring; what a ring decides is who owns the partition.
enum class RingPartition : std::uint32_t {};

constexpr std::uint64_t ToInt(RingVersion version) { return static_cast<std::uint64_t>(version); }
constexpr std::uint32_t ToInt(RingPartition partition) {
  return static_cast<std::uint32_t>(partition);
}

/// A place on the ring. The name alone decides which channels belong to the seat; the server is
/// whoever sits there now. A server that dies is replaced by putting another one on its seat.
struct RingSeat {
  std::string name;
  /// The seat's share of the channels is its part of the sum of all weights. With weight 0 it owns
  /// none, and keeps its name: a seat that is being emptied, or not yet filled.
  std::uint32_t weight = 100;
  /// Opaque to the ring: what the transport connects to, such as "10.0.0.3:6379". Several seats may
  /// have the same.
  std::string server;

  friend bool operator==(const RingSeat& a, const RingSeat& b) {
    return a.name == b.name && a.weight == b.weight && a.server == b.server;
  }
  friend bool operator!=(const RingSeat& a, const RingSeat& b) { return !(a == b); }
};

/// A partition that another server owns now. The seats are those of the two rings, null where the
/// ring is empty; they live as long as their ring.
struct PartitionMove {
  RingPartition partition{};
  const RingSeat* from = nullptr;
  const RingSeat* to = nullptr;
};

/// Which pub/sub server owns a channel: an immutable snapshot of seats, the same answer on
/// every node, build and platform.
///
///   auto ring = HashRing::Create(RingVersion{7}, {{"a", 100, "10.0.0.1:6379"},
///                                                 {"b", 100, "10.0.0.2:6379"}});
///   if (!ring.ok()) return ring.status();
///   transport->Subscribe((*ring)->Owner(channel)->server, channel, done);
///
/// The channels fall into 2^18 partitions, and a table names the owner of each. The table is a pure
/// function of the seats' names and weights; neither servers, nor the order in which seats are
/// given, nor an earlier ring matter. In short: each seat visits all partitions in a pseudo-random
/// order of its own, at a pace proportional to its weight, and a partition goes to the first seat
/// that comes by and has room left. src/parts/ring_assignment.h specifies it to the bit.
///
/// What follows from that, and what to expect of n seats of equal weight:
///   1. Putting another server on a seat moves that seat's channels and no others.
///   2. A seat owns at most q + 1.5 sqrt(q) partitions, both rounded up, where q is its fair share
///      of them: at most 1.030 of the mean for 100 seats, 1.010 for 10, 1.10 for 1,000.
///   3. When a seat comes, goes or changes its weight, hardly more moves than must: with 100 seats
///      1.00 of a fair share on average, and less than 1.04 in all rings tested.
/// With any weights a share deviates from the fair one by 0.7 sqrt(q) partitions, as a rule. So a
/// seat of weight 1 beside many of weight 1,000 gets what chance gives it.
///
/// Immutable, and so thread-safe; share it as it comes. Owns its seats and the table: 512 KiB. All
/// rings of a process share another 2 MiB.
/// Cost: a look-up is a few multiplications and one read of the table, some 2 ns when they overlap
/// and 11 ns when each waits for the one before (benchmarks/hash_ring_benchmark.cc).
class NEARBY_API HashRing {
 public:
  static constexpr int kPartitionBits = 18;
  static constexpr std::uint32_t kPartitions = 1u << kPartitionBits;
  static constexpr std::size_t kMaxSeats = 4096;
  static constexpr std::uint32_t kMaxWeight = 1000;
  static constexpr std::size_t kMaxNameBytes = 255;
  static constexpr std::size_t kMaxServerBytes = 255;

  /// A ring of these seats; of none, too. `InvalidArgument` for more than kMaxSeats, a weight above
  /// kMaxWeight, a name or server that is empty or too long, and for two seats of one name. Takes
  /// 50 to 100 ms, whatever the number of seats: not for the thread that serves clients.
  static absl::StatusOr<std::shared_ptr<const HashRing>> Create(RingVersion version,
                                                                std::vector<RingSeat> seats);

  /// The channel's partition: the upper 18 bits of its id after the finaliser of MurmurHash3
  /// ("fmix64", Appleby, 2011). Not that of HomeShard, so that the users of one shard spread over
  /// all partitions. An inbox's id is inverted first, so that node 7's does not go with user 7's.
  static constexpr RingPartition PartitionOf(Channel channel) {
    std::uint64_t x = channel.kind == Channel::Kind::kUser ? channel.id : ~channel.id;
    x = (x ^ (x >> 33)) * 0xFF51AFD7ED558CCDu;
    x = (x ^ (x >> 33)) * 0xC4CEB9FE1A85EC53u;
    x ^= x >> 33;
    return RingPartition{static_cast<std::uint32_t>(x >> (64 - kPartitionBits))};
  }

  /// The seat that owns the channel; null if the ring is empty. Lives as long as the ring.
  const RingSeat* Owner(Channel channel) const { return Owner(PartitionOf(channel)); }
  /// The same by partition, which must be below kPartitions.
  const RingSeat* Owner(RingPartition partition) const {
    assert(ToInt(partition) < kPartitions);
    const std::uint16_t seat = owners_[ToInt(partition)];
    return seat == kNobody ? nullptr : &seats_[seat];
  }

  /// Appends the channel's owner, and then those who come next, until there are `count` or no more:
  /// the other seats that have a weight, in the order in which they would inherit the channel if
  /// those before them went (and all had room). Each has a server that none before it has.
  /// O(seats): some 40 ns each.
  void Owners(Channel channel, std::size_t count, std::vector<const RingSeat*>* out) const;

  /// In ascending order of their names.
  absl::Span<const RingSeat> seats() const { return seats_; }
  RingVersion version() const { return version_; }
  /// Whether no seat has a weight, so that nobody owns anything.
  bool empty() const { return total_weight_ == 0; }

  /// How many partitions the seat with this index in seats() owns.
  std::uint32_t partition_count(std::size_t seat) const { return partition_counts_[seat]; }
  /// The part of the key space that it owns, 0 to 1, and what it would own if weights could be
  /// followed exactly. The quotient of the two tells how well the ring is balanced.
  double share(std::size_t seat) const;
  double fair_share(std::size_t seat) const;

 private:
  static constexpr std::uint16_t kNobody = 0xFFFF;

  HashRing(RingVersion version, std::vector<RingSeat> seats);

  RingVersion version_;
  std::vector<RingSeat> seats_;
  std::vector<std::uint64_t> seeds_;  // by seat
  std::uint64_t total_weight_ = 0;
  std::vector<std::uint16_t> owners_;            // seats by partition, or kNobody
  std::vector<std::uint32_t> partition_counts_;  // by seat

  friend NEARBY_API void Difference(const HashRing& from, const HashRing& to,
                                    std::vector<PartitionMove>* moves);
};

/// Appends the partitions that another server owns on `to` than on `from`, ascending. Servers are
/// compared, not seats: a seat with a new server shows its partitions, a renamed seat that shows up
/// in another place shows what its server gained and lost. O(kPartitions), under half a
/// millisecond.
///
/// With this a host that keeps its channels by partition touches only those that moved. To judge a
/// single channel, compare the two owners' servers.
NEARBY_API void Difference(const HashRing& from, const HashRing& to,
                           std::vector<PartitionMove>* moves);

}  // namespace nearby

#endif  // NEARBY_HASH_RING_H_
