#include "nearby/client_codec.h"

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

constexpr std::uint64_t kSeed = 20'240'611;
constexpr std::uint64_t kRequestId = 77;

// The numbers of client.proto, once more: they may never change.
enum Field : std::uint32_t {
  kRequestIdField = 1,
  kReport = 2,
  kInit = 3,
  kSubscribe = 4,
  kUnsubscribe = 5,
  kNearby = 6,
};

RawMessage Begin() { return RawMessage().Varint(kRequestIdField, kRequestId); }

RawMessage Report(double lat, double lng, std::uint64_t reported_at_ms) {
  return RawMessage().Double(1, lat).Double(2, lng).Varint(3, reported_at_ms);
}

std::string Call(Field field, const RawMessage& content) {
  return Begin().Message(field, content).bytes();
}

TEST(ClientCodec, WhatIsEncodedIsDecoded) {
  SCOPED_TRACE(absl::StrCat("seed ", kSeed));
  RandomMessages random(kSeed);
  ClientDecoder decoder;
  for (int i = 0; i < 2000; ++i) {
    const ClientCall call = random.Call();
    for (const WireFormat format : {WireFormat::kProtobuf, WireFormat::kJson}) {
      const std::string frame = EncodeMessage(format, call);
      const absl::StatusOr<ClientCall> decoded = decoder.Decode(format, frame);
      ASSERT_TRUE(decoded.ok()) << decoded.status() << ": " << ToText(call);
      EXPECT_EQ(ToText(*decoded), ToText(call));
      EXPECT_EQ(decoder.request_id(), call.request_id);
    }
  }
}

TEST(ClientCodec, EncodingAppends) {
  ClientEncoder encoder;
  for (const WireFormat format : {WireFormat::kProtobuf, WireFormat::kJson}) {
    const ClientCall call{1, SubscribeCall{UserId{2}}};
    std::string frame = "before";
    encoder.Encode(format, call, &frame);
    EXPECT_EQ(frame, "before" + EncodeMessage(format, call));
  }
}

TEST(ClientCodec, PageSizeZeroIsTheServersDefault) {
  ClientDecoderOptions options;
  options.default_page_size = 7;
  absl::StatusOr<ClientDecoder> decoder = ClientDecoder::Create(options);
  ASSERT_TRUE(decoder.ok());
  const auto call = decoder->Decode(WireFormat::kProtobuf, Call(kNearby, RawMessage()));
  ASSERT_TRUE(call.ok()) << call.status();
  EXPECT_EQ(std::get<NearbyCall>(call->call).page_size, 7);
  EXPECT_EQ(std::get<NearbyCall>(call->call).after.distance_mm, -1);
}

TEST(ClientCodec, OptionsOutOfRangeAreRefused) {
  const auto message = [](ClientDecoderOptions options) {
    return std::string(ClientDecoder::Create(options).status().message());
  };
  ClientDecoderOptions options;
  EXPECT_EQ(message(options), "");
  options.max_frame_bytes = (1 << 20) + 1;
  EXPECT_THAT(message(options), HasSubstr("max_frame_bytes"));
  options = {};
  options.max_page_size = 0;
  EXPECT_THAT(message(options), HasSubstr("max_page_size"));
  options = {};
  options.default_page_size = 0;
  EXPECT_THAT(message(options), HasSubstr("default_page_size"));
  options.default_page_size = options.max_page_size + 1;
  EXPECT_THAT(message(options), HasSubstr("default_page_size"));
}

TEST(ClientCodec, LimitsAreTheOptions) {
  const std::string frame = EncodeMessage(WireFormat::kProtobuf, {1, NearbyCall{{}, 30}});
  ClientDecoderOptions options;
  options.max_frame_bytes = frame.size();
  options.default_page_size = 1;
  options.max_page_size = 30;
  EXPECT_TRUE(ClientDecoder::Create(options)->Decode(WireFormat::kProtobuf, frame).ok());
  options.max_page_size = 29;
  EXPECT_EQ(ClientDecoder::Create(options)->Decode(WireFormat::kProtobuf, frame).status(),
            absl::InvalidArgumentError("nearby: page_size 30 lies outside 0 .. 29"));
  options.max_frame_bytes = frame.size() - 1;
  EXPECT_EQ(ClientDecoder::Create(options)->Decode(WireFormat::kProtobuf, frame).status().code(),
            absl::StatusCode::kResourceExhausted);
}

