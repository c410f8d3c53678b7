#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "nearby/client_codec.h"
#include "nearby/effects.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/radius_filter.h"
#include "nearby/time.h"
#include "nearby/v1/client.pb.h"
#include "nearby/wire_format.h"
#include "src/wire/json_sketch.h"
#include "src/wire/message_io.h"
#include "src/wire/page_token.h"
#include "src/wire/values.h"

namespace nearby {
namespace {

constexpr std::size_t kMaxFrameBytesLimit = std::size_t{1} << 20;

absl::Status Missing(absl::string_view field) {
  return absl::InvalidArgumentError(absl::StrCat(field, " is missing"));
}

// A field that was misspelt in JSON is unknown, hence ignored, hence missing: without these checks
// it would put its sender at latitude 0.
absl::Status CheckPresence(const v1::Report& report) {
  if (!report.has_lat()) return Missing("lat");
  if (!report.has_lng()) return Missing("lng");
  if (!report.has_reported_at_ms()) return Missing("reported_at_ms");
  return absl::OkStatus();
}

absl::StatusOr<ReportCall> ToReport(const v1::Report& report) {
  absl::Status status = CheckPresence(report);
  const LatLng location{report.lat(), report.lng()};
  if (status.ok()) status = Validate(location);
  if (status.ok()) status = wire::CheckTime("reported_at_ms", report.reported_at_ms());
  if (!status.ok()) return status;
  return ReportCall{location, Time::Millis(report.reported_at_ms())};
}

absl::StatusOr<InitCall> ToInit(const v1::Init& init) {
  InitCall call;
  if (init.has_location()) {
    const absl::StatusOr<ReportCall> location = ToReport(init.location());
    if (!location.ok()) return wire::Within("location", location.status());
    call.location = *location;
  }
  if (init.has_radius_m()) {
    const absl::Status status = ValidateRadius(init.radius_m());
    if (!status.ok()) return status;
    call.radius_m = init.radius_m();
  }
  return call;
}

// Of SubscribeCall and UnsubscribeCall.
template <typename Call, typename Message>
absl::StatusOr<Call> ToFriendCall(const Message& message) {
  if (!message.has_friend_id()) return Missing("friend_id");
  return Call{UserId{message.friend_id()}};
}

absl::StatusOr<NearbyCall> ToNearby(const v1::NearbyRequest& request,
                                    const ClientDecoderOptions& options) {
  NearbyCall call;
  call.page_size = request.page_size() == 0 ? options.default_page_size : request.page_size();
  if (call.page_size > options.max_page_size) {
    return absl::InvalidArgumentError(
        absl::StrCat("page_size ", call.page_size, " lies outside 0 .. ", options.max_page_size));
  }
  const absl::StatusOr<PageToken> after = wire::DecodePageToken(request.page_token());
  if (!after.ok()) return wire::Within("page_token", after.status());
  call.after = *after;
  return call;
}

template <typename Call>
absl::Status Keep(absl::string_view name, const absl::StatusOr<Call>& call, ClientCall* result) {
  if (!call.ok()) return wire::Within(name, call.status());
  result->call = *call;
  return absl::OkStatus();
}

absl::Status ToCall(const v1::ClientMessage& message, const ClientDecoderOptions& options,
                    ClientCall* result) {
  switch (message.call_case()) {
    case v1::ClientMessage::kReport:
      return Keep("report", ToReport(message.report()), result);
    case v1::ClientMessage::kInit:
      return Keep("init", ToInit(message.init()), result);
    case v1::ClientMessage::kSubscribe:
      return Keep("subscribe", ToFriendCall<SubscribeCall>(message.subscribe()), result);
    case v1::ClientMessage::kUnsubscribe:
      return Keep("unsubscribe", ToFriendCall<UnsubscribeCall>(message.unsubscribe()), result);
    case v1::ClientMessage::kNearby:
      return Keep("nearby", ToNearby(message.nearby(), options), result);
    case v1::ClientMessage::CALL_NOT_SET:
      break;
  }
  // One code for a call of a later version and for none at all: JSON does not tell them apart.
  return absl::UnimplementedError("no call that this server knows");
}

}  // namespace

absl::Status ClientDecoderOptions::Validate() const {
  if (max_frame_bytes > kMaxFrameBytesLimit) {
    return absl::InvalidArgumentError(
        absl::StrCat("max_frame_bytes must be at most ", kMaxFrameBytesLimit));
  }
  if (max_page_size == 0) return absl::InvalidArgumentError("max_page_size must be at least 1");
  if (default_page_size == 0 || default_page_size > max_page_size) {
    return absl::InvalidArgumentError("default_page_size must be in 1 .. max_page_size");
  }
  return absl::OkStatus();
}

class ClientDecoder::Impl {
 public:
  explicit Impl(const ClientDecoderOptions& options) : options_(options) {}

  absl::StatusOr<ClientCall> Decode(WireFormat format, absl::string_view frame) {
    request_id_ = 0;
    if (frame.size() > options_.max_frame_bytes) {
      return wire::TooLong("frame", frame.size(), options_.max_frame_bytes);
    }
    absl::Status status = wire::Parse(format, frame, &message_);
    const bool nothing_read = !status.ok() && format == WireFormat::kJson;
    request_id_ = nothing_read ? wire::SketchJson(frame).request_id : message_.request_id();

    ClientCall call;
    call.request_id = request_id_;
    if (status.ok()) status = ToCall(message_, options_, &call);
    if (!status.ok()) return status;
    return call;
  }

  std::uint64_t request_id() const { return request_id_; }

 private:
  ClientDecoderOptions options_;
  v1::ClientMessage message_;
  std::uint64_t request_id_ = 0;
};

ClientDecoder::ClientDecoder() : ClientDecoder(ClientDecoderOptions()) {}
ClientDecoder::ClientDecoder(const ClientDecoderOptions& options)
    : impl_(std::make_unique<Impl>(options)) {}
ClientDecoder::~ClientDecoder() = default;
ClientDecoder::ClientDecoder(ClientDecoder&& other) noexcept = default;
ClientDecoder& ClientDecoder::operator=(ClientDecoder&& other) noexcept = default;

absl::StatusOr<ClientDecoder> ClientDecoder::Create(const ClientDecoderOptions& options) {
  absl::Status status = options.Validate();
  if (!status.ok()) return status;
  return ClientDecoder(options);
}

absl::StatusOr<ClientCall> ClientDecoder::Decode(WireFormat format, absl::string_view frame) {
  return impl_->Decode(format, frame);
}

std::uint64_t ClientDecoder::request_id() const { return impl_->request_id(); }

}  // namespace nearby
