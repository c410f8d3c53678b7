#ifndef NEARBY_CLIENT_CODEC_H_
#define NEARBY_CLIENT_CODEC_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "nearby/effects.h"
#include "nearby/export.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/time.h"
#include "nearby/wire_format.h"

namespace nearby {

/// A location report. Not answered, unless it is refused.
struct ReportCall {
  LatLng location;
  Time reported_at;  ///< Client time.
};

/// The first call on a connection. Answered with the first page of friends in sight.
struct InitCall {
  std::optional<ReportCall> location;  ///< Where the client is, if it knows already.
  std::optional<double> radius_m;      ///< The server's default if absent.
};

/// Wants to hear about a friend. Answered with the friend, if they are in sight.
struct SubscribeCall {
  UserId friend_id{};
};

/// Does not want to hear about a friend any more. Answered; nothing about the friend follows.
struct UnsubscribeCall {
  UserId friend_id{};
};

/// Asks for a page of the friends in sight, nearest first.
struct NearbyCall {
  PageToken after;              ///< Behind the page that bore this token; by default the first.
  std::uint32_t page_size = 0;  ///< 0: the server's default. Never 0 once decoded.
};

/// What a client says. `nearby/server_codec.h` has what it hears.
struct ClientCall {
  std::uint64_t request_id = 0;  ///< The client's choice; the answer bears it, too.
  std::variant<ReportCall, InitCall, SubscribeCall, UnsubscribeCall, NearbyCall> call;
};

struct ClientDecoderOptions {
  // Behaviour.

  /// The page size for clients who name none; 1 .. max_page_size.
  std::uint32_t default_page_size = 20;

  // Limits.

  /// Longer frames are refused unread. A call takes under 100 bytes, twice that as JSON; the rest
  /// is room for fields that later versions add. At most 2^20.
  std::size_t max_frame_bytes = 4096;
  /// Larger pages are refused. Best no more than `EngineOptions::max_page_size`; at least 1.
  std::uint32_t max_page_size = 1000;

  /// Ok, or `InvalidArgument` naming the option and its range.
  NEARBY_API absl::Status Validate() const;
};

/// Reads what clients send, on the server. Whatever the bytes are, a call that it gives out is
/// valid: coordinates and times in range, a radius that the engine takes, a page size within the
/// limit.
///
///   absl::StatusOr<ClientCall> call = decoder.Decode(WireFormat::kProtobuf, frame);
///   if (!call.ok()) {
///     encoder.EncodeError(format, decoder.request_id(), call.status(), {}, &answer);
///   } else if (const auto* report = std::get_if<ReportCall>(&call->call)) {
///     ...
///   }
///
/// Thread-compatible; one decoder serves any number of connections, one frame at a time.
/// Ownership: a decoded call holds no view of the frame.
/// Cost: protobuf some 100 ns; JSON some 10 µs.
class NEARBY_API ClientDecoder {
 public:
  /// With the default options.
  ClientDecoder();
  /// `InvalidArgument` for options that Validate refuses.
  static absl::StatusOr<ClientDecoder> Create(const ClientDecoderOptions& options);
  ~ClientDecoder();
  ClientDecoder(ClientDecoder&& other) noexcept;
  ClientDecoder& operator=(ClientDecoder&& other) noexcept;

  /// `InvalidArgument`: malformed, or a field is missing, out of range or not finite; the message
  /// says which. `ResourceExhausted`: longer than max_frame_bytes. `Unimplemented`: no call that
  /// this version knows. After any of them the connection can go on; answer with the status.
  absl::StatusOr<ClientCall> Decode(WireFormat format, absl::string_view frame);

  /// That of the last frame, also where it was refused; 0 where it could not be read.
  std::uint64_t request_id() const;

 private:
  class NEARBY_LOCAL Impl;
  explicit ClientDecoder(const ClientDecoderOptions& options);

  std::unique_ptr<Impl> impl_;
};

/// Writes what clients send: for clients in C++.
///
///   std::string frame;
///   encoder.Encode(WireFormat::kJson, {7, SubscribeCall{UserId{42}}}, &frame);
///
/// Thread-compatible.
/// Ownership: keeps nothing of a call.
/// Cost: as ClientDecoder.
class NEARBY_API ClientEncoder {
 public:
  ClientEncoder();
  ~ClientEncoder();
  ClientEncoder(ClientEncoder&& other) noexcept;
  ClientEncoder& operator=(ClientEncoder&& other) noexcept;

  /// Appends the call to `frame`. What is out of range is written as it is: the server refuses it.
  void Encode(WireFormat format, const ClientCall& call, std::string* frame);

 private:
  class NEARBY_LOCAL Impl;

  std::unique_ptr<Impl> impl_;
};

}  // namespace nearby

#endif  // NEARBY_CLIENT_CODEC_H_
