#include "examples/echo_server/authenticator.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace echo_server {
namespace {

using nearby::Time;
using nearby::UserId;

constexpr char kSecret[] = "0123456789abcdef0123456789abcdef";
constexpr Time kNow = Time::Millis(1'700'000'000'000);

std::string Token(std::uint64_t user, bool is_admin = false) {
  return TokenKey::Create(kSecret)->Sign({UserId{user}, 1'800'000'000, is_admin});
}

class AuthenticatorTest : public ::testing::Test {
 protected:
  absl::StatusOr<Identity> Identify(const std::string& authorization, const std::string& target) {
    return secure_.Identify(authorization, ParseTarget(target).value(), kNow);
  }

  Authenticator secure_{TokenKey::Create(kSecret).value()};
  Authenticator insecure_ = Authenticator::Insecure();
};

TEST_F(AuthenticatorTest, TakesTheHeaderOrTheParameter) {
  EXPECT_EQ(Identify("Bearer " + Token(7), "/ws")->user, UserId{7});
  EXPECT_EQ(Identify("bearer " + Token(7), "/ws")->user, UserId{7});
  EXPECT_EQ(Identify("", "/ws?token=" + Token(8))->user, UserId{8});
  EXPECT_EQ(Identify("Bearer " + Token(7), "/ws?token=" + Token(8))->user, UserId{7});
  EXPECT_EQ(Identify("", "/ws?token=" + Token(8))->expires_at, Time::Millis(1'800'000'000'000));
}

TEST_F(AuthenticatorTest, RefusesWhoHasNoToken) {
  EXPECT_TRUE(absl::IsUnauthenticated(Identify("", "/ws").status()));
  EXPECT_TRUE(absl::IsUnauthenticated(Identify("", "/ws?user=7").status()));
  EXPECT_TRUE(absl::IsUnauthenticated(Identify("Basic dXNlcjpwYXNz", "/ws").status()));
  EXPECT_TRUE(absl::IsUnauthenticated(Identify("Bearer", "/ws").status()));
  EXPECT_TRUE(absl::IsUnauthenticated(Identify("Bearer  " + Token(7), "/ws").status()));
  EXPECT_TRUE(absl::IsUnauthenticated(Identify(Token(7), "/ws").status()));
}

TEST_F(AuthenticatorTest, LetsUsersActForThemselvesAndAdminsForAll) {
  EXPECT_TRUE(secure_.Authorize("Bearer " + Token(7), UserId{7}, kNow).ok());
  EXPECT_FALSE(secure_.Authorize("Bearer " + Token(7), UserId{7}, kNow)->is_admin);
  EXPECT_TRUE(
      absl::IsPermissionDenied(secure_.Authorize("Bearer " + Token(7), UserId{8}, kNow).status()));
  EXPECT_TRUE(absl::IsUnauthenticated(secure_.Authorize("", UserId{7}, kNow).status()));
  EXPECT_TRUE(secure_.Authorize("Bearer " + Token(7, true), UserId{8}, kNow)->is_admin);
}

TEST_F(AuthenticatorTest, InsecurelyBelievesEverything) {
  EXPECT_EQ(insecure_.Identify("", ParseTarget("/ws?user=7").value(), kNow)->user, UserId{7});
  EXPECT_EQ(insecure_.Identify("", ParseTarget("/ws?user=7").value(), kNow)->expires_at,
            nearby::kNever);
  EXPECT_TRUE(
      absl::IsInvalidArgument(insecure_.Identify("", ParseTarget("/ws").value(), kNow).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(
      insecure_.Identify("", ParseTarget("/ws?user=-7").value(), kNow).status()));
  EXPECT_EQ(insecure_.Authorize("", UserId{9}, kNow)->user, UserId{9});
  EXPECT_FALSE(insecure_.Authorize("", UserId{9}, kNow)->is_admin);
}

TEST_F(AuthenticatorTest, InsecurelyPagesOfThisMachineAloneMayAsk) {
  for (const char* const origin :
       {"", "http://localhost", "https://LocalHost:3000", "http://127.0.0.1:8080",
        "http://127.255.0.1", "http://[::1]", "http://[::1]:8080"}) {
    EXPECT_TRUE(insecure_.CheckOrigin(origin).ok()) << origin;
  }
  for (const char* const origin :
       {"null", "localhost", "https://example.com", "https://example.com:80",
        "http://localhost.example.com", "http://127.0.0.1.example.com", "http://127.example.com",
        "http://example.com/localhost", "http://localhost@example.com", "http://128.0.0.1",
        "http://10.0.0.1", "http://[::2]", "http://[::1", "http://[::1].example.com", "http://",
        "://", " ", "http://0.0.0.0:8080"}) {
    EXPECT_TRUE(absl::IsPermissionDenied(insecure_.CheckOrigin(origin))) << origin;
    EXPECT_TRUE(secure_.CheckOrigin(origin).ok()) << origin;
  }
}

TEST(ParseUser, TakesDigitsAlone) {
  EXPECT_EQ(ParseUser("18446744073709551615").value(), UserId{18446744073709551615u});
  EXPECT_EQ(ParseUser("0").value(), UserId{0});
  for (const char* const text :
       {"", "+7", "-7", " 7", "7 ", "0x7", "18446744073709551616", "7.0"}) {
    EXPECT_FALSE(ParseUser(text).ok()) << text;
  }
}

}  // namespace
}  // namespace echo_server
