#ifndef NEARBY_SUBSCRIPTION_REGISTRY_H_
#define NEARBY_SUBSCRIPTION_REGISTRY_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "nearby/export.h"
#include "nearby/ids.h"
#include "nearby/time.h"

namespace nearby {

namespace internal {
class SlotLines;
}

/// What an edge says about its two ends, seen from the row that holds it ("I"). The flags come in
/// pairs, the friend's and mine side by side, so that the other end's view is a swap of neighbours.
enum EdgeFlags : std::uint32_t {
  kNoEdgeFlags = 0,
  kFriendSees = 1u << 0,       ///< The neighbour sees me now.
  kISee = 1u << 1,             ///< I see the neighbour now.
  kFriendMaySee = 1u << 2,     ///< The neighbour listens to me.
  kIMaySee = 1u << 3,          ///< I listen to the neighbour.
  kFriendHasRadius = 1u << 4,  ///< The neighbour's radius is not the default.
  kIHaveRadius = 1u << 5,      ///< Mine is not.
};

constexpr EdgeFlags operator|(EdgeFlags a, EdgeFlags b) {
  return static_cast<EdgeFlags>(static_cast<std::uint32_t>(a) | static_cast<std::uint32_t>(b));
}

/// The same facts, seen from the other end.
constexpr EdgeFlags Mirrored(EdgeFlags flags) {
  return static_cast<EdgeFlags>((flags & 0b010101u) << 1 | (flags >> 1 & 0b010101u));
}

/// One neighbour in a row: a 26-bit slot and six flags in 4 bytes.
class Edge {
 public:
  static constexpr int kFlagBits = 6;
  static constexpr std::uint32_t kFlagMask = (1u << kFlagBits) - 1;
  static constexpr std::uint32_t kMaxSlots = 1u << (32 - kFlagBits);

  constexpr Edge() = default;
  constexpr Edge(Slot neighbour, EdgeFlags flags)
      : bits_(ToInt(neighbour) << kFlagBits | (flags & kFlagMask)) {}

  constexpr Slot neighbour() const { return Slot{bits_ >> kFlagBits}; }
  constexpr EdgeFlags flags() const { return static_cast<EdgeFlags>(bits_ & kFlagMask); }
  constexpr bool has(EdgeFlags flags) const { return (bits_ & flags) == flags; }
  constexpr std::uint32_t bits() const { return bits_; }

  void Set(EdgeFlags flags) { bits_ |= flags & kFlagMask; }
  void Clear(EdgeFlags flags) { bits_ &= ~(flags & kFlagMask); }
  void Toggle(EdgeFlags flags) { bits_ ^= flags & kFlagMask; }

 private:
  std::uint32_t bits_ = 0;
};
// Rows are read as arrays of 32-bit numbers by the filter kernel.
static_assert(sizeof(Edge) == 4 && std::is_standard_layout_v<Edge>);

/// A row together with its ticks: one byte beside each edge, for the caller's own use. A tick
/// belongs to the edge in this row alone; the mirror edge has its own.
struct RowView {
  absl::Span<Edge> edges;
  std::uint8_t* ticks = nullptr;  ///< As many as edges; null for an empty row.
};

/// Who listens to whom among the entities of one shard: for each entity a row of edges, one for
/// each neighbour. An edge stands in both rows of its pair, mirrored, so that one walk along the
/// row of whoever moved settles both directions.
///
///   registry.Link(alice, bob, kIMaySee | kFriendMaySee);
///   for (Edge edge : registry.Row(alice)) { ... }
///
/// A row is also a *channel*: the stream of events of an entity whose home is another shard. Its
/// first listener means that the channel must be subscribed to, its last that it may be dropped;
/// both follow from the row. The end is delayed and checked again, so that a listener who flaps
/// causes no churn.
///
/// Thread-compatible. Owns its memory: rows grow by granules of 32 bytes out of shared chunks;
/// about 5.6 bytes an edge at 40 edges a row, ticks included, and 64 for the head of a row.
///
/// Cost: walking a row streams it. Link, Unlink and Update search the two rows: O(shorter row) to
/// find a pair, O(row) for the mirror edge. UnlinkAll searches each neighbour's row once.
///
/// Invariants:
///   1. b is in a's row exactly if a is in b's, each at most once, never a in its own.
///   2. The flags of a pair's two edges are `Mirrored` of each other.
///   3. No row is longer than `max_row`.
class NEARBY_API SubscriptionRegistry {
 public:
  struct Options {
    /// Link fails beyond this many edges in either row; at most 65,535.
    std::uint32_t max_row = 5000;
    /// How long a channel stays subscribed after its last listener has gone.
    absl::Duration unsubscribe_delay = absl::Seconds(30);
    /// Memory is set aside for the heads of this many rows at once.
    std::uint32_t expected_entities = 0;
  };

