#include "examples/echo_server/http_target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/status/status.h"

namespace echo_server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsNull;
using ::testing::Pointee;

TEST(HttpTarget, IsTakenApart) {
  const HttpTarget target = ParseTarget("/v1/users/7?page_size=20&token=a%2Bb+c&x").value();
  EXPECT_THAT(target.segments, ElementsAre("v1", "users", "7"));
  EXPECT_THAT(target.Find("page_size"), Pointee(std::string("20")));
  EXPECT_THAT(target.Find("token"), Pointee(std::string("a+b c")));
  EXPECT_THAT(target.Find("x"), Pointee(std::string()));
  EXPECT_THAT(target.Find("y"), IsNull());
}

TEST(HttpTarget, KeepsEmptyAndEncodedSegmentsApart) {
  EXPECT_THAT(ParseTarget("/")->segments, ElementsAre(""));
  EXPECT_THAT(ParseTarget("//a/")->segments, ElementsAre("", "a", ""));
  EXPECT_THAT(ParseTarget("/a%2Fb")->segments, ElementsAre("a/b"));
  EXPECT_THAT(ParseTarget("/a+b")->segments, ElementsAre("a+b"));
}

TEST(HttpTarget, RefusesWhatIsWrong) {
  for (const std::string& target :
       {std::string(), std::string("a"), std::string("*"), std::string("http://a/b"),
        std::string("/%"), std::string("/%4"), std::string("/%zz"), std::string("/?a=%f"),
        std::string("/?a=1&a=2"), std::string("/?a=1&%61=2"), "/" + std::string(3000, 'a')}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseTarget(target).status())) << target;
  }
}

}  // namespace
}  // namespace echo_server
