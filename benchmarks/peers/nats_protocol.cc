#include <charconv>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "benchmarks/peers/bus_protocol.h"

namespace peers {
namespace {

// https://docs.nats.io/reference/reference-protocols/nats-protocol
class NatsProtocol : public BusProtocol {
 public:
  void AppendHello(bool /*is_publisher*/, std::string* out) const override {
    absl::StrAppend(out, "CONNECT {\"verbose\":false,\"pedantic\":false,\"echo\":false}\r\n");
  }
  void AppendSubscribe(User channel, std::uint32_t key, std::string* out) const override {
    absl::StrAppend(out, "SUB ", channel, " ", key, "\r\n");
  }
  bool has_free_keys() const override { return true; }
  void AppendReport(User channel, absl::string_view payload, std::string* out) const override {
    absl::StrAppend(out, "PUB ", channel, " ", payload.size(), "\r\n", payload, "\r\n");
  }
  void AppendPing(std::string* out) const override { absl::StrAppend(out, "PING\r\n"); }
  void AppendPong(std::string* out) const override { absl::StrAppend(out, "PONG\r\n"); }

  std::size_t Decode(absl::string_view in, BusMessage* message) const override;
};

// "MSG <subject> <key> <size>\r\n<payload>\r\n"
std::size_t DecodePush(absl::string_view in, std::size_t line_end, BusMessage* message) {
  const std::size_t subject = sizeof("MSG ") - 1;
  const std::size_t key = in.find(' ', subject) + 1;
  const char* end = in.data() + line_end;
  std::size_t size = 0;
  const char* const after_key = std::from_chars(in.data() + key, end, message->key).ptr;
  std::from_chars(after_key + 1, end, size);
  const std::size_t payload = line_end + 2;
  if (payload + size + 2 > in.size()) return 0;
  message->payload = in.substr(payload, size);
  message->kind = BusMessage::Kind::kPush;
  return payload + size + 2;
}

std::size_t NatsProtocol::Decode(absl::string_view in, BusMessage* message) const {
  const std::size_t line_end = in.find("\r\n");
  if (line_end == absl::string_view::npos) return 0;
  if (absl::StartsWith(in, "MSG ")) return DecodePush(in, line_end, message);
  message->kind = absl::StartsWith(in, "PONG")   ? BusMessage::Kind::kPong
                  : absl::StartsWith(in, "PING") ? BusMessage::Kind::kPing
                  : absl::StartsWith(in, "-ERR") ? BusMessage::Kind::kError
                                                 : BusMessage::Kind::kOther;
  message->payload = in.substr(0, line_end);
  return line_end + 2;
}

}  // namespace

std::unique_ptr<BusProtocol> MakeNatsProtocol() { return std::make_unique<NatsProtocol>(); }

}  // namespace peers
