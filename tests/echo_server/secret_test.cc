#include "examples/echo_server/secret.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "absl/status/status.h"

namespace echo_server {
namespace {

using ::testing::HasSubstr;

const char kSecret[] = "0123456789abcdef0123456789abcdef";

class SecretTest : public ::testing::Test {
 protected:
  SecretTest() { unsetenv(kSecretVariable); }
  ~SecretTest() override { unsetenv(kSecretVariable); }

  std::string File(const std::string& content) {
    const std::string file = ::testing::TempDir() + "/echo_server_secret_" +
                             ::testing::UnitTest::GetInstance()->current_test_info()->name();
    std::ofstream(file, std::ios::binary) << content;
    return file;
  }
};

// Whether the key is that of the secret.
bool IsOf(const TokenKey& key, const std::string& secret) {
  return key.Sign({nearby::UserId{1}, 1, false}) ==
         TokenKey::Create(secret)->Sign({nearby::UserId{1}, 1, false});
}

TEST_F(SecretTest, ComesFromAFileWithoutItsLineBreak) {
  for (const char* const end : {"", "\n", "\r\n"}) {
    const absl::StatusOr<TokenKey> key = LoadTokenKey(File(std::string(kSecret) + end));
    ASSERT_TRUE(key.ok()) << key.status();
    EXPECT_TRUE(IsOf(*key, kSecret));
  }
  EXPECT_TRUE(
      IsOf(*LoadTokenKey(File(std::string(kSecret) + "\n\n")), std::string(kSecret) + "\n"));
}

TEST_F(SecretTest, ComesFromTheEnvironment) {
  EXPECT_TRUE(absl::IsNotFound(LoadTokenKey("").status()));
  setenv(kSecretVariable, kSecret, 1);
  EXPECT_TRUE(IsOf(*LoadTokenKey(""), kSecret));
  setenv(kSecretVariable, "short", 1);
  EXPECT_TRUE(absl::IsInvalidArgument(LoadTokenKey("").status()));
}

TEST_F(SecretTest, SaysWhichFileIsWrong) {
  EXPECT_THAT(std::string(LoadTokenKey("/nowhere/at/all").status().message()),
              HasSubstr("/nowhere/at/all"));
  EXPECT_TRUE(absl::IsInvalidArgument(LoadTokenKey(File("short\n")).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(LoadTokenKey(File(std::string(5000, 'x'))).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(LoadTokenKey(::testing::TempDir()).status()));
}

}  // namespace
}  // namespace echo_server
