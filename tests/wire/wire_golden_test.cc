// The bytes and the JSON of one message of each kind, as golden_messages.txt has them.

#include <cstdint>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "nearby/client_codec.h"
#include "nearby/node_codec.h"
#include "nearby/server_codec.h"
#include "tests/wire/encode_message.h"
#include "tests/wire/wire_text.h"

namespace nearby {
namespace {

using test::EncodeMessage;
using test::ToText;

constexpr Time kReportedAt = Time::Millis(1'718'000'000'123);
constexpr Time kNow = Time::Millis(1'718'000'000'456);

struct Golden {
  std::string hex;
  std::string json;
};

// By their names.
std::map<std::string, Golden> ReadGoldens() {
  std::map<std::string, Golden> goldens;
  std::ifstream file("golden_messages.txt");
  std::string line;
  while (std::getline(file, line)) {
    if (line.empty() || line.front() == '#') continue;
    Golden& golden = goldens[line];
    std::getline(file, golden.hex);
    std::getline(file, golden.json);
  }
  return goldens;
}

struct Named {
  std::string name;
  std::variant<ClientCall, ServerMessage> message;
};

NearbyFriend Bob() {
  return {UserId{1002}, Position::FromLatLng({48.15, 11.55}), 2'347'688, kReportedAt};
}

ClientEvent BobEvent(DeliveryKind kind) {
  ClientEvent event;
  event.friend_id = Bob().friend_id;
  event.time = kNow;
  event.kind = kind;
  if (kind == DeliveryKind::kLeave) return event;
  event.reported_at = Bob().reported_at;
  event.position = Bob().position;
  event.distance_mm = Bob().distance_mm;
  return event;
}

ClientEvent BobLeaves(LeaveReason reason) {
  ClientEvent event = BobEvent(DeliveryKind::kLeave);
  event.reason = reason;
  return event;
}

NearbyPage Page() {
  NearbyPage page;
  page.friends = {Bob()};
  page.in_sight = 21;
  page.next = PageToken{Bob().distance_mm, Bob().friend_id};
  return page;
}

ServerMessage Error(absl::Status status, absl::Duration retry_after) {
  return {4, ServerError{std::move(status), retry_after}};
}

std::vector<Named> Calls() {
  return {
      {"report", ClientCall{0, ReportCall{{48.1375, 11.5755}, kReportedAt}}},
      {"init", ClientCall{1, InitCall{ReportCall{{48.1375, 11.5755}, kReportedAt}, 5000.0}}},
      {"init without fields", ClientCall{1, InitCall{}}},
      {"subscribe", ClientCall{2, SubscribeCall{UserId{1002}}}},
      {"unsubscribe", ClientCall{3, UnsubscribeCall{UserId{1002}}}},
      {"nearby, first page", ClientCall{4, NearbyCall{PageToken(), 20}}},
      {"nearby, next page", ClientCall{5, NearbyCall{*Page().next, 20}}},
      {"largest ids", ClientCall{~0ull, SubscribeCall{UserId{~0ull}}}},
  };
}

std::vector<Named> Answers() {
  return {
      {"init answer", ServerMessage{1, InitAnswer{Page()}}},
      {"empty init answer", ServerMessage{1, InitAnswer{}}},
      {"subscribe answer", ServerMessage{2, SubscribeAnswer{Bob()}}},
      {"subscribe answer, not in sight", ServerMessage{2, SubscribeAnswer{}}},
      {"unsubscribe answer", ServerMessage{3, UnsubscribeAnswer{}}},
      {"nearby answer", ServerMessage{5, NearbyAnswer{Page()}}},
      {"error", Error(absl::InvalidArgumentError("nearby: page_size 5000 lies outside 0 .. 1000"),
                      absl::ZeroDuration())},
      {"overload", Error(absl::ResourceExhaustedError("the shard is behind"), absl::Seconds(2))},
      {"drain", ServerMessage{0, DrainNotice{absl::Milliseconds(1500)}}},
  };
}

std::vector<Named> Updates() {
  const auto update = [](BatchStart start, std::vector<ClientEvent> events) {
    return ServerMessage{0, ClientUpdate{start, std::move(events)}};
  };
  return {
      {"enter", update(BatchStart::kGoesOn, {BobEvent(DeliveryKind::kEnter)})},
      {"move", update(BatchStart::kGoesOn, {BobEvent(DeliveryKind::kMove)})},
      {"leave, range", update(BatchStart::kGoesOn, {BobLeaves(LeaveReason::kRange)})},
      {"leave, others", update(BatchStart::kGoesOn,
                               {BobLeaves(LeaveReason::kExpired), BobLeaves(LeaveReason::kOffline),
                                BobLeaves(LeaveReason::kUnsubscribed)})},
      {"reset", update(BatchStart::kReset, {})},
      {"resync", update(BatchStart::kResync, {BobEvent(DeliveryKind::kEnter)})},
  };
}

std::string Decoded(WireFormat format, const std::string& frame, const ClientCall&) {
  const absl::StatusOr<ClientCall> call = ClientDecoder().Decode(format, frame);
  return call.ok() ? ToText(*call) : call.status().ToString();
}

std::string Decoded(WireFormat format, const std::string& frame, const ServerMessage&) {
  const absl::StatusOr<ServerMessage> message = ServerDecoder().Decode(format, frame);
  return message.ok() ? ToText(*message) : message.status().ToString();
}

template <typename Message>
void ExpectGolden(const Message& message, const Golden& golden) {
  EXPECT_EQ(absl::BytesToHexString(EncodeMessage(WireFormat::kProtobuf, message)), golden.hex);
  EXPECT_EQ(EncodeMessage(WireFormat::kJson, message), golden.json);
  EXPECT_EQ(Decoded(WireFormat::kProtobuf, absl::HexStringToBytes(golden.hex), message),
            ToText(message));
  EXPECT_EQ(Decoded(WireFormat::kJson, golden.json, message), ToText(message));
}

void ExpectGolden(const std::vector<Named>& all) {
  std::map<std::string, Golden> goldens = ReadGoldens();
  for (const Named& named : all) {
    SCOPED_TRACE(named.name);
    std::visit([&](const auto& message) { ExpectGolden(message, goldens[named.name]); },
               named.message);
  }
}

TEST(WireGolden, Calls) { ExpectGolden(Calls()); }
TEST(WireGolden, Answers) { ExpectGolden(Answers()); }
TEST(WireGolden, Updates) { ExpectGolden(Updates()); }

TEST(WireGolden, ErrorCodesAreThoseOfGoogleRpc) {
  const char* names[] = {"CANCELLED",
                         "UNKNOWN",
                         "INVALID_ARGUMENT",
                         "DEADLINE_EXCEEDED",
                         "NOT_FOUND",
                         "ALREADY_EXISTS",
                         "PERMISSION_DENIED",
                         "RESOURCE_EXHAUSTED",
                         "FAILED_PRECONDITION",
                         "ABORTED",
                         "OUT_OF_RANGE",
                         "UNIMPLEMENTED",
                         "INTERNAL",
                         "UNAVAILABLE",
                         "DATA_LOSS",
                         "UNAUTHENTICATED"};
  for (int code = 1; code <= 16; ++code) {
    const ServerMessage error =
        Error(absl::Status(static_cast<absl::StatusCode>(code), "x"), absl::ZeroDuration());
    EXPECT_EQ(EncodeMessage(WireFormat::kJson, error),
              std::string(R"({"requestId":"4","error":{"code":")") + names[code - 1] +
                  R"(","message":"x"}})");
    EXPECT_EQ(EncodeMessage(WireFormat::kProtobuf, error)[5], code);
  }
}

