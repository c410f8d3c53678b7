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
constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();

// The numbers of node.proto, once more: they may never change.
enum Field : std::uint32_t {
  kEvents = 6,
  kKind = 1,
  kUser = 2,
  kFriendship = 4,
  kLatUnits = 7,
  kAcceptedAtMs = 9,
  kReportedAtMs = 10,
  kRequest = 11,
  kSpeedBoundMmS = 12,
  kJumps = 13,
};
enum WireKind : std::uint64_t {
  kLocation = 1,
  kOffline = 2,
  kAnnounce = 3,
  kAnnounceBack = 4,
  kChange = 5,
  kTaken = 7,
  kOfALaterVersion = 9,
};

// The kinds and what they have by node_batch.h, once more.
struct KindAndFields {
  NodeEvent::Kind kind;
  bool user;
  bool session;
  bool pair;
  bool location;
  bool request;
};
constexpr KindAndFields kKinds[] = {
    {NodeEvent::Kind::kLocation, true, true, false, true, false},
    {NodeEvent::Kind::kOffline, true, true, false, false, false},
    {NodeEvent::Kind::kAnnounce, true, true, true, false, false},
    {NodeEvent::Kind::kAnnounceBack, true, true, true, false, false},
    {NodeEvent::Kind::kChange, true, false, true, false, true},
    {NodeEvent::Kind::kChanged, false, false, false, false, true},
    {NodeEvent::Kind::kTaken, true, true, false, false, false},
    {NodeEvent::Kind::kReload, true, false, false, false, false},
};

std::string Decoded(const std::string& payload) {
  NodeBatch batch;
  const absl::Status status = NodeDecoder().Decode(payload, &batch);
  return status.ok() ? ToText(batch) : status.ToString();
}

RawMessage Event(WireKind kind) { return RawMessage().Varint(kKind, kind).Varint(kUser, 42); }

std::string Batch(const RawMessage& event) {
  return RawMessage().Varint(1, 1).Varint(2, 2).Varint(4, 3).Message(kEvents, event).bytes();
}

NodeBatch BatchOf(std::vector<NodeEvent> events) {
  NodeBatch batch;
  batch.from = {NodeId{1}, Epoch{2}};
  batch.sequence = 3;
  batch.events = std::move(events);
  return batch;
}

NodeEvent OfflineEvent() {
  NodeEvent event;
  event.kind = NodeEvent::Kind::kOffline;
  return event;
}

// Each field as large on the wire as it can be.
NodeEvent LargestEvent(NodeEvent::Kind kind) {
  NodeEvent event;
  event.kind = kind;
  event.user = event.friend_id = UserId{kMax};
  event.friendship = {true, true, true, true, true};
  event.version = FriendVersion{kMax};
  event.session = Epoch{kMax};
  event.position = Position::FromLatLng({-90, -180});
  event.accepted_at = event.reported_at = Time::Millis(-kMaxTimeMs);
  event.request = kMax;
  event.speed_bound_mm_s = event.jumps = std::numeric_limits<std::uint32_t>::max();
  return event;
}

NodeBatch LargestHeader() {
  NodeBatch batch;
  batch.from = {NodeId{kMax}, Epoch{kMax}};
  batch.to = Epoch{kMax};
  batch.sequence = batch.acknowledged = kMax;
  return batch;
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
  }
}

TEST(NodeCodec, FieldsThatAKindDoesNotHaveAreNotSent) {
  for (const KindAndFields& has : kKinds) {
    const NodeEvent sent = LargestEvent(has.kind);
    NodeEvent received = sent;
    if (!has.user) received.user = {};
    if (!has.session) received.session = {};
    if (!has.pair) {
      received.friend_id = {};
      received.friendship = {};
      received.version = {};
    }
    if (!has.location) {
      received.position = Position::Nowhere();
      received.accepted_at = received.reported_at = Time();
      received.speed_bound_mm_s = received.jumps = 0;
    }
    if (!has.request) received.request = 0;
    const std::string payload = EncodeMessage(BatchOf({sent}));
    EXPECT_EQ(Decoded(payload), ToText(BatchOf({received})));
    EXPECT_EQ(payload, EncodeMessage(BatchOf({received})));
  }
}

