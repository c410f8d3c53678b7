#ifndef NEARBY_NODE_CODEC_H_
#define NEARBY_NODE_CODEC_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "nearby/effects.h"
#include "nearby/export.h"

namespace nearby {

/// Names a batch among all that one node hears, so that it can tell repetitions and gaps. The codec
/// carries it and compares nothing.
struct NodeBatchId {
  std::uint64_t publisher = 0;  ///< The node that sent it.
  std::uint64_t epoch = 0;      ///< Which life of that node: grows with each start.
  std::uint64_t sequence = 0;   ///< Grows within an epoch.

  friend bool operator==(const NodeBatchId& a, const NodeBatchId& b) {
    return a.publisher == b.publisher && a.epoch == b.epoch && a.sequence == b.sequence;
  }
  friend bool operator!=(const NodeBatchId& a, const NodeBatchId& b) { return !(a == b); }
};

/// What one node tells another in one payload.
struct NodeBatch {
  NodeBatchId id;
  std::vector<PeerMessage> events;
  /// Left out: of kinds that this version does not know, or with friendships that it does not.
  std::size_t unknown_events = 0;
};

/// No event takes more than this many bytes of a payload, and no batch more than this without its
/// events: (max_payload - kMaxNodeBatchHeaderBytes) / kMaxNodeEventBytes events always fit.
inline constexpr std::size_t kMaxNodeEventBytes = 80;
inline constexpr std::size_t kMaxNodeBatchHeaderBytes = 40;

/// Writes what one node tells another, as `nearby.v1.NodeBatch`: a payload for `Transport`.
///
/// Thread-compatible.
/// Ownership: borrows nothing beyond a call; keeps the memory of its largest batch.
/// Cost: some 30 ns an event, without allocation once the payload and the encoder have grown.
class NEARBY_API NodeEncoder {
 public:
  NodeEncoder();
  ~NodeEncoder();
  NodeEncoder(NodeEncoder&& other) noexcept;
  NodeEncoder& operator=(NodeEncoder&& other) noexcept;

  /// Appends the batch to `payload`. Of each event, the fields that its kind has by PeerMessage.
  /// Requires those to be valid, as an engine makes them; otherwise the receiver refuses the batch.
  void Encode(const NodeBatchId& id, absl::Span<const PeerMessage> events, std::string* payload);

 private:
  class NEARBY_LOCAL Impl;

  std::unique_ptr<Impl> impl_;
};

struct NodeDecoderOptions {
  // Limits.

  /// Longer payloads are refused unread. At most 2^30.
  std::size_t max_payload_bytes = std::size_t{1} << 20;
  /// Batches of more events are refused.
  std::size_t max_events = 16384;

  /// Ok, or `InvalidArgument` naming the option and its range.
  NEARBY_API absl::Status Validate() const;
};

/// Reads what another node sent. Whatever the bytes are, an event that it gives out is valid: a
/// known kind, the fields of that kind, a position that is somewhere, times in range. Whether it is
/// new, and for this node, is the receiver's business.
///
/// Thread-compatible.
/// Ownership: a decoded batch holds no view of the payload.
/// Cost: some 40 ns an event, without allocation once the batch and the decoder have grown.
class NEARBY_API NodeDecoder {
 public:
  /// With the default options.
  NodeDecoder();
  /// `InvalidArgument` for options that Validate refuses.
  static absl::StatusOr<NodeDecoder> Create(const NodeDecoderOptions& options);
  ~NodeDecoder();
  NodeDecoder(NodeDecoder&& other) noexcept;
  NodeDecoder& operator=(NodeDecoder&& other) noexcept;

  /// Replaces `batch`; after a failure it is empty. `InvalidArgument`: malformed, or an event has a
  /// value out of range; the message says which event and what. `ResourceExhausted`: a limit.
  absl::Status Decode(absl::string_view payload, NodeBatch* batch);

 private:
  class NEARBY_LOCAL Impl;
  explicit NodeDecoder(const NodeDecoderOptions& options);

  std::unique_ptr<Impl> impl_;
};

}  // namespace nearby

#endif  // NEARBY_NODE_CODEC_H_