TEST(ClientCodec, AMovedDecoderDecodes) {
  ClientDecoder first;
  ClientDecoder second(std::move(first));
  first = std::move(second);
  const std::string frame = EncodeMessage(WireFormat::kJson, {5, UnsubscribeCall{UserId{1}}});
  EXPECT_TRUE(first.Decode(WireFormat::kJson, frame).ok());
  EXPECT_EQ(first.request_id(), 5);
  ClientEncoder encoder;
  ClientEncoder moved(std::move(encoder));
  encoder = std::move(moved);
  std::string again;
  encoder.Encode(WireFormat::kJson, {5, UnsubscribeCall{UserId{1}}}, &again);
  EXPECT_EQ(again, frame);
}

// --- what is refused
// ------------------------------------------------------------------------------

struct Refused {
  std::string what;
  WireFormat format;
  std::string frame;
  absl::StatusCode code;
  std::string fragment;
  std::uint64_t request_id = kRequestId;
};

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;
constexpr std::uint64_t kMinusOne = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kTooLate = (std::uint64_t{1} << 53) + 1;

void ExpectRefused(const std::vector<Refused>& cases) {
  // One decoder for all: what it remembers of one frame must not show in the next.
  ClientDecoder decoder;
  const std::string good = EncodeMessage(WireFormat::kProtobuf, {1, SubscribeCall{UserId{2}}});
  for (const Refused& refused : cases) {
    SCOPED_TRACE(refused.what);
    const absl::StatusOr<ClientCall> call = decoder.Decode(refused.format, refused.frame);
    EXPECT_EQ(call.status().code(), refused.code) << call.status();
    EXPECT_THAT(std::string(call.status().message()), HasSubstr(refused.fragment));
    EXPECT_EQ(decoder.request_id(), refused.request_id);
    EXPECT_TRUE(decoder.Decode(WireFormat::kProtobuf, good).ok());
  }
}

Refused Binary(std::string what, std::string frame, std::string fragment) {
  return {std::move(what), WireFormat::kProtobuf, std::move(frame), kInvalid, std::move(fragment)};
}

std::vector<Refused> RefusedReports() {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  return {
      Binary("no fields", Call(kReport, RawMessage()), "report: lat is missing"),
      Binary("no longitude", Call(kReport, RawMessage().Double(1, 1).Varint(3, 1)),
             "report: lng is missing"),
      Binary("no time", Call(kReport, RawMessage().Double(1, 1).Double(2, 1)),
             "report: reported_at_ms is missing"),
      Binary("latitude 91", Call(kReport, Report(91, 0, 1)), "report: latitude 91 lies outside"),
      Binary("longitude", Call(kReport, Report(0, -180.5, 1)),
             "report: longitude -180.5 lies outside"),
      Binary("NaN", Call(kReport, Report(nan, 0, 1)), "report: latitude is not a finite number"),
      Binary("infinity", Call(kReport, Report(0, -infinity, 1)),
             "report: longitude is not a finite number"),
      Binary("late", Call(kReport, Report(0, 0, kTooLate)),
             "report: reported_at_ms 9007199254740993 lies outside"),
      Binary("early", Call(kReport, Report(0, 0, -kTooLate)),
             "report: reported_at_ms -9007199254740993 lies outside"),
  };
}

std::vector<Refused> RefusedCalls() {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto init_radius = [](double radius_m) {
    return Call(kInit, RawMessage().Double(2, radius_m));
  };
  const auto page = [](const std::string& token) {
    return Call(kNearby, RawMessage().Bytes(2, token));
  };
  return {
      Binary("location", Call(kInit, RawMessage().Message(1, Report(91, 0, 1))),
             "init: location: latitude 91"),
      Binary("empty location", Call(kInit, RawMessage().Message(1, RawMessage())),
             "init: location: lat is missing"),
      Binary("negative radius", init_radius(-1), "init: radius"),
      Binary("huge radius", init_radius(20'100'001), "init: radius"),
      Binary("radius NaN", init_radius(nan), "init: radius"),
      Binary("subscribe", Call(kSubscribe, RawMessage()), "subscribe: friend_id is missing"),
      Binary("unsubscribe", Call(kUnsubscribe, RawMessage()), "unsubscribe: friend_id is missing"),
      Binary("page size 1001", Call(kNearby, RawMessage().Varint(1, 1001)),
             "nearby: page_size 1001 lies outside 0 .. 1000"),
      Binary("page size 2^32 - 1", Call(kNearby, RawMessage().Varint(1, 0xFFFFFFFF)),
             "nearby: page_size 4294967295 lies outside"),
      Binary("short token", page("\x01"), "nearby: page_token: not a page token"),
      Binary("token of another version", page("\x02" + std::string(16, '\0')),
             "nearby: page_token: not a page token"),
      Binary("token with a negative distance", page("\x01" + std::string(16, '\xFF')),
             "nearby: page_token: not a page token"),
  };
}

