// What comes from outside is cut short and damaged: it is refused, or what it says is valid.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "nearby/client_codec.h"
#include "nearby/node_codec.h"
#include "nearby/server_codec.h"
#include "tests/wire/encode_message.h"
#include "tests/wire/random_messages.h"
#include "tests/wire/wire_faults.h"
#include "tests/wire/wire_text.h"

namespace nearby {
namespace {

using test::EncodeMessage;
using test::FindFault;
using test::RandomMessages;
using test::ToText;

constexpr std::uint64_t kSeed = 20'240'614;
constexpr WireFormat kFormats[] = {WireFormat::kProtobuf, WireFormat::kJson};

// Each answers with the text of what it decoded, empty if it refused; and fails the test if what it
// decoded is not valid.
class Decoders {
 public:
  std::string Client(WireFormat format, const std::string& frame) {
    const absl::StatusOr<ClientCall> call = client_.Decode(format, frame);
    return call.ok() ? Checked(*call) : "";
  }
  std::string Server(WireFormat format, const std::string& frame) {
    const absl::StatusOr<ServerMessage> message = server_.Decode(format, frame);
    return message.ok() ? Checked(*message) : "";
  }
  std::string Node(const std::string& payload) {
    return node_.Decode(payload, &batch_).ok() ? Checked(batch_) : "";
  }
  std::uint64_t request_id() const { return client_.request_id(); }

 private:
  template <typename Message>
  static std::string Checked(const Message& message) {
    EXPECT_EQ(FindFault(message), "") << ToText(message);
    return ToText(message);
  }

  ClientDecoder client_;
  ServerDecoder server_;
  NodeDecoder node_;
  NodeBatch batch_;
};

// One of each kind, and of updates several.
std::vector<ServerMessage> Messages(RandomMessages* random) {
  std::vector<ServerMessage> messages = {
      {1, InitAnswer{random->Page()}},
      {2, SubscribeAnswer{random->Friend()}},
      {3, UnsubscribeAnswer{}},
      {4, NearbyAnswer{random->Page()}},
      {5, ServerError{absl::InternalError("na\xC3\xAFve"), absl::Seconds(1)}},
      {0, DrainNotice{absl::Seconds(2)}},
  };
  for (int i = 0; i < 3; ++i) {
    ClientUpdate update{BatchStart::kResync, random->Events()};
    if (update.events.size() > 4) update.events.resize(4);
    messages.push_back({0, update});
  }
  return messages;
}

NodeBatch SmallBatch(RandomMessages* random) {
  NodeBatch batch = random->Batch();
  if (batch.events.size() > 4) batch.events.resize(4);
  return batch;
}

TEST(WireRobustness, AViewOfNothing) {
  NodeBatch batch;
  EXPECT_EQ(NodeDecoder().Decode(absl::string_view(), &batch), absl::OkStatus());
  for (const WireFormat format : kFormats) {
    EXPECT_FALSE(ClientDecoder().Decode(format, absl::string_view()).ok());
    EXPECT_FALSE(ServerDecoder().Decode(format, absl::string_view()).ok());
  }
}

TEST(WireRobustness, CutShortAtEveryByte) {
  SCOPED_TRACE(absl::StrCat("seed ", kSeed));
  RandomMessages random(kSeed);
  Decoders decoders;
  for (int i = 0; i < 50; ++i) {
    const ClientCall call = random.Call();
    for (const WireFormat format : kFormats) {
      const std::string frame = EncodeMessage(format, call);
      for (std::size_t size = 0; size < frame.size(); ++size) {
        EXPECT_NE(decoders.Client(format, frame.substr(0, size)), ToText(call));
      }
      // All but the last byte hold the request id, which comes first.
      (void)decoders.Client(format, frame.substr(0, frame.size() - 1));
      EXPECT_EQ(decoders.request_id(), call.request_id);
    }
    const NodeBatch batch = SmallBatch(&random);
    const std::string payload = EncodeMessage(batch);
    for (std::size_t size = 0; size < payload.size(); ++size) {
      EXPECT_NE(decoders.Node(payload.substr(0, size)), ToText(batch));
    }
  }
  for (const ServerMessage& message : Messages(&random)) {
    for (const WireFormat format : kFormats) {
      const std::string frame = EncodeMessage(format, message);
      for (std::size_t size = 0; size < frame.size(); ++size) {
        EXPECT_NE(decoders.Server(format, frame.substr(0, size)), ToText(message));
      }
    }
  }
}

TEST(WireRobustness, JsonCutShortIsAlwaysRefused) {
  RandomMessages random(kSeed);
  Decoders decoders;
  const std::string frame = EncodeMessage(WireFormat::kJson, random.Call());
  for (std::size_t size = 0; size < frame.size(); ++size) {
    EXPECT_EQ(decoders.Client(WireFormat::kJson, frame.substr(0, size)), "");
  }
}

// Calls `use` with the bytes after each of them has had each of its bits flipped, one at a time.
template <typename Use>
void FlipEachBit(std::string bytes, const Use& use) {
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    const auto mask = static_cast<char>(1 << bit % 8);
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ mask);
    use(bytes);
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ mask);
  }
}

TEST(WireRobustness, EachBitFlipped) {
  SCOPED_TRACE(absl::StrCat("seed ", kSeed));
  RandomMessages random(kSeed);
  Decoders decoders;
  for (int i = 0; i < 10; ++i) {
    const ClientCall call = random.Call();
    for (const WireFormat format : kFormats) {
      FlipEachBit(EncodeMessage(format, call), [&decoders, format](const std::string& frame) {
        (void)decoders.Client(format, frame);
      });
    }
    FlipEachBit(EncodeMessage(SmallBatch(&random)),
                [&decoders](const std::string& payload) { (void)decoders.Node(payload); });
  }
  for (const ServerMessage& message : Messages(&random)) {
    for (const WireFormat format : kFormats) {
      FlipEachBit(EncodeMessage(format, message), [&decoders, format](const std::string& frame) {
        (void)decoders.Server(format, frame);
      });
    }
  }
}

TEST(WireRobustness, SeveralBytesReplaced) {
  SCOPED_TRACE(absl::StrCat("seed ", kSeed));
  RandomMessages random(kSeed);
  Decoders decoders;
  const auto damaged = [&random](std::string bytes) {
    for (std::uint64_t left = 1 + random.Below(4); left > 0 && !bytes.empty(); --left) {
      bytes[random.Below(bytes.size())] = static_cast<char>(random.Below(256));
    }
    return bytes;
  };
  for (int i = 0; i < 3000; ++i) {
    const WireFormat format = kFormats[i % 2];
    (void)decoders.Client(format, damaged(EncodeMessage(format, random.Call())));
    (void)decoders.Node(damaged(EncodeMessage(random.Batch())));
  }
  for (int i = 0; i < 100; ++i) {
    for (const ServerMessage& message : Messages(&random)) {
      (void)decoders.Server(kFormats[i % 2], damaged(EncodeMessage(kFormats[i % 2], message)));
    }
  }
}

}  // namespace
}  // namespace nearby