// --- between nodes
// --------------------------------------------------------------------------------

NodeEvent EventOfAlice(NodeEvent::Kind kind) {
  NodeEvent event;
  event.kind = kind;
  event.user = UserId{1001};
  return event;
}

NodeBatch BatchOnAChannel() {
  NodeEvent location = EventOfAlice(NodeEvent::Kind::kLocation);
  location.session = Epoch{5};
  location.position = Bob().position;
  location.accepted_at = kNow;
  location.reported_at = kReportedAt;
  NodeEvent offline = EventOfAlice(NodeEvent::Kind::kOffline);
  offline.session = Epoch{5};
  NodeBatch batch;
  batch.from = {NodeId{7}, Epoch{300}};
  batch.sequence = 12;
  batch.events = {location, offline};
  return batch;
}

NodeBatch BatchToAnInbox() {
  NodeEvent announce = EventOfAlice(NodeEvent::Kind::kAnnounce);
  announce.session = Epoch{5};
  announce.friend_id = UserId{1002};
  announce.friendship = {true, false, true, false, true};
  announce.version = FriendVersion{300};
  NodeEvent announce_back = announce;
  announce_back.kind = NodeEvent::Kind::kAnnounceBack;
  NodeEvent change = EventOfAlice(NodeEvent::Kind::kChange);
  change.friend_id = announce.friend_id;
  change.friendship = {true, true, false, true, false};
  change.version = FriendVersion{301};
  change.request = 9;
  NodeEvent changed;
  changed.kind = NodeEvent::Kind::kChanged;
  changed.request = 8;
  NodeEvent taken = EventOfAlice(NodeEvent::Kind::kTaken);
  taken.session = Epoch{6};
  NodeBatch batch;
  batch.from = {NodeId{7}, Epoch{300}};
  batch.to = Epoch{299};
  batch.sequence = 12;
  batch.acknowledged = 10;
  batch.events = {announce, announce_back, change, changed, taken};
  return batch;
}

void ExpectGolden(const NodeBatch& batch, const std::string& hex) {
  EXPECT_EQ(absl::BytesToHexString(EncodeMessage(batch)), hex);
  NodeBatch decoded;
  ASSERT_EQ(NodeDecoder().Decode(absl::HexStringToBytes(hex), &decoded), absl::OkStatus());
  EXPECT_EQ(ToText(decoded), ToText(batch));
}

TEST(WireGolden, NodeBatches) {
  std::map<std::string, Golden> goldens = ReadGoldens();
  ExpectGolden(BatchOnAChannel(), goldens["node batch on a channel"].hex);
  ExpectGolden(BatchToAnInbox(), goldens["node batch to an inbox"].hex);
}

}  // namespace
}  // namespace nearby
