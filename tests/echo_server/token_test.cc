#include "examples/echo_server/token.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace echo_server {
namespace {

using nearby::Time;
using nearby::UserId;

constexpr char kSecret[] = "0123456789abcdef0123456789abcdef";
constexpr std::int64_t kExpiry = 1'800'000'000;
constexpr Time kBefore = Time::Millis(1000 * kExpiry - 1);

TokenKey Key(const std::string& secret = kSecret) { return TokenKey::Create(secret).value(); }

std::string Message(const absl::StatusOr<TokenClaims>& claims) {
  EXPECT_TRUE(absl::IsUnauthenticated(claims.status())) << claims.status();
  return std::string(claims.status().message());
}

TEST(Token, SaysWhoBearsIt) {
  for (const TokenClaims& wanted :
       {TokenClaims{UserId{7}, kExpiry, false}, TokenClaims{UserId{0}, kExpiry, true},
        TokenClaims{UserId{std::numeric_limits<std::uint64_t>::max()},
                    std::numeric_limits<std::int64_t>::max(), true}}) {
    const absl::StatusOr<TokenClaims> claims = Key().Verify(Key().Sign(wanted), kBefore);
    ASSERT_TRUE(claims.ok()) << claims.status();
    EXPECT_EQ(claims->user, wanted.user);
    EXPECT_EQ(claims->expires_at_s, wanted.expires_at_s);
    EXPECT_EQ(claims->is_admin, wanted.is_admin);
  }
}

// So that tokens may be made by other programs: the mac was computed with Python's hmac.
TEST(Token, IsAsDocumented) {
  const std::string token = Key().Sign({UserId{7}, kExpiry, false});
  EXPECT_EQ(token, "v1.NzoxODAwMDAwMDAwOnVzZXI.oGQzkmc454EyE_u4MzEYwx5Q6IyUEW-RNbLutcpO2pA");
}

TEST(Token, ExpiresWhenItsSecondBegins) {
  const std::string token = Key().Sign({UserId{7}, kExpiry, false});
  EXPECT_TRUE(Key().Verify(token, Time::Millis(1000 * kExpiry - 1)).ok());
  EXPECT_EQ(Message(Key().Verify(token, Time::Millis(1000 * kExpiry))), "the token has expired");
  EXPECT_EQ(Message(Key().Verify(Key().Sign({UserId{7}, 0, false}), Time::Millis(0))),
            "the token has expired");
  EXPECT_TRUE(Key().Verify(Key().Sign({UserId{7}, 0, false}), Time::Millis(-1)).ok());
}

TEST(Token, IsOfOneSecret) {
  const std::string token = Key().Sign({UserId{7}, kExpiry, false});
  EXPECT_EQ(Message(Key("another secret, just as long as it.").Verify(token, kBefore)),
            "the token was not made with this server's secret");
}

TEST(Token, CannotBeAltered) {
  const std::string token = Key().Sign({UserId{7}, kExpiry, false});
  for (std::size_t i = 0; i < token.size(); ++i) {
    for (const char c : {'A', 'B', '0', '.', '=', '\0', ' '}) {
      std::string forged = token;
      if (forged[i] == c) continue;
      forged[i] = c;
      EXPECT_FALSE(Key().Verify(forged, kBefore).ok()) << forged;
    }
    EXPECT_FALSE(Key().Verify(token.substr(0, i), kBefore).ok()) << i;
  }
  // Another's payload under this mac.
  const std::vector<std::string> mine = absl::StrSplit(token, '.');
  const std::vector<std::string> other = absl::StrSplit(
      Key("another secret, just as long as it.").Sign({UserId{8}, kExpiry, true}), '.');
  EXPECT_FALSE(Key().Verify(absl::StrCat("v1.", other[1], ".", mine[2]), kBefore).ok());
}

TEST(Token, HasOneSpelling) {
  const std::string token = Key().Sign({UserId{7}, kExpiry, false});
  for (const std::string& variant :
       {absl::StrCat(token, "="), absl::StrCat(token, "\n"), absl::StrCat(" ", token),
        absl::StrCat(token, "."), absl::StrCat(token, ".x"), absl::StrCat("V1", token.substr(2)),
        absl::StrCat("v2", token.substr(2))}) {
    EXPECT_EQ(Message(Key().Verify(variant, kBefore)), "the token is malformed") << variant;
  }
  // The last character of 43 holds two bits that do not count; only zeros are canonical.
  std::string stray = token;
  const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  stray.back() = alphabet[alphabet.find(stray.back()) + 1];
  EXPECT_EQ(Message(Key().Verify(stray, kBefore)), "the token is malformed");
}

TEST(Token, RefusesWhatIsHuge) {
  EXPECT_FALSE(Key().Verify(std::string(1 << 20, 'a'), kBefore).ok());
  EXPECT_FALSE(Key().Verify(std::string(1 << 20, '.'), kBefore).ok());
  EXPECT_FALSE(Key().Verify("", kBefore).ok());
  EXPECT_FALSE(Key().Verify("v1..", kBefore).ok());
}

TEST(Token, NeedsASecretOfThirtyTwoBytes) {
  EXPECT_TRUE(absl::IsInvalidArgument(TokenKey::Create(std::string(31, 'x')).status()));
  EXPECT_TRUE(TokenKey::Create(std::string(32, 'x')).ok());
}

}  // namespace
}  // namespace echo_server
