#include "examples/echo_server/friends_import.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <future>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "examples/adapters/sqlite_friend_store.h"
#include "nearby/friend_store.h"
#include "nearby/ids.h"

namespace echo_server {
namespace {

using nearby::UserId;

class FriendsImportTest : public ::testing::Test {
 protected:
  ~FriendsImportTest() override {
    for (const char* const suffix : {"", "-wal", "-shm"}) std::remove((db_ + suffix).c_str());
    std::remove(friends_.c_str());
  }

  std::size_t FriendsOf(std::uint64_t user) {
    auto store = adapters::SqliteFriendStore::Open(db_).value();
    std::promise<std::size_t> count;
    store->List(UserId{user}, [&count](const absl::StatusOr<nearby::FriendList>& list) {
      count.set_value(list.value().friends.size());
    });
    return count.get_future().get();
  }

  const std::string base_ = absl::StrCat(::testing::TempDir(), "/friends_import_", getpid());
  const std::string db_ = base_ + ".db";
  const std::string friends_ = base_ + ".tsv";
};

TEST_F(FriendsImportTest, AddsToWhatIsThere) {
  std::ofstream(friends_) << "1\t2\n2 1\n1 3\n";
  ASSERT_TRUE(ImportFriends(friends_, db_).ok());
  std::ofstream(friends_) << "1 2\n1 4\n";
  ASSERT_TRUE(ImportFriends(friends_, db_).ok());
  EXPECT_EQ(FriendsOf(1), 3u);
  EXPECT_EQ(FriendsOf(4), 1u);
}

TEST_F(FriendsImportTest, TakesNothingOfAFileThatIsWrong) {
  std::ofstream(friends_) << "1 2\n1 x\n";
  EXPECT_EQ(ImportFriends(friends_, db_).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(FriendsOf(1), 0u);
}

}  // namespace
}  // namespace echo_server
