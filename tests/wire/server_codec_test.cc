#include "nearby/server_codec.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/wire/encode_message.h"
#include "tests/wire/random_messages.h"
#include "tests/wire/raw_message.h"
#include "tests/wire/wire_text.h"

namespace nearby {
namespace {

using test::AsReceived;
using test::EncodeMessage;
using test::RandomMessages;
using test::RawMessage;
using test::ToText;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::uint64_t kSeed = 20'240'612;
constexpr WireFormat kFormats[] = {WireFormat::kProtobuf, WireFormat::kJson};

// The numbers of client.proto, once more: they may never change.
enum Field : std::uint32_t {
  kRequestId = 1,
  kInitAnswer = 2,
  kSubscribeAnswer = 3,
  kNearbyAnswer = 5,
  kUpdate = 6,
  kError = 7,
  kDrain = 8,
};

std::string Decoded(WireFormat format, const std::string& frame) {
  const absl::StatusOr<ServerMessage> message = ServerDecoder().Decode(format, frame);
  return message.ok() ? ToText(*message) : message.status().ToString();
}

std::string Decoded(Field field, const RawMessage& content) {
  return Decoded(WireFormat::kProtobuf, RawMessage().Message(field, content).bytes());
}

void ExpectRoundTrip(const ServerMessage& message) {
  for (const WireFormat format : kFormats) {
    EXPECT_EQ(Decoded(format, EncodeMessage(format, message)), ToText(message));
  }
}

ClientEvent Sight(std::uint64_t friend_id, DeliveryKind kind) {
  ClientEvent event;
  event.friend_id = UserId{friend_id};
  event.time = Time::Millis(1'700'000'000'000);
  event.reported_at = Time::Millis(1'700'000'000'001);
  event.position = Position::FromLatLng({48.137, 11.575});
  event.distance_mm = 1'234'567;
  event.kind = kind;
  return event;
}

// As an engine has it: with the true reason, and the distance that logs want.
ClientEvent Leave(std::uint64_t friend_id, LeaveReason reason) {
  ClientEvent event = Sight(friend_id, DeliveryKind::kLeave);
  event.reason = reason;
  return event;
}

ClientBatch Batch(const std::vector<ClientEvent>& events) {
  ClientBatch batch;
  batch.events = events;
  return batch;
}

TEST(ServerCodec, WhatIsEncodedIsDecoded) {
  SCOPED_TRACE(absl::StrCat("seed ", kSeed));
  RandomMessages random(kSeed);
  for (int i = 0; i < 500; ++i) {
    ExpectRoundTrip({random.Number(), InitAnswer{random.Page()}});
    ExpectRoundTrip({random.Number(), NearbyAnswer{random.Page()}});
    ExpectRoundTrip({random.Number(), SubscribeAnswer{random.Friend()}});
    ExpectRoundTrip({0, DrainNotice{random.Wait()}});
    const auto code = static_cast<absl::StatusCode>(1 + random.Below(16));
    ExpectRoundTrip({random.Number(), ServerError{absl::Status(code, "why"), random.Wait()}});
  }
  ExpectRoundTrip({1, SubscribeAnswer{}});
  ExpectRoundTrip({1, UnsubscribeAnswer{}});
}

TEST(ServerCodec, BatchesAreDecodedAsAClientMayKnowThem) {
  SCOPED_TRACE(absl::StrCat("seed ", kSeed));
  RandomMessages random(kSeed);
  ServerEncoder encoder;
  for (int i = 0; i < 500; ++i) {
    const std::vector<ClientEvent> events = random.Events();
    ClientBatch batch = Batch(events);
    batch.start = static_cast<BatchStart>(random.Below(3));
    for (const WireFormat format : kFormats) {
      std::string frame;
      encoder.EncodeBatch(format, batch, &frame);
      EXPECT_EQ(Decoded(format, frame), ToText(AsReceived(batch)));
    }
  }
}

TEST(ServerCodec, ALeaveTellsNeitherPositionNorTheTrueReason) {
  const auto encoded = [](LeaveReason reason, WireFormat format) {
    return EncodeMessage(format,
                         ServerMessage{0, ClientUpdate{BatchStart::kGoesOn, {Leave(42, reason)}}});
  };
  for (const WireFormat format : kFormats) {
    const std::string offline = encoded(LeaveReason::kOffline, format);
    EXPECT_EQ(encoded(LeaveReason::kHidden, format), offline);
    EXPECT_EQ(encoded(LeaveReason::kUnfriended, format), offline);
    EXPECT_NE(encoded(LeaveReason::kRange, format), offline);
  }
  const std::string json = encoded(LeaveReason::kRange, WireFormat::kJson);
  EXPECT_THAT(json, HasSubstr("\"reason\":\"RANGE\""));
  for (const char* field : {"lat", "lng", "distanceMm", "reportedAtMs"}) {
    EXPECT_THAT(json, Not(HasSubstr(field)));
  }
}

// The encoder uses its events again: nothing of one batch may show in the next.
TEST(ServerCodec, ALeaveWhereAnEnterWasIsBare) {
  ServerEncoder encoder;
  const auto encoded = [](ServerEncoder* with, const std::vector<ClientEvent>& events) {
    std::string frame;
    with->EncodeBatch(WireFormat::kProtobuf, Batch(events), &frame);
    return frame;
  };
  const std::vector<ClientEvent> leave = {Leave(9, LeaveReason::kExpired)};
  const std::vector<ClientEvent> move = {Sight(9, DeliveryKind::kMove)};
  (void)encoded(&encoder, {Sight(7, DeliveryKind::kEnter), Sight(8, DeliveryKind::kMove)});
  ServerEncoder fresh;
  EXPECT_EQ(encoded(&encoder, leave), encoded(&fresh, leave));
  ServerEncoder fresher;
  EXPECT_EQ(encoded(&encoder, move), encoded(&fresher, move));
  ServerEncoder freshest;
  EXPECT_EQ(encoded(&encoder, {}), encoded(&freshest, {}));
}

TEST(ServerCodec, ResetsAreLeftOutOfTheEvents) {
  ClientEvent reset;
  reset.kind = DeliveryKind::kReset;
  const ClientUpdate update{BatchStart::kReset, {reset, Sight(1, DeliveryKind::kEnter), reset}};
  const ClientUpdate received{BatchStart::kReset, {Sight(1, DeliveryKind::kEnter)}};
  EXPECT_EQ(Decoded(WireFormat::kJson, EncodeMessage(WireFormat::kJson, {0, update})),
            ToText(ServerMessage{0, received}));
}

TEST(ServerCodec, EncodingAppends) {
  ServerEncoder encoder;
  for (const WireFormat format : kFormats) {
    std::string frame = "before";
    encoder.EncodeDrain(format, absl::Seconds(1), &frame);
    const std::string drain = EncodeMessage(format, {0, DrainNotice{absl::Seconds(1)}});
    EXPECT_EQ(frame, "before" + drain);
    encoder.EncodeBatch(format, Batch({}), &frame);
    EXPECT_EQ(frame, "before" + drain + EncodeMessage(format, {0, ClientUpdate{}}));
  }
}

TEST(ServerCodec, JsonPositionsAreShortAndNameTheSameCell) {
  RandomMessages random(kSeed);
  for (int i = 0; i < 1000; ++i) {
    const NearbyFriend in_sight = random.Friend();
    const std::string frame = EncodeMessage(WireFormat::kJson, {0, SubscribeAnswer{in_sight}});
    const std::size_t lat = frame.find("\"lat\":");
    // Minus, three digits, point, eight digits; and where the decimal fraction is tiny, an
    // exponent.
    if (lat != std::string::npos) {
      EXPECT_LE(frame.find_first_of(",}", lat) - lat - 6, 13) << frame;
    }
    EXPECT_EQ(Decoded(WireFormat::kJson, frame), ToText({0, SubscribeAnswer{in_sight}}));
  }
}

// --- errors and waits
// -----------------------------------------------------------------------------

std::string ErrorText(WireFormat format, const std::string& text) {
  const std::string frame =
      EncodeMessage(format, {0, ServerError{absl::InternalError(text), absl::ZeroDuration()}});
  const absl::StatusOr<ServerMessage> message = ServerDecoder().Decode(format, frame);
  if (!message.ok()) return message.status().ToString();
  return std::string(std::get<ServerError>(message->message).status.message());
}

TEST(ServerCodec, ErrorTextsBecomeUtf8) {
  for (const WireFormat format : kFormats) {
    EXPECT_EQ(ErrorText(format, "na\xC3\xAFve \xF0\x9F\x98\xB4"), "na\xC3\xAFve \xF0\x9F\x98\xB4");
    EXPECT_EQ(ErrorText(format, "a\xFF\xC3"), "a??");
    EXPECT_EQ(ErrorText(format, std::string("a\0\"\n\x1F", 5)), std::string("a\0\"\n\x1F", 5));
    EXPECT_EQ(ErrorText(format, std::string(5000, 'x')), std::string(512, 'x'));
    EXPECT_EQ(ErrorText(format, std::string(511, 'x') + "\xC3\xBC"), std::string(511, 'x'));
  }
}

TEST(ServerCodec, WaitsAreRoundedUpAndBounded) {
  const auto received = [](absl::Duration wait) {
    return Decoded(WireFormat::kProtobuf,
                   EncodeMessage(WireFormat::kProtobuf, {0, DrainNotice{wait}}));
  };
  const auto drain = [](std::int64_t ms) {
    return ToText(ServerMessage{0, DrainNotice{absl::Milliseconds(ms)}});
  };
  EXPECT_EQ(received(absl::Nanoseconds(1)), drain(1));
  EXPECT_EQ(received(absl::Milliseconds(7)), drain(7));
  EXPECT_EQ(received(-absl::Seconds(7)), drain(0));
  EXPECT_EQ(received(-absl::InfiniteDuration()), drain(0));
  EXPECT_EQ(received(absl::InfiniteDuration()), drain(kMaxTimeMs));
}

TEST(ServerCodec, AnErrorIsNeverOk) {
  EXPECT_EQ(Decoded(kError, RawMessage()), "#0 error UNKNOWN:  0");
  EXPECT_EQ(Decoded(kError, RawMessage().Varint(1, 17)), "#0 error UNKNOWN:  0");
  EXPECT_EQ(Decoded(kError, RawMessage().Varint(1, 14)), "#0 error UNAVAILABLE:  0");
}

TEST(ServerCodec, UpdatesAndDrainsAnswerNothing) {
  EXPECT_EQ(Decoded(WireFormat::kProtobuf,
                    RawMessage().Varint(kRequestId, 5).Message(kDrain, RawMessage()).bytes()),
            "#0 drain 0");
  EXPECT_EQ(Decoded(WireFormat::kJson, R"({"requestId":5,"update":{"start":"RESET"}})"),
            "#0 update 1");
}

// --- what is refused, and what is left out
// --------------------------------------------------------

RawMessage Friend(double lat, std::uint64_t distance_mm, std::uint64_t reported_at_ms) {
  return RawMessage().Varint(1, 42).Double(2, lat).Varint(4, distance_mm).Varint(5, reported_at_ms);
}

RawMessage Event(std::uint64_t kind) {
  return RawMessage().Varint(1, kind).Varint(2, 42).Varint(3, 1000);
}

RawMessage Update(const RawMessage& event) { return RawMessage().Varint(1, 1).Message(2, event); }

TEST(ServerCodec, ValuesOutOfRangeAreRefused) {
  constexpr std::uint64_t too_far = 20'015'114'354;
  constexpr std::uint64_t too_late = (std::uint64_t{1} << 53) + 1;
  const auto subscribed = [](const RawMessage& in_sight) {
    return Decoded(kSubscribeAnswer, RawMessage().Message(1, in_sight));
  };
  EXPECT_EQ(subscribed(Friend(1, too_far - 1, too_late - 1)).substr(0, 13), "#0 subscribed");
  EXPECT_THAT(subscribed(Friend(91, 1, 1)), HasSubstr("subscribe_answer: friend 42: latitude 91"));
  EXPECT_THAT(subscribed(Friend(1, too_far, 1)), HasSubstr("friend 42: distance_mm 20015114354"));
  EXPECT_THAT(subscribed(Friend(1, -1, 1)), HasSubstr("friend 42: distance_mm -1"));
  EXPECT_THAT(subscribed(Friend(1, 1, too_late)), HasSubstr("friend 42: reported_at_ms 9007"));
  EXPECT_THAT(Decoded(kInitAnswer, RawMessage().Message(1, Friend(91, 1, 1))),
              HasSubstr("INVALID_ARGUMENT: init_answer: friend 42: latitude"));
  EXPECT_THAT(Decoded(kNearbyAnswer, RawMessage().Bytes(3, "\x01x")),
              HasSubstr("nearby_answer: next_page_token: not a page token"));
  EXPECT_THAT(Decoded(kUpdate, Update(Event(1).Double(4, 91))),
              HasSubstr("update: friend 42: latitude 91"));
  EXPECT_THAT(Decoded(kUpdate, Update(Event(3).Varint(3, too_late))),
              HasSubstr("update: friend 42: time_ms 9007"));
  EXPECT_THAT(Decoded(kUpdate, RawMessage()), HasSubstr("update: start is missing or unknown"));
  EXPECT_THAT(Decoded(kUpdate, RawMessage().Varint(1, 4)), HasSubstr("update: start is missing"));
  EXPECT_THAT(Decoded(kError, RawMessage().Varint(3, -1)), HasSubstr("error: retry_after_ms -1"));
  EXPECT_THAT(Decoded(kDrain, RawMessage().Varint(1, too_late)),
              HasSubstr("drain: reconnect_after_ms 9007"));
}

TEST(ServerCodec, WhatLaterVersionsAddIsLeftOut) {
  EXPECT_EQ(Decoded(WireFormat::kProtobuf, RawMessage().Varint(kRequestId, 5).bytes()),
            "UNIMPLEMENTED: no message that this client knows");
  EXPECT_EQ(Decoded(WireFormat::kJson, R"({"requestId":"5","surprise":{}})"),
            "UNIMPLEMENTED: no message that this client knows");
  EXPECT_EQ(Decoded(kUpdate, Update(Event(4))), "#0 update 0");
  EXPECT_EQ(Decoded(kUpdate, Update(Event(0))), "#0 update 0");
  ClientEvent leave;
  leave.kind = DeliveryKind::kLeave;
  leave.friend_id = UserId{42};
  leave.time = Time::Millis(1000);
  const std::string expected = ToText(ServerMessage{0, ClientUpdate{BatchStart::kGoesOn, {leave}}});
  EXPECT_EQ(Decoded(kUpdate, Update(Event(3).Varint(8, 99).Varint(90, 1))), expected);
  EXPECT_EQ(Decoded(WireFormat::kJson,
                    R"({"update":{"start":"GOES_ON","later":[],"events":[
                        {"kind":"WAVE","friendId":"41"},
                        {"kind":"LEAVE","friendId":"42","timeMs":"1000","reason":"BORED"}]}})"),
            expected);
}

