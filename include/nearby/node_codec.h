#ifndef NEARBY_NODE_CODEC_H_
#define NEARBY_NODE_CODEC_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "nearby/export.h"
#include "nearby/node_batch.h"

namespace nearby {

/// No event takes more than this many bytes of a payload, and no batch more than this without its
/// events: (max_payload - kMaxNodeBatchHeaderBytes) / kMaxNodeEventBytes events always fit.
inline constexpr std::size_t kMaxNodeEventBytes = 72;
inline constexpr std::size_t kMaxNodeBatchHeaderBytes = 64;

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

  /// Appends the batch to `payload`. Of each event, the fields that its kind has by NodeEvent.
  /// Requires those to be valid, a position that is somewhere and times in range; otherwise the
  /// receiver refuses the batch.
  void Encode(const NodeBatch& batch, std::string* payload);

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
/// Cost: some 50 ns an event and as much a batch, without allocation once the batch and the decoder
/// have grown.
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