std::vector<Refused> RefusedFrames() {
  const std::string whole = Call(kSubscribe, RawMessage().Varint(1, 5));
  RawMessage open_groups;
  RawMessage closed_groups;
  for (int i = 0; i < 2000; ++i) open_groups.GroupBegin(100);
  for (int i = 0; i < 1000; ++i) closed_groups.GroupBegin(100);
  for (int i = 0; i < 1000; ++i) closed_groups.GroupEnd(100);
  Refused trailing = Binary("bytes behind the message", whole + "\x07", "malformed protobuf");
  Refused no_id = Binary("no bytes of a message", "\xFF\xFF\xFF", "malformed protobuf");
  no_id.request_id = 0;
  Refused long_frame = {"oversize", WireFormat::kProtobuf, whole + std::string(4096, '\0'),
                        absl::StatusCode::kResourceExhausted,
                        "a frame of 4101 bytes, where at most 4096 are taken"};
  long_frame.frame.resize(4101);
  long_frame.request_id = 0;
  return {
      Binary("truncated", whole.substr(0, whole.size() - 1), "malformed protobuf"),
      trailing,
      no_id,
      long_frame,
      Binary("field number 0", Begin().Raw(std::string("\0\0", 2)).bytes(), "malformed protobuf"),
      Binary("length beyond the end", Begin().Raw("\x12\x7F").bytes(), "malformed protobuf"),
      Binary("length of 2^64 - 1", Begin().Raw("\x12").bytes() + std::string(9, '\xFF') + "\x01",
             "malformed protobuf"),
      Binary("wrong end of a group", Begin().GroupBegin(9).GroupEnd(10).bytes(),
             "malformed protobuf"),
      Binary("groups without end", Begin().Raw(open_groups.bytes()).bytes(), "malformed protobuf"),
      Binary("deep groups", Begin().Raw(closed_groups.bytes()).bytes(), "malformed protobuf"),
  };
}

TEST(ClientCodec, MalformedProtobufIsRefused) {
  ExpectRefused(RefusedReports());
  ExpectRefused(RefusedCalls());
  ExpectRefused(RefusedFrames());
}

TEST(ClientCodec, WithoutAKnownCallAMessageIsUnimplemented) {
  const auto unimplemented = [](std::string what, WireFormat format, std::string frame) {
    return Refused{std::move(what), format, std::move(frame), absl::StatusCode::kUnimplemented,
                   "no call that this server knows"};
  };
  Refused empty = unimplemented("empty", WireFormat::kProtobuf, "");
  empty.request_id = 0;
  ExpectRefused({
      empty,
      unimplemented("no call", WireFormat::kProtobuf, Begin().bytes()),
      unimplemented("a later call", WireFormat::kProtobuf,
                    Begin().Message(7, RawMessage().Varint(1, 1)).bytes()),
      unimplemented("a host's own call", WireFormat::kProtobuf, Begin().Varint(1500, 1).bytes()),
      unimplemented("JSON: no call", WireFormat::kJson, R"({"requestId":77})"),
      unimplemented("JSON: a later call", WireFormat::kJson,
                    R"({"requestId":77,"wave":{"a":[1]}})"),
      unimplemented("JSON: null", WireFormat::kJson, R"({"requestId":77,"report":null})"),
  });
}

Refused Json(std::string frame, std::string fragment, std::uint64_t request_id = kRequestId) {
  Refused refused{frame.substr(0, 100), WireFormat::kJson, frame, kInvalid, std::move(fragment)};
  refused.request_id = request_id;
  return refused;
}

std::string Repeat(const std::string& text, int times) {
  std::string repeated;
  for (int i = 0; i < times; ++i) repeated += text;
  return repeated;
}

