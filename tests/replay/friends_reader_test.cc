#include "examples/replay/friends_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "nearby/friend_graph.h"
#include "nearby/ids.h"
#include "tests/replay/files.h"

namespace replay {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(ReadFriends, TakesFriendshipsInEveryForm) {
  const TempDirectory directory;
  const std::string text =
      "# comment\n"
      "1\t2\n"
      "2\t1\n"
      "1 2\r\n"
      "\n"
      "3 3\n"
      "  0\t18446744073709551615";
  for (const std::string& content : {text, Gzipped(text)}) {
    nearby::FriendGraph graph;
    EXPECT_EQ(ReadFriends(directory.Write("friends", content), &graph), absl::OkStatus());
    EXPECT_EQ(graph.friendship_count(), 2u);
    EXPECT_TRUE(graph.Get(nearby::UserId{1}, nearby::UserId{2}).friends);
    EXPECT_TRUE(graph.Get(nearby::UserId{~std::uint64_t{0}}, nearby::UserId{0}).friends);
    EXPECT_EQ(graph.friend_count(nearby::UserId{3}), 0u);
  }
}

TEST(ReadFriends, SaysWhatIsWrongAndWhere) {
  struct Case {
    const char* line;
    const char* reason;
  };
  constexpr Case kCases[] = {
      {"1", "wrong number of fields; a friendship is: user user"},
      {"1 2 3", "wrong number of fields"},
      {"1,2", "wrong number of fields"},
      {"1 -2", "not a user, an unsigned 64-bit number: \"-2\""},
      {"a 2", "not a user, an unsigned 64-bit number: \"a\""},
      {"!befriend 1 2 3", "wrong number of fields"},
  };
  const TempDirectory directory;
  for (const Case& c : kCases) {
    nearby::FriendGraph graph;
    const std::string path = directory.Write("friends", absl::StrCat("1 2\n", c.line, "\n3 4\n"));
    const absl::Status status = ReadFriends(path, &graph);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << c.line;
    EXPECT_THAT(std::string(status.message()), StartsWith(path + ":2: ")) << c.line;
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.reason)) << c.line;
  }
}

TEST(ReadFriends, NamesTheLineThatExceedsTheLimit) {
  const TempDirectory directory;
  nearby::FriendGraph::Options options;
  options.max_friends = 2;
  nearby::FriendGraph graph(options);
  const std::string path = directory.Write("friends", "1 2\n1 3\n3 1\n1 4\n");
  const absl::Status status = ReadFriends(path, &graph);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), StartsWith(path + ":4: "));
}

TEST(ReadFriends, ReportsAMissingFile) {
  nearby::FriendGraph graph;
  const TempDirectory directory;
  const std::string path = directory.Path("missing");
  EXPECT_EQ(ReadFriends(path, &graph).message(), path + ": cannot open: No such file or directory");
}

}  // namespace
}  // namespace replay
