#include "tests/wire/encode_message.h"

#include <cstdint>
#include <string>
#include <variant>

#include "nearby/node_codec.h"

namespace nearby::test {
namespace {

struct EncodeAs {
  ServerEncoder* encoder;
  WireFormat format;
  std::uint64_t request_id;
  std::string* frame;

  void operator()(const InitAnswer& answer) const {
    encoder->EncodeInitAnswer(format, request_id, answer.page, frame);
  }
  void operator()(const SubscribeAnswer& answer) const {
    encoder->EncodeSubscribeAnswer(format, request_id, answer.in_sight, frame);
  }
  void operator()(const UnsubscribeAnswer&) const {
    encoder->EncodeUnsubscribeAnswer(format, request_id, frame);
  }
  void operator()(const NearbyAnswer& answer) const {
    encoder->EncodeNearbyAnswer(format, request_id, answer.page, frame);
  }
  void operator()(const ClientUpdate& update) const {
    ClientBatch batch;
    batch.start = update.start;
    batch.events = update.events;
    encoder->EncodeBatch(format, batch, frame);
  }
  void operator()(const ServerError& error) const {
    encoder->EncodeError(format, request_id, error.status, error.retry_after, frame);
  }
  void operator()(const DrainNotice& drain) const {
    encoder->EncodeDrain(format, drain.reconnect_after, frame);
  }
};

}  // namespace

std::string EncodeMessage(WireFormat format, const ClientCall& call) {
  static ClientEncoder encoder;
  std::string frame;
  encoder.Encode(format, call, &frame);
  return frame;
}

std::string EncodeMessage(WireFormat format, const ServerMessage& message) {
  static ServerEncoder encoder;
  std::string frame;
  std::visit(EncodeAs{&encoder, format, message.request_id, &frame}, message.message);
  return frame;
}

std::string EncodeMessage(const NodeBatch& batch) {
  static NodeEncoder encoder;
  std::string payload;
  encoder.Encode(batch, &payload);
  return payload;
}

}  // namespace nearby::test