TEST(ClientCodec, MalformedJsonIsRefused) {
  const std::string malformed = "malformed JSON: ";
  ExpectRefused({
      Json("", malformed, 0),
      Json(" ", malformed, 0),
      Json("null", malformed + "Root", 0),
      Json("5", malformed + "Root", 0),
      Json("[]", malformed + "Root", 0),
      Json("\xFF\xFE", malformed, 0),
      Json("\xEF\xBB\xBF{\"init\":{}}", malformed, 0),
      Json(R"({"requestId":77,"init":{})", malformed),
      Json(R"({"requestId":77,"init":{}} x)", malformed),
      Json(R"({"requestId":77,"init":{}}{})", malformed),
      Json(std::string("{\"requestId\":77,\"init\":{}}\0", 27), malformed),
      Json("{\"requestId\":77,\"init\":{\"x\":\"\xFF\"}}", malformed),
      Json("{'requestId':77,'init':{}}", malformed + "single quotes", 0),
      Json(R"({"requestId":77,"init":{},"report":{}})", malformed),
      Json(R"({"requestId":77,"init":[]})", malformed),
      Json(R"({"requestId":77,"init":3})", malformed),
      Json(R"({"requestId":-1,"init":{}})", malformed, 0),
      Json(R"({"requestId":1.5,"init":{}})", malformed, 0),
      Json(R"({"requestId":18446744073709551616,"init":{}})", malformed, 0),
      Json(R"({"requestId":"77","subscribe":{"friendId":-1}})", malformed),
      Json(R"({"requestId":"77","subscribe":{"friendId":true}})", malformed),
      Json(R"({"requestId":"77","subscribe":{"friend":1}})", "subscribe: friend_id is missing"),
      Json(R"({"requestId":"77","subscribe":{"friendId":null}})", "friend_id is missing"),
      Json(R"({"request_id":77,"nearby":{"pageSize":-1}})", malformed),
      Json(R"({"request_id":77,"nearby":{"pageSize":5000}})", "nearby: page_size 5000"),
      Json(R"({"request_id":77,"nearby":{"pageToken":"?"}})", malformed),
      Json(R"({"request_id":77,"nearby":{"pageToken":"AQ=="}})", "nearby: page_token: not a"),
      Json(R"({"requestId":77,"init":{"radiusM":"Infinity"}})", "init: radius inf"),
      Json(R"({"requestId":77,"init":{"radiusM":-0.5}})", "init: radius -0.5"),
  });
}

TEST(ClientCodec, MalformedJsonReportsAreRefused) {
  const auto report = [](const std::string& lat, const std::string& at) {
    return absl::StrCat(R"({"requestId":"77","report":{"lat":)", lat, R"(,"lng":2,"reportedAtMs":)",
                        at, "}}");
  };
  const std::string malformed = "malformed JSON: ";
  ExpectRefused({
      Json(report("91", "1"), "report: latitude 91 lies outside"),
      Json(report("\"NaN\"", "1"), "report: latitude is not a finite number"),
      Json(report("\"-Infinity\"", "1"), "report: latitude is not a finite number"),
      Json(report("NaN", "1"), malformed),
      Json(report("1e999", "1"), malformed),
      Json(report("\"\"", "1"), malformed + "(report.lat): invalid value"),
      Json(report("\"north\"", "1"), malformed + "(report.lat): invalid value"),
      Json(report("null", "1"), "report: lat is missing"),
      Json(report("[1]", "1"), malformed),
      Json(report("1", "1.5"), malformed + "(report.reported_at_ms): invalid value"),
      Json(report("1", "\"9007199254740993\""), "report: reported_at_ms 9007199254740993"),
      Json(report("1", "-9007199254740994"), "report: reported_at_ms -9007199254740994"),
      Json(report("1", "9223372036854775808"), malformed),
      Json(R"({"requestId":77,"report":{"latitude":1,"lng":2,"reportedAtMs":3}})",
           "report: lat is missing"),
  });
}

TEST(ClientCodec, JsonNestsOnlySoDeep) {
  const std::string deep = "nested more than 32 deep";
  ExpectRefused({
      Json(Repeat("[", 4096), deep, 0),
      Json(Repeat(R"({"x":)", 800), deep, 0),
      Json(R"({"requestId":77,"x":)" + Repeat("[", 1000) + Repeat("]", 1000) + "}", deep),
      Json(R"({"requestId":77,"init":{"location":)" + Repeat(R"({"x":)", 100) + "1" +
               Repeat("}", 100) + "}}",
           deep),
      Json(R"({'"':)" + Repeat("[", 1000) + Repeat("]", 1000) + R"(,"b":'"'})", "single quotes", 0),
  });
  const std::string shallow =
      R"({"requestId":77,"x":)" + Repeat("[", 31) + Repeat("]", 31) + R"(,"init":{}})";
  EXPECT_TRUE(ClientDecoder().Decode(WireFormat::kJson, shallow).ok());
}