  explicit SubscriptionRegistry(const Options& options);
  /// For the library itself: keeps the heads of rows in lines that others keep theirs in, too. All
  /// slots must have lines before they are linked.
  NEARBY_LOCAL SubscriptionRegistry(const Options& options, internal::SlotLines* lines);
  ~SubscriptionRegistry();
  SubscriptionRegistry(const SubscriptionRegistry&) = delete;
  SubscriptionRegistry& operator=(const SubscriptionRegistry&) = delete;

  /// Adds the pair with `flags` seen from `a`, both edges with this tick. Requires a != b, both
  /// slots below Edge::kMaxSlots, and that the pair is not linked. The new edges are the last of
  /// their rows. `ResourceExhausted` if either row is full: nothing changes.
  ///
  /// Where `a` is about to be linked to many, `row_to_be` says how long its row will be: it is
  /// given room for that at once, instead of growing through all sizes. Trim it if it stays
  /// shorter.
  absl::Status Link(Slot a, Slot b, EdgeFlags flags, std::uint8_t tick = 0,
                    std::uint32_t row_to_be = 0);
  /// Takes back room that a row was given and does not need.
  void Trim(Slot slot);
  /// Removes the pair; false if it was not linked. Row order is not kept: the last edge takes the
  /// place of the removed one, and its tick goes with it.
  bool Unlink(Slot a, Slot b);
  /// Removes every pair of the slot: as Unlink for each, but that their memory is asked for at
  /// once.
  void UnlinkAll(Slot slot);

  /// The edge to `b` in `a`'s row, or nullptr. Valid until the next Link or Unlink.
  const Edge* Find(Slot a, Slot b) const;
  /// Clears, then sets flags (seen from `a`) on both edges. Requires that the pair is linked.
  void Update(Slot a, Slot b, EdgeFlags set, EdgeFlags clear);

  /// The row of `slot`; empty for one never linked. Valid until the next Link or Unlink.
  absl::Span<const Edge> Row(Slot slot) const;

  /// As Row and Find, for a caller who changes flags in mid-walk and keeps invariant 2 by writing
  /// the mirrored flags to the other end's edge as well. Only flags and ticks may be changed.
  RowView MutableRow(Slot slot);
  Edge* FindMutable(Slot a, Slot b);
  /// The other end's edge of a pair, for an edge of this row.
  Edge& MirrorOf(Slot row, Edge edge);
  /// The tick of an edge of this row; of the edge itself, not of a copy.
  std::uint8_t& TickOf(Slot row, const Edge& edge);
  std::uint8_t TickOf(Slot row, const Edge& edge) const;

  /// Asks the processor for the head of a row that will be walked soon, and then, when that is at
  /// hand, for the row's first lines of 64 bytes, or for those that the next Link writes to. They
  /// change nothing.
  void PrefetchHead(Slot slot) const;
  void PrefetchRow(Slot slot, std::size_t lines) const;
  void PrefetchRowEnd(Slot slot) const;

  /// Call after linking a listener to a channel: true if the channel is not subscribed to yet. From
  /// then on it counts as subscribed. Requires a row that is not empty.
  bool FirstIn(Slot channel);
  /// Call after unlinking from a channel: starts the delay if the channel is subscribed and its row
  /// is empty now. A delay that runs already runs on; the next Link to the channel ends it.
  void MaybeLastOut(Slot channel, Time now);
  /// Takes a channel whose row has stayed empty for the whole delay up to `now`; it then counts as
  /// not subscribed. In order of the time at which the delay ended, then of slot. False if there is
  /// none.
  bool PopIdle(Time now, Slot* channel);
  /// PopIdle yields a channel at this time and none before; kNever if no channel is idle.
  Time next_idle_check() const;
  /// Drops the channel's state at once. Requires an empty row.
  void ForgetChannel(Slot channel);
  bool is_subscribed(Slot channel) const;

  /// Edges, each pair counted twice.
  std::size_t edge_count() const { return edge_count_; }
  /// Bytes held for rows, for measuring the cost of an edge.
  std::size_t row_bytes() const;

  /// Checks invariants 1 to 3, and that no channel with a listener is about to be dropped:
  /// `Internal` naming the first violation. O(edges log edges), with a copy of all edges: for tests
  /// and debugging.
  absl::Status CheckInvariants() const;

  /// What rows are read from; for the library's own inner loops.
  class NEARBY_LOCAL Rows;
  Rows& rows() { return *rows_; }

 private:
  class NEARBY_LOCAL Channels;  // subscribed channels and their delays

  std::uint32_t max_row_;
  std::size_t edge_count_ = 0;
  std::unique_ptr<Rows> rows_;
  std::unique_ptr<Channels> channels_;
};

}  // namespace nearby

#endif  // NEARBY_SUBSCRIPTION_REGISTRY_H_
