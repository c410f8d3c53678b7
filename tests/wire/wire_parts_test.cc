// The parts of the codec that can be wrong by themselves.

#include <cstdint>
#include <limits>
#include <random>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "nearby/effects.h"
#include "nearby/friendship.h"
#include "nearby/ids.h"
#include "src/wire/friendship_bits.h"
#include "src/wire/json_sketch.h"
#include "src/wire/page_token.h"
#include "src/wire/utf8.h"

namespace nearby::wire {
namespace {

TEST(Utf8, TableOfWellFormedSequences) {
  for (const char* good : {"\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xE1\x80\x80",
                           "\xED\x9F\xBF", "\xEE\x80\x80", "\xEF\xBF\xBF", "\xF0\x90\x80\x80",
                           "\xF3\xBF\xBF\xBF", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(IsUtf8(good)) << good;
    EXPECT_EQ(Utf8Length(good), std::string(good).size());
    EXPECT_FALSE(IsUtf8(std::string(good) + "\x80"));
  }
  for (const char* bad :
       {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2\x7F", "\xC2\xC0", "\xE0\x9F\xBF",
        "\xE1\x80", "\xE1\x80\x7F", "\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF",
        "\xF0\x90\x80", "\xF1\x80\x80\xC0", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF"}) {
    EXPECT_FALSE(IsUtf8(bad));
    EXPECT_EQ(Utf8Length(bad), 0);
  }
  EXPECT_TRUE(IsUtf8(""));
  EXPECT_EQ(Utf8Length(""), 0);
  EXPECT_TRUE(IsUtf8(absl::string_view("\0", 1)));
}

TEST(Utf8, CleanedBytesAreUtf8AndGoodOnesStay) {
  constexpr std::uint64_t seed = 5;
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937_64 random(seed);
  for (int i = 0; i < 10'000; ++i) {
    std::string text;
    while (random() % 16 != 0) text.push_back(static_cast<char>(random() >> random() % 2));
    const std::string clean = CleanUtf8(text, 1000);
    EXPECT_TRUE(IsUtf8(clean));
    EXPECT_EQ(CleanUtf8(clean, 1000), clean);
    if (IsUtf8(text)) {
      EXPECT_EQ(clean, text);
    }
    const std::string cut = CleanUtf8(text, 5);
    EXPECT_LE(cut.size(), 5);
    EXPECT_EQ(cut, clean.substr(0, cut.size()));
  }
}

TEST(PageTokens, RoundTripAndOrder) {
  const PageToken token{20'015'114'353, UserId{std::numeric_limits<std::uint64_t>::max() - 1}};
  const std::string bytes = EncodePageToken(token);
  EXPECT_EQ(bytes.size(), 17);
  EXPECT_EQ(DecodePageToken(bytes)->distance_mm, token.distance_mm);
  EXPECT_EQ(DecodePageToken(bytes)->friend_id, token.friend_id);
  EXPECT_EQ(EncodePageToken(PageToken()), "");
  EXPECT_EQ(DecodePageToken("")->distance_mm, -1);
  EXPECT_FALSE(DecodePageToken(EncodePageToken({20'015'114'354, UserId{0}})).ok());
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    EXPECT_FALSE(DecodePageToken(bytes.substr(0, size)).ok());
  }
  EXPECT_FALSE(DecodePageToken(bytes + "x").ok());
}

TEST(FriendshipBits, EachHasItsOwn) {
  for (std::uint32_t bits = 0; bits <= kFriendshipBits; ++bits) {
    EXPECT_EQ(ToBits(FriendshipFromBits(bits)), bits);
  }
  EXPECT_EQ(ToBits({true, false, false, false, false}), 1);
  EXPECT_EQ(ToBits({false, true, false, false, false}), 2);
  EXPECT_EQ(ToBits({false, false, true, false, false}), 4);
  EXPECT_EQ(ToBits({false, false, false, true, false}), 8);
  EXPECT_EQ(ToBits({false, false, false, false, true}), 16);
}

TEST(JsonSketch, FindsTheRequestIdOfWhatCannotBeParsed) {
  const auto id = [](absl::string_view json) { return SketchJson(json).request_id; };
  EXPECT_EQ(id(R"({"requestId":5)"), 5);
  EXPECT_EQ(id(R"({"requestId":"5)"), 5);
  EXPECT_EQ(id(R"( { "x" : { "requestId" : 4 }, "requestId"  :  " 5" )"), 0);
  EXPECT_EQ(id(R"({"x":{"requestId":4},"request_id" :  "5"})"), 5);
  EXPECT_EQ(id(R"({"x":["requestId",4],"requestId":18446744073709551615}})"),
            std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(id(R"({"x":"requestId","y":4})"), 0);
  EXPECT_EQ(id(R"({"x":"\"requestId\":4","requestId":6,"requestId":7)"), 7);
  EXPECT_EQ(id(R"({"requestId":18446744073709551616})"), 0);
  EXPECT_EQ(id(R"({"requestId":1.5})"), 0);
  EXPECT_EQ(id(R"({"requestId":1e5})"), 0);
  EXPECT_EQ(id(R"({"requestId":-1})"), 0);
  EXPECT_EQ(id(R"({"requestId":null})"), 0);
  EXPECT_EQ(id(R"({"requestId")"), 0);
  EXPECT_EQ(id(R"({"requestId":)"), 0);
  EXPECT_EQ(id("{\"\\"), 0);
  EXPECT_EQ(id("\""), 0);
  EXPECT_EQ(id(""), 0);
}

TEST(JsonSketch, MeasuresDepthOutsideStrings) {
  const auto depth = [](absl::string_view json) { return SketchJson(json).depth; };
  EXPECT_EQ(depth(""), 0);
  EXPECT_EQ(depth("5"), 0);
  EXPECT_EQ(depth("{}"), 1);
  EXPECT_EQ(depth("{}{}[]"), 1);
  EXPECT_EQ(depth("]]}}[{}]"), 2);
  EXPECT_EQ(depth(R"({"[[[\"[[[":"}}","a":[[1]]})"), 3);
  EXPECT_TRUE(SketchJson("{'a':1}").has_single_quote);
  EXPECT_FALSE(SketchJson(R"({"it's":1})").has_single_quote);
}

}  // namespace
}  // namespace nearby::wire