TEST(ServerCodec, MalformedFramesAreRefused) {
  EXPECT_EQ(Decoded(WireFormat::kProtobuf, "\xFF"), "INVALID_ARGUMENT: malformed protobuf message");
  EXPECT_THAT(Decoded(WireFormat::kJson, "{"), HasSubstr("INVALID_ARGUMENT: malformed JSON"));
  EXPECT_EQ(Decoded(kError, RawMessage().Varint(1, 3).Bytes(2, "a\xFF")),
            "INVALID_ARGUMENT: error: message is not UTF-8");
  EXPECT_THAT(Decoded(WireFormat::kJson, std::string(1 << 20, '[')), HasSubstr("32 deep"));
}

// Protobuf prints a line for text that is not UTF-8, wherever it meets it; a library does not.
TEST(ServerCodec, NothingIsPrintedAboutMalformedText) {
  ::testing::internal::CaptureStderr();
  const RawMessage bad = RawMessage().Bytes(2, "\xFF");
  EXPECT_THAT(Decoded(kError, bad), HasSubstr("UTF-8"));
  const std::string twice = RawMessage()
                                .GroupBegin(99)
                                .GroupEnd(99)
                                .Message(kError, RawMessage())
                                .Message(kError, bad)
                                .bytes();
  EXPECT_THAT(Decoded(WireFormat::kProtobuf, twice), HasSubstr("UTF-8"));
  (void)ErrorText(WireFormat::kProtobuf, "\xFF");
  (void)ErrorText(WireFormat::kJson, "\xFF");
  (void)Decoded(WireFormat::kJson, "{\"error\":{\"message\":\"\xFF\"}}");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST(ServerCodec, LimitsAreTheOptions) {
  const std::string frame = EncodeMessage(WireFormat::kProtobuf, {5, UnsubscribeAnswer{}});
  ServerDecoderOptions options;
  options.max_frame_bytes = frame.size();
  EXPECT_TRUE(ServerDecoder::Create(options)->Decode(WireFormat::kProtobuf, frame).ok());
  options.max_frame_bytes = frame.size() - 1;
  EXPECT_EQ(ServerDecoder::Create(options)->Decode(WireFormat::kProtobuf, frame).status().code(),
            absl::StatusCode::kResourceExhausted);
  options.max_frame_bytes = (std::size_t{1} << 30) + 1;
  EXPECT_THAT(std::string(ServerDecoder::Create(options).status().message()),
              HasSubstr("max_frame_bytes"));
}

TEST(ServerCodec, FramesWithTooManyEventsAreRefusedBeforeTheyAreMade) {
  ServerDecoderOptions options;
  options.max_events = 20;
  ServerDecoder decoder = *ServerDecoder::Create(options);
  const auto decode = [&decoder](WireFormat format, std::size_t count) {
    ClientUpdate update;
    ClientEvent event;
    event.kind = DeliveryKind::kLeave;
    update.events.assign(count, event);
    NearbyPage page;
    page.friends.assign(count, NearbyFriend{UserId{1}, Position::FromUnits(1, 1), 0, Time{0}});
    page.next = PageToken{1, UserId{1}};
    const auto of_update = decoder.Decode(format, EncodeMessage(format, {0, update}));
    const auto of_page = decoder.Decode(format, EncodeMessage(format, {1, NearbyAnswer{page}}));
    EXPECT_EQ(of_update.status().code(), of_page.status().code());
    return of_update.status().code();
  };
  for (const WireFormat format : {WireFormat::kProtobuf, WireFormat::kJson}) {
    EXPECT_EQ(decode(format, 20), absl::StatusCode::kOk);
    EXPECT_EQ(decode(format, 21), absl::StatusCode::kResourceExhausted);
  }
  // Two bytes an event, of kinds that nobody knows.
  std::string events;
  for (int i = 0; i < 21; ++i) events += std::string("\x12\x00", 2);
  const std::string frame = RawMessage().Bytes(6, events).bytes();
  EXPECT_EQ(decoder.Decode(WireFormat::kProtobuf, frame).status().code(),
            absl::StatusCode::kResourceExhausted);
}

TEST(ServerCodec, APageTokenOfALaterVersionIsLeftOut) {
  NearbyPage page;
  page.next = PageToken{1, UserId{1}};
  std::string frame = EncodeMessage(WireFormat::kProtobuf, {1, NearbyAnswer{page}});
  const std::string token("\x01\x01\x00", 3);
  ASSERT_NE(frame.find(token), std::string::npos);
  frame[frame.find(token)] = 2;
  const absl::StatusOr<ServerMessage> message =
      ServerDecoder().Decode(WireFormat::kProtobuf, frame);
  ASSERT_EQ(message.status(), absl::OkStatus());
  EXPECT_FALSE(std::get<NearbyAnswer>(message->message).page.next.has_value());
}

TEST(ServerCodec, MovedCodecsWork) {
  ServerEncoder encoder;
  ServerEncoder moved(std::move(encoder));
  encoder = std::move(moved);
  std::string frame;
  encoder.EncodeUnsubscribeAnswer(WireFormat::kJson, 5, &frame);
  ServerDecoder decoder;
  ServerDecoder other(std::move(decoder));
  decoder = std::move(other);
  EXPECT_TRUE(decoder.Decode(WireFormat::kJson, frame).ok());
}

}  // namespace
}  // namespace nearby