TEST(NodeCodec, FieldsThatAKindDoesNotHaveAreNotRead) {
  for (const WireKind kind : {kOffline, kTaken}) {
    RawMessage event = Event(kind);
    event.Varint(kFriendship, 999).Fixed32(kLatUnits, std::numeric_limits<std::int32_t>::min());
    event.Varint(kAcceptedAtMs, 1ull << 63).Varint(kSpeedBoundMmS, 25'000).Varint(kJumps, 1);
    EXPECT_EQ(Decoded(Batch(event)), Decoded(Batch(Event(kind))));
  }
}

TEST(NodeCodec, WhatIsNotThereTakesNoByte) {
  EXPECT_EQ(EncodeMessage(NodeBatch()), "");
  NodeBatch batch;
  batch.events = {OfflineEvent()};
  EXPECT_EQ(EncodeMessage(batch),
            RawMessage().Message(kEvents, RawMessage().Varint(kKind, kOffline)).bytes());
}

TEST(NodeCodec, SizesKeepToTheirBounds) {
  NodeBatch batch = LargestHeader();
  EXPECT_LE(EncodeMessage(batch).size(), kMaxNodeBatchHeaderBytes);
  for (const KindAndFields& has : kKinds) {
    const std::size_t before = EncodeMessage(batch).size();
    batch.events.push_back(LargestEvent(has.kind));
    EXPECT_LE(EncodeMessage(batch).size() - before, kMaxNodeEventBytes);
  }
}

TEST(NodeCodec, AsManyEventsAsTheBoundsSayFit) {
  NodeDecoderOptions options;
  options.max_payload_bytes = 4096;
  NodeBatch batch = LargestHeader();
  batch.events.resize((options.max_payload_bytes - kMaxNodeBatchHeaderBytes) / kMaxNodeEventBytes,
                      LargestEvent(NodeEvent::Kind::kLocation));
  NodeBatch decoded;
  EXPECT_EQ(NodeDecoder::Create(options)->Decode(EncodeMessage(batch), &decoded), absl::OkStatus());
}

TEST(NodeCodec, ALocationOfAVersionWithoutSpeedsSaysNothingOfThem) {
  NodeBatch batch;
  RawMessage event = Event(kLocation);
  ASSERT_EQ(NodeDecoder().Decode(Batch(event), &batch), absl::OkStatus());
  EXPECT_EQ(batch.events.at(0).speed_bound_mm_s, 0u);
  EXPECT_EQ(batch.events.at(0).jumps, 0u);
  event.Varint(kSpeedBoundMmS, 25'000).Varint(kJumps, 3);
  ASSERT_EQ(NodeDecoder().Decode(Batch(event), &batch), absl::OkStatus());
  EXPECT_EQ(batch.events.at(0).speed_bound_mm_s, 25'000u);
  EXPECT_EQ(batch.events.at(0).jumps, 3u);
}

TEST(NodeCodec, ValuesOutOfRangeAreRefused) {
  constexpr std::uint64_t too_late = (std::uint64_t{1} << 53) + 1;
  const auto location = [](std::int32_t lat_units, std::uint64_t accepted, std::uint64_t reported) {
    return Decoded(Batch(Event(kLocation)
                             .Fixed32(kLatUnits, lat_units)
                             .Varint(kAcceptedAtMs, accepted)
                             .Varint(kReportedAtMs, reported)));
  };
  constexpr std::int32_t quarter = 1 << 30;
  EXPECT_THAT(location(quarter, too_late - 1, -(too_late - 1)), HasSubstr("1/2->0 #3"));
  EXPECT_THAT(location(-quarter, 1, 1), HasSubstr("1/2->0 #3"));
  EXPECT_EQ(location(quarter + 1, 1, 1),
            "INVALID_ARGUMENT: event 0: lat_units 1073741825 lies outside "
            "-1073741824 .. 1073741824");
  EXPECT_THAT(location(-quarter - 1, 1, 1), HasSubstr("event 0: lat_units"));
  EXPECT_THAT(location(std::numeric_limits<std::int32_t>::min(), 1, 1), HasSubstr("lat_units"));
  EXPECT_THAT(location(0, too_late, 1), HasSubstr("event 0: accepted_at_ms 9007"));
  EXPECT_THAT(location(0, 1, -too_late), HasSubstr("event 0: reported_at_ms -9007"));
}

TEST(NodeCodec, AnEventThatIsNowhereIsRefused) {
  NodeEvent event;
  event.kind = NodeEvent::Kind::kLocation;
  EXPECT_THAT(Decoded(EncodeMessage(BatchOf({event}))), HasSubstr("event 0: lat_units"));
}

TEST(NodeCodec, AFriendshipOfALaterVersionIsLeftOutAlone) {
  for (const WireKind kind : {kAnnounce, kAnnounceBack}) {
    NodeDecoder decoder;
    NodeBatch batch;
    const std::string payload = RawMessage()
                                    .Message(kEvents, Event(kind).Varint(kFriendship, 31))
                                    .Message(kEvents, Event(kind).Varint(kFriendship, 32))
                                    .Message(kEvents, Event(kTaken).Varint(kFriendship, 32))
                                    .bytes();
    ASSERT_EQ(decoder.Decode(payload, &batch), absl::OkStatus());
    EXPECT_EQ(batch.unknown_events, 1);
    ASSERT_EQ(batch.events.size(), 2);
    EXPECT_EQ(batch.events[0].friendship, (Friendship{true, true, true, true, true}));
    EXPECT_EQ(batch.events[1].kind, NodeEvent::Kind::kTaken);
  }
}

// Its sender waits for an answer, and nothing is told that the unknown bits may forbid.
TEST(NodeCodec, AChangeOfALaterVersionIsTheEndOfTheFriendship) {
  NodeDecoder decoder;
  NodeBatch batch;
  const std::string payload =
      RawMessage()
          .Message(kEvents, Event(kChange).Varint(kFriendship, 31).Varint(kRequest, 6))
          .Message(kEvents, Event(kChange).Varint(kFriendship, 33).Varint(kRequest, 7))
          .bytes();
  ASSERT_EQ(decoder.Decode(payload, &batch), absl::OkStatus());
  EXPECT_EQ(batch.unknown_events, 0);
  ASSERT_EQ(batch.events.size(), 2);
  EXPECT_EQ(batch.events[0].friendship, (Friendship{true, true, true, true, true}));
  EXPECT_EQ(batch.events[1].kind, NodeEvent::Kind::kChange);
  EXPECT_EQ(batch.events[1].user, UserId{42});
  EXPECT_EQ(batch.events[1].friendship, Friendship());
  EXPECT_EQ(batch.events[1].request, 7);
}

TEST(NodeCodec, AFailureLeavesNothing) {
  NodeDecoder decoder;
  NodeBatch batch;
  const std::string good = Batch(Event(kTaken));
  const std::string bad = RawMessage()
                              .Raw(good)
                              .Message(kEvents, RawMessage())
                              .Message(kEvents, Event(kLocation).Fixed32(kLatUnits, (1 << 30) + 1))
                              .bytes();
  for (const std::string& payload : {bad, good.substr(0, good.size() - 1), std::string("\xFF")}) {
    ASSERT_EQ(decoder.Decode(good, &batch), absl::OkStatus());
    ASSERT_EQ(batch.events.size(), 1);
    EXPECT_EQ(decoder.Decode(payload, &batch).code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(ToText(batch), ToText(NodeBatch()));
  }
  EXPECT_THAT(std::string(decoder.Decode(bad, &batch).message()), HasSubstr("event 2: lat_units"));
}

TEST(NodeCodec, KindsOfLaterVersionsAreCountedAndLeftOut) {
  const std::string payload = RawMessage()
                                  .Varint(90, 1)
                                  .Message(kEvents, RawMessage().Varint(kKind, kOfALaterVersion))
                                  .Message(kEvents, Event(kTaken).Bytes(91, "later"))
                                  .Message(kEvents, RawMessage())
                                  .bytes();
  NodeBatch expected;
  expected.events.resize(1);
  expected.events[0].kind = NodeEvent::Kind::kTaken;
  expected.events[0].user = UserId{42};
  expected.unknown_events = 2;
  EXPECT_EQ(Decoded(payload), ToText(expected));
}

TEST(NodeCodec, EncodingAppends) {
  const NodeBatch batch = BatchOf({OfflineEvent()});
  std::string payload = "before";
  NodeEncoder().Encode(batch, &payload);
  EXPECT_EQ(payload, "before" + EncodeMessage(batch));
}

TEST(NodeCodec, AnEmptyPayloadIsAnEmptyBatch) { EXPECT_EQ(Decoded(""), ToText(NodeBatch())); }

TEST(NodeCodec, LimitsAreTheOptions) {
  const std::string payload = EncodeMessage(BatchOf(std::vector<NodeEvent>(5, OfflineEvent())));
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
  for (int i = 0; i < 3; ++i) payload.Message(kEvents, RawMessage());
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
  encoder.Encode(BatchOf(std::vector<NodeEvent>(2, OfflineEvent())), &payload);
  NodeDecoder decoder;
  NodeDecoder other(std::move(decoder));
  decoder = std::move(other);
  NodeBatch batch;
  EXPECT_EQ(decoder.Decode(payload, &batch), absl::OkStatus());
  EXPECT_EQ(batch.events.size(), 2);
}

}  // namespace
}  // namespace nearby
