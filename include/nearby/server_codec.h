#ifndef NEARBY_SERVER_CODEC_H_
#define NEARBY_SERVER_CODEC_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "nearby/client_sink.h"
#include "nearby/effects.h"
#include "nearby/engine.h"
#include "nearby/export.h"
#include "nearby/wire_format.h"

namespace nearby {

/// A page of friends in sight, as a runtime or an engine gives it, or `{result.friends,
/// result.in_sight, result.next}` of a ConnectResult. Borrows the friends.
struct NearbyPageView {
  NearbyPageView() = default;
  NearbyPageView(absl::Span<const NearbyFriend> friends_in, std::size_t in_sight_in,
                 std::optional<PageToken> next_in)
      : friends(friends_in), in_sight(in_sight_in), next(next_in) {}
  // As a string becomes a string_view.
  // NOLINTNEXTLINE(google-explicit-constructor)
  NearbyPageView(const NearbyPage& page) : NearbyPageView(page.friends, page.in_sight, page.next) {}

  absl::Span<const NearbyFriend> friends;  ///< Nearest first; each somewhere.
  std::size_t in_sight = 0;                ///< Friends in sight in all.
  std::optional<PageToken> next;           ///< Present if there are more.
};

/// Writes what a server sends to its clients: the answers to calls, and what nobody asked for.
///
///   ServerEncoder encoder;
///   std::string frame;
///   encoder.EncodeBatch(WireFormat::kProtobuf, batch, &frame);
///
/// Each call appends one message to `frame`; a host that frames messages itself can put a header
/// there first. Nothing is written that a client may not know: hidden and unfriended read as
/// offline (`ReasonForClient`), and a leave has no position and no distance, whatever the batch
/// says.
///
/// Thread-compatible; one encoder serves any number of connections, one message at a time.
/// Ownership: borrows nothing beyond a call; keeps the memory of its largest batch.
/// Cost: protobuf 20 to 40 ns an event in batches, without allocation once the frame and the
/// encoder have grown; JSON some 10 µs a message and 2 µs an event.
class NEARBY_API ServerEncoder {
 public:
  ServerEncoder();
  ~ServerEncoder();
  ServerEncoder(ServerEncoder&& other) noexcept;
  ServerEncoder& operator=(ServerEncoder&& other) noexcept;

  /// What happened to the friends in sight. Requires enters and moves to be somewhere; resets are
  /// left out, because `batch.start` says as much.
  void EncodeBatch(WireFormat format, const ClientBatch& batch, std::string* frame);

  void EncodeInitAnswer(WireFormat format, std::uint64_t request_id, const NearbyPageView& page,
                        std::string* frame);
  /// `in_sight`: the friend, where the client sees them now.
  void EncodeSubscribeAnswer(WireFormat format, std::uint64_t request_id,
                             const std::optional<NearbyFriend>& in_sight, std::string* frame);
  void EncodeUnsubscribeAnswer(WireFormat format, std::uint64_t request_id, std::string* frame);
  void EncodeNearbyAnswer(WireFormat format, std::uint64_t request_id, const NearbyPageView& page,
                          std::string* frame);

  /// `request_id`: of the call that failed, 0 if it was none. `retry_after`: when to try again;
  /// zero if there is nothing to say about that. Durations are rounded up to the millisecond. What
  /// is not UTF-8 in the status's message is replaced. Requires a status that is not Ok.
  void EncodeError(WireFormat format, std::uint64_t request_id, const absl::Status& status,
                   absl::Duration retry_after, std::string* frame);

  /// This server is going away: connect again after so long.
  void EncodeDrain(WireFormat format, absl::Duration reconnect_after, std::string* frame);

 private:
  class NEARBY_LOCAL Impl;

  std::unique_ptr<Impl> impl_;
};

struct InitAnswer {
  NearbyPage page;
};

struct SubscribeAnswer {
  std::optional<NearbyFriend> in_sight;  ///< The friend, where the client sees them now.
};

struct UnsubscribeAnswer {};

struct NearbyAnswer {
  NearbyPage page;
};

/// A ClientBatch, on the other side.
struct ClientUpdate {
  BatchStart start = BatchStart::kGoesOn;  ///< What to do with the friends in sight first.
  std::vector<ClientEvent> events;
};

struct ServerError {
  absl::Status status;
  absl::Duration retry_after;  ///< Zero: the server has nothing to say about that.
};

struct DrainNotice {
  absl::Duration reconnect_after;
};

/// What a client hears. `nearby/client_codec.h` has what it says.
struct ServerMessage {
  std::uint64_t request_id = 0;  ///< Of the call that this answers; 0 if it answers none.
  std::variant<InitAnswer, SubscribeAnswer, UnsubscribeAnswer, NearbyAnswer, ClientUpdate,
               ServerError, DrainNotice>
      message;
};

struct ServerDecoderOptions {
  // Limits.

  /// Longer frames are refused unread. An event takes about 50 bytes, five times that as JSON; a
  /// resync has as many as the client has friends in sight. At most 2^30.
  std::size_t max_frame_bytes = std::size_t{1} << 21;
  /// Frames with more events, or friends on a page, are refused.
  std::size_t max_events = std::size_t{1} << 16;

  /// Ok, or `InvalidArgument` naming the option and its range.
  NEARBY_API absl::Status Validate() const;
};

/// Reads what a server sends: for clients in C++. A message that it gives out is valid: positions
/// are somewhere, times and distances in range.
///
/// Thread-compatible.
/// Ownership: a decoded message holds no view of the frame.
/// Cost: protobuf some 60 ns an event; JSON some 5 µs.
class NEARBY_API ServerDecoder {
 public:
  /// With the default options.
  ServerDecoder();
  /// `InvalidArgument` for options that Validate refuses.
  static absl::StatusOr<ServerDecoder> Create(const ServerDecoderOptions& options);
  ~ServerDecoder();
  ServerDecoder(ServerDecoder&& other) noexcept;
  ServerDecoder& operator=(ServerDecoder&& other) noexcept;

  /// `Unimplemented`: a message that this version does not know; ignore it. `InvalidArgument`:
  /// malformed, or a value is out of range. `ResourceExhausted`: longer than max_frame_bytes. After
  /// either, what is in sight is unknown: connect again.
  /// Events of kinds that this version does not know are left out; a leave whose reason it does not
  /// know has kNone; a page token that it does not know is left out, and the friends behind that
  /// page enter as they move.
  absl::StatusOr<ServerMessage> Decode(WireFormat format, absl::string_view frame);

 private:
  class NEARBY_LOCAL Impl;
  explicit ServerDecoder(const ServerDecoderOptions& options);

  std::unique_ptr<Impl> impl_;
};

}  // namespace nearby

#endif  // NEARBY_SERVER_CODEC_H_