// --- what is accepted
// -----------------------------------------------------------------------------

std::string Decoded(WireFormat format, const std::string& frame) {
  const absl::StatusOr<ClientCall> call = ClientDecoder().Decode(format, frame);
  return call.ok() ? ToText(*call) : call.status().ToString();
}

TEST(ClientCodec, JsonNumbersMayBeStrings) {
  const std::string expected = ToText(
      ClientCall{9'007'199'254'740'993u, ReportCall{{1.5, -2}, Time::Millis(1'700'000'000'123)}});
  const std::string begin = R"({"requestId":"9007199254740993","report":{)";
  EXPECT_EQ(
      Decoded(WireFormat::kJson, begin + R"("lat":1.5,"lng":-2,"reportedAtMs":"1700000000123"}})"),
      expected);
  EXPECT_EQ(Decoded(WireFormat::kJson,
                    begin + R"("lat":"1.5","lng":"-2","reportedAtMs":1700000000123}})"),
            expected);
  EXPECT_EQ(Decoded(WireFormat::kJson,
                    begin + R"("lat":15e-1,"lng":-2.0,"reported_at_ms":1.700000000123e12}})"),
            expected);
  EXPECT_EQ(
      Decoded(WireFormat::kJson, R"({ "subscribe" : { "friendId" : 18446744073709551615 } })"),
      ToText(ClientCall{0, SubscribeCall{UserId{kMinusOne}}}));
}

TEST(ClientCodec, FieldsOfLaterVersionsAreIgnored) {
  const std::string expected =
      ToText(ClientCall{kRequestId, InitCall{ReportCall{{1, 2}, Time::Millis(3)}, 4.0}});
  RawMessage later;
  later.Varint(90, 5)
      .Double(91, 1)
      .Fixed32(92, 1)
      .Bytes(93, "\xFF\xFE")
      .GroupBegin(94)
      .GroupEnd(94);
  const RawMessage report = RawMessage().Raw(later.bytes()).Raw(Report(1, 2, 3).bytes());
  const RawMessage init = RawMessage().Message(1, report).Raw(later.bytes()).Double(2, 4);
  EXPECT_EQ(
      Decoded(WireFormat::kProtobuf,
              RawMessage().Raw(later.bytes()).Message(kInit, init).Raw(Begin().bytes()).bytes()),
      expected);
  EXPECT_EQ(Decoded(WireFormat::kJson,
                    R"({"later":[{"a":null}],"requestId":"77","init":{"mood":"fine","location":{
                  "lat":1,"altitude":"500","lng":2,"reportedAtMs":3},"radiusM":4}})"),
            expected);
}

TEST(ClientCodec, OfSeveralCallsTheLastCounts) {
  EXPECT_EQ(Decoded(WireFormat::kProtobuf, Begin()
                                               .Message(kReport, Report(1, 2, 3))
                                               .Message(kSubscribe, RawMessage().Varint(1, 4))
                                               .bytes()),
            ToText(ClientCall{kRequestId, SubscribeCall{UserId{4}}}));
}

TEST(ClientCodec, TheEndsOfTheRangesAreIn) {
  EXPECT_EQ(Decoded(WireFormat::kProtobuf, Call(kReport, Report(-90, 180, kTooLate - 1))),
            ToText(ClientCall{kRequestId, ReportCall{{-90, 180}, Time::Millis(kMaxTimeMs)}}));
  EXPECT_EQ(Decoded(WireFormat::kProtobuf, Call(kInit, RawMessage().Double(2, 0))),
            ToText(ClientCall{kRequestId, InitCall{{}, 0.0}}));
  EXPECT_EQ(Decoded(WireFormat::kProtobuf, Call(kInit, RawMessage().Double(2, 20'100'000))),
            ToText(ClientCall{kRequestId, InitCall{{}, 20'100'000.0}}));
  EXPECT_EQ(Decoded(WireFormat::kProtobuf, Call(kSubscribe, RawMessage().Varint(1, 0))),
            ToText(ClientCall{kRequestId, SubscribeCall{UserId{0}}}));
}

}  // namespace
}  // namespace nearby
