#include <charconv>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <string>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "benchmarks/peers/bus_protocol.h"

namespace peers {
namespace {

// RESP 2: https://redis.io/docs/reference/protocol-spec
class RedisProtocol : public BusProtocol {
 public:
  void AppendHello(bool is_publisher, std::string* out) const override {
    // Nobody reads the answers to SET and PUBLISH: spare the server writing them.
    if (is_publisher) AppendCommand({"CLIENT", "REPLY", "OFF"}, out);
  }

  void AppendSubscribe(User channel, std::uint32_t /*key*/, std::string* out) const override {
    AppendCommand({"SUBSCRIBE", absl::AlphaNum(channel).Piece()}, out);
  }
  bool has_free_keys() const override { return false; }

  void AppendReport(User channel, absl::string_view payload, std::string* out) const override {
    const absl::AlphaNum name(channel);
    AppendCommand({"SET", name.Piece(), payload, "EX", "600"}, out);
    AppendCommand({"PUBLISH", name.Piece(), payload}, out);
  }

  // Confirmations of subscriptions serve as well, and the server never asks.
  void AppendPing(std::string* /*out*/) const override {}
  void AppendPong(std::string* /*out*/) const override {}

  std::size_t Decode(absl::string_view in, BusMessage* message) const override;

 private:
  static void AppendCommand(std::initializer_list<absl::string_view> words, std::string* out) {
    absl::StrAppend(out, "*", words.size(), "\r\n");
    for (const absl::string_view word : words) {
      absl::StrAppend(out, "$", word.size(), "\r\n", word, "\r\n");
    }
  }
};

// Reads "<type><number>\r\n" at `*at`, which moves behind it.
bool ReadHead(absl::string_view in, char type, std::size_t* at, std::size_t* number) {
  if (*at >= in.size() || in[*at] != type) return false;
  const auto [end, error] = std::from_chars(in.data() + *at + 1, in.data() + in.size(), *number);
  const auto after = static_cast<std::size_t>(end - in.data()) + 2;
  if (error != std::errc() || after > in.size()) return false;
  *at = after;
  return true;
}

bool ReadBulk(absl::string_view in, std::size_t* at, absl::string_view* bulk) {
  std::size_t size = 0;
  if (!ReadHead(in, '$', at, &size) || *at + size + 2 > in.size()) return false;
  *bulk = in.substr(*at, size);
  *at += size + 2;
  return true;
}

std::size_t DecodePush(absl::string_view in, std::size_t at, BusMessage* message) {
  absl::string_view channel;
  if (!ReadBulk(in, &at, &channel) || !ReadBulk(in, &at, &message->payload)) return 0;
  std::from_chars(channel.data(), channel.data() + channel.size(), message->key);
  message->kind = BusMessage::Kind::kPush;
  return at;
}

std::size_t RedisProtocol::Decode(absl::string_view in, BusMessage* message) const {
  constexpr absl::string_view kPush = "*3\r\n$7\r\nmessage\r\n";
  constexpr absl::string_view kSubscribed = "*3\r\n$9\r\nsubscribe\r\n";
  if (absl::StartsWith(in, kPush)) return DecodePush(in, kPush.size(), message);
  if (absl::StartsWith(in, kSubscribed)) {
    std::size_t at = kSubscribed.size();
    absl::string_view channel;
    std::size_t count = 0;
    if (!ReadBulk(in, &at, &channel) || !ReadHead(in, ':', &at, &count)) return 0;
    message->kind = BusMessage::Kind::kSubscribed;
    return at;
  }
  const std::size_t end = in.find("\r\n");
  if (in.empty() || in[0] == '*' || end == absl::string_view::npos) return 0;
  message->kind = in[0] == '-' ? BusMessage::Kind::kError : BusMessage::Kind::kOther;
  message->payload = in.substr(0, end);
  return end + 2;
}

}  // namespace

std::unique_ptr<BusProtocol> MakeRedisProtocol() { return std::make_unique<RedisProtocol>(); }

}  // namespace peers
