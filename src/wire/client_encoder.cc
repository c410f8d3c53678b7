#include <memory>
#include <string>
#include <variant>

#include "nearby/client_codec.h"
#include "nearby/ids.h"
#include "nearby/v1/client.pb.h"
#include "nearby/wire_format.h"
#include "src/wire/message_io.h"
#include "src/wire/page_token.h"

namespace nearby {
namespace {

void Fill(const ReportCall& call, v1::Report* report) {
  report->set_lat(call.location.lat);
  report->set_lng(call.location.lng);
  report->set_reported_at_ms(call.reported_at.ms);
}

void Fill(const InitCall& call, v1::Init* init) {
  if (call.location.has_value()) Fill(*call.location, init->mutable_location());
  if (call.radius_m.has_value()) init->set_radius_m(*call.radius_m);
}

void Fill(const NearbyCall& call, v1::NearbyRequest* request) {
  request->set_page_size(call.page_size);
  request->set_page_token(wire::EncodePageToken(call.after));
}

struct FillMessage {
  v1::ClientMessage* message;

  void operator()(const ReportCall& call) const { Fill(call, message->mutable_report()); }
  void operator()(const InitCall& call) const { Fill(call, message->mutable_init()); }
  void operator()(const SubscribeCall& call) const {
    message->mutable_subscribe()->set_friend_id(ToInt(call.friend_id));
  }
  void operator()(const UnsubscribeCall& call) const {
    message->mutable_unsubscribe()->set_friend_id(ToInt(call.friend_id));
  }
  void operator()(const NearbyCall& call) const { Fill(call, message->mutable_nearby()); }
};

}  // namespace

class ClientEncoder::Impl {
 public:
  void Encode(WireFormat format, const ClientCall& call, std::string* frame) {
    message_.Clear();
    message_.set_request_id(call.request_id);
    std::visit(FillMessage{&message_}, call.call);
    wire::Append(format, message_, frame);
  }

 private:
  v1::ClientMessage message_;
};

ClientEncoder::ClientEncoder() : impl_(std::make_unique<Impl>()) {}
ClientEncoder::~ClientEncoder() = default;
ClientEncoder::ClientEncoder(ClientEncoder&& other) noexcept = default;
ClientEncoder& ClientEncoder::operator=(ClientEncoder&& other) noexcept = default;

void ClientEncoder::Encode(WireFormat format, const ClientCall& call, std::string* frame) {
  impl_->Encode(format, call, frame);
}

}  // namespace nearby
