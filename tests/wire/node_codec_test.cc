#include "nearby/node_codec.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/wire/encode_message.h"
#include "tests/wire/random_messages.h"
#include "tests/wire/raw_message.h"
#include "tests/wire/wire_text.h"

namespace nearby {
namespace {

using test::EncodeMessage;
using test::RandomMessages;
using test::RawMessage;
using test::ToText;
using ::testing::HasSubstr;

constexpr std::uint64_t kSeed = 20'240'613;

// The numbers of node.proto, once more: they may never change.
enum Kind : std::uint64_t {
  kAnnounce = 1,
  kSubscribe = 3,
  kLocation = 5,
  kOffline = 6,
  kHere = 7,
  kPark = 8
};

std::string Decoded(const std::string& payload) {
  NodeBatch batch;
  const absl::Status status = NodeDecoder().Decode(payload, &batch);
  return status.ok() ? ToText(batch) : status.ToString();
}

RawMessage Event(Kind kind) { return RawMessage().Varint(1, kind).Varint(4, 42); }

std::string Batch(const RawMessage& event) {
  return RawMessage().Varint(1, 1).Varint(2, 2).Varint(3, 3).Message(4, event).bytes();
}

TEST(NodeCodec, WhatIsEncodedIsDecoded) {
  SCOPED_TRACE(absl::StrCat("seed ", kSeed));
  RandomMessages random(kSeed);
  NodeDecoder decoder;
  NodeBatch decoded;
  for (int i = 0; i < 1000; ++i) {
    const NodeBatch batch = random.Batch();
    ASSERT_EQ(decoder.Decode(EncodeMessage(batch), &decoded), absl::OkStatus());
    EXPECT_EQ(ToText(decoded), ToText(batch));
    EXPECT_EQ(decoded.id, batch.id);
  }
}

TEST(NodeCodec, FieldsThatAKindDoesNotHaveAreNotSent) {
  PeerMessage event;
  event.friend_id = UserId{5};
  event.friendship.friends = true;
  event.version = FriendVersion{6};
  event.position = Position::FromLatLng({1, 2});
  event.accepted_at = event.reported_at = event.until = Time::Millis(7);
  event.sequence = 8;
  event.speed_bound = 9;
  for (int kind = 0; kind < 8; ++kind) {
    event.kind = static_cast<PeerMessage::Kind>(kind);
    PeerMessage received = event;
    if (event.kind > PeerMessage::Kind::kAnnounceBack) {
      received.friend_id = UserId{0};
      received.friendship = {};
      received.version = FriendVersion{0};
    }
    const bool has_location =
        event.kind == PeerMessage::Kind::kLocation || event.kind == PeerMessage::Kind::kHere;
    const bool is_park = event.kind == PeerMessage::Kind::kPark;
    if (!has_location) {
      received.position = Position::Nowhere();
      received.accepted_at = received.reported_at = Time();
    }
    if (!has_location && !is_park) {
      received.sequence = 0;
      received.speed_bound = 0;
    }
    if (!is_park) received.until = Time();
    EXPECT_EQ(Decoded(EncodeMessage(NodeBatch{{1, 2, 3}, {event}})),
              ToText(NodeBatch{{1, 2, 3}, {received}}));
  }
}

TEST(NodeCodec, FieldsThatAKindDoesNotHaveAreNotRead) {
  RawMessage event = Event(kOffline);
  event.Varint(6, 999).Fixed32(8, std::numeric_limits<std::int32_t>::min()).Varint(10, 1ull << 63);
  EXPECT_EQ(Decoded(Batch(event)), Decoded(Batch(Event(kOffline))));
}

TEST(NodeCodec, SizesKeepToTheirBounds) {
  PeerMessage largest;
  largest.from = largest.to = ShardId{0xFFFFFFFF};
  largest.user = largest.friend_id = UserId{std::numeric_limits<std::uint64_t>::max()};
  largest.friendship = {true, true, true, true, true};
  largest.version = FriendVersion{std::numeric_limits<std::uint64_t>::max()};
  largest.position = Position::FromLatLng({-90, -180});
  largest.accepted_at = largest.reported_at = largest.until = Time::Millis(-kMaxTimeMs);
  largest.sequence = std::numeric_limits<std::uint32_t>::max();
  largest.speed_bound = std::numeric_limits<float>::infinity();
  NodeBatch batch;
  batch.id.publisher = batch.id.epoch = batch.id.sequence =
      std::numeric_limits<std::uint64_t>::max();
  EXPECT_LE(EncodeMessage(batch).size(), kMaxNodeBatchHeaderBytes);
  for (int kind = 0; kind < 8; ++kind) {
    largest.kind = static_cast<PeerMessage::Kind>(kind);
    const std::size_t before = EncodeMessage(batch).size();
    batch.events.push_back(largest);
    EXPECT_LE(EncodeMessage(batch).size() - before, kMaxNodeEventBytes);
  }
}

TEST(NodeCodec, ValuesOutOfRangeAreRefused) {
  constexpr std::uint64_t too_late = (std::uint64_t{1} << 53) + 1;
  const auto location = [](std::int32_t lat_units, std::uint64_t accepted, std::uint64_t reported) {
    return Decoded(
        Batch(Event(kLocation).Fixed32(8, lat_units).Varint(10, accepted).Varint(11, reported)));
  };
  constexpr std::int32_t quarter = 1 << 30;
  EXPECT_THAT(location(quarter, too_late - 1, -(too_late - 1)), HasSubstr("1/2/3"));
  EXPECT_THAT(location(-quarter, 1, 1), HasSubstr("1/2/3"));
  EXPECT_EQ(location(quarter + 1, 1, 1),
            "INVALID_ARGUMENT: event 0: lat_units 1073741825 lies outside "
            "-1073741824 .. 1073741824");
  EXPECT_THAT(location(-quarter - 1, 1, 1), HasSubstr("event 0: lat_units"));
  EXPECT_THAT(location(std::numeric_limits<std::int32_t>::min(), 1, 1), HasSubstr("lat_units"));
  EXPECT_THAT(location(0, too_late, 1), HasSubstr("event 0: accepted_at_ms 9007"));
  EXPECT_THAT(location(0, 1, -too_late), HasSubstr("event 0: reported_at_ms -9007"));
  EXPECT_THAT(Decoded(Batch(Event(kPark).Varint(14, too_late))), HasSubstr("until_ms 9007"));
  constexpr std::int32_t not_a_number = 0x7FC00000;
  constexpr std::int32_t minus_one = static_cast<std::int32_t>(0xBF800000);
  for (const Kind kind : {kLocation, kHere, kPark}) {
    EXPECT_THAT(Decoded(Batch(Event(kind).Fixed32(13, not_a_number))), HasSubstr("no speed"));
    EXPECT_THAT(Decoded(Batch(Event(kind).Fixed32(13, minus_one))), HasSubstr("speed_bound -1"));
  }
}

TEST(NodeCodec, AFriendshipOfALaterVersionIsLeftOutAlone) {
  NodeDecoder decoder;
  NodeBatch batch;
  const std::string payload = RawMessage()
                                  .Message(4, Event(kAnnounce).Varint(6, 32))
                                  .Message(4, Event(kSubscribe).Varint(6, 32))
                                  .bytes();
  ASSERT_EQ(decoder.Decode(payload, &batch), absl::OkStatus());
  EXPECT_EQ(batch.unknown_events, 1);
  ASSERT_EQ(batch.events.size(), 1);
  EXPECT_EQ(batch.events[0].kind, PeerMessage::Kind::kSubscribe);
}

TEST(NodeCodec, AFailureLeavesNothing) {
  NodeDecoder decoder;
  NodeBatch batch;
  const std::string good = Batch(Event(kSubscribe));
  ASSERT_EQ(decoder.Decode(good, &batch), absl::OkStatus());
  ASSERT_EQ(batch.events.size(), 1);
  const std::string bad = RawMessage()
                              .Raw(good)
                              .Message(4, RawMessage())
                              .Message(4, Event(kLocation).Fixed32(8, (1 << 30) + 1))
                              .bytes();
  for (const std::string& payload : {bad, good.substr(0, good.size() - 1), std::string("\xFF")}) {
    ASSERT_EQ(decoder.Decode(good, &batch), absl::OkStatus());
    EXPECT_EQ(decoder.Decode(payload, &batch).code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(ToText(batch), ToText(NodeBatch()));
  }
  EXPECT_THAT(std::string(decoder.Decode(bad, &batch).message()), HasSubstr("event 2: lat_units"));
}

TEST(NodeCodec, KindsOfLaterVersionsAreCountedAndLeftOut) {
  const std::string payload = RawMessage()
                                  .Varint(90, 1)
                                  .Message(4, RawMessage().Varint(1, 9))
                                  .Message(4, Event(kSubscribe).Bytes(91, "later"))
                                  .Message(4, RawMessage())
                                  .bytes();
  PeerMessage event;
  event.kind = PeerMessage::Kind::kSubscribe;
  event.user = UserId{42};
  EXPECT_EQ(Decoded(payload), ToText(NodeBatch{{}, {event}, 2}));
}

TEST(NodeCodec, EncodingAppends) {
  NodeEncoder encoder;
  std::string payload = "before";
  encoder.Encode({1, 2, 3}, {}, &payload);
  EXPECT_EQ(payload, "before" + EncodeMessage(NodeBatch{{1, 2, 3}, {}}));
}

TEST(NodeCodec, AnEmptyPayloadIsAnEmptyBatch) { EXPECT_EQ(Decoded(""), ToText(NodeBatch())); }

TEST(NodeCodec, LimitsAreTheOptions) {
  const std::string payload = EncodeMessage(NodeBatch{{}, std::vector<PeerMessage>(5)});
  const auto code = [&payload](NodeDecoderOptions options) {
    NodeBatch batch;
    return NodeDecoder::Create(options)->Decode(payload, &batch).code();
  };
  NodeDecoderOptions options;
  options.max_events = 5;
  options.max_payload_bytes = payload.size();
  EXPECT_EQ(code(options), absl::StatusCode::kOk);
  options.max_events = 4;
  EXPECT_EQ(code(options), absl::StatusCode::kResourceExhausted);
  options.max_events = 5;
  options.max_payload_bytes = payload.size() - 1;
  EXPECT_EQ(code(options), absl::StatusCode::kResourceExhausted);
  options.max_payload_bytes = (std::size_t{1} << 30) + 1;
  EXPECT_THAT(std::string(NodeDecoder::Create(options).status().message()),
              HasSubstr("max_payload_bytes"));
}

TEST(NodeCodec, EventsHiddenBehindAGroupAreCounted) {
  RawMessage payload;
  payload.GroupBegin(50).Varint(1, 1).GroupBegin(51).GroupEnd(51).GroupEnd(50);
  for (int i = 0; i < 3; ++i) payload.Message(4, RawMessage());
  NodeDecoderOptions options;
  options.max_events = 2;
  NodeBatch batch;
  EXPECT_EQ(NodeDecoder::Create(options)->Decode(payload.bytes(), &batch),
            absl::ResourceExhaustedError("a batch of 3 events, where at most 2 are taken"));
}

TEST(NodeCodec, MovedCodecsWork) {
  NodeEncoder encoder;
  NodeEncoder moved(std::move(encoder));
  encoder = std::move(moved);
  std::string payload;
  encoder.Encode({1, 2, 3}, std::vector<PeerMessage>(2), &payload);
  NodeDecoder decoder;
  NodeDecoder other(std::move(decoder));
  decoder = std::move(other);
  NodeBatch batch;
  EXPECT_EQ(decoder.Decode(payload, &batch), absl::OkStatus());
  EXPECT_EQ(batch.events.size(), 2);
}

}  // namespace
}  // namespace nearby
