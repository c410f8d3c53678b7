#include "examples/replay/output_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/replay/files.h"

namespace replay {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::IsEmpty;

using File = absl::StatusOr<std::unique_ptr<OutputFile>>;

TEST(OutputFile, AppearsWholeOnCommit) {
  const TempDirectory directory;
  const std::string path = directory.Path("out");
  File file = OutputFile::Create(path);
  ASSERT_TRUE(file.ok()) << file.status();
  std::string expected;
  for (int i = 0; i < 100'000; ++i) {
    (*file)->Append("0123456789");
    expected += "0123456789";
  }
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_EQ((*file)->Commit(), absl::OkStatus());
  EXPECT_EQ(ReadFile(path), expected);
  EXPECT_THAT(directory.List(), ElementsAre("out"));
}

TEST(OutputFile, LeavesNothingWithoutCommit) {
  const TempDirectory directory;
  const std::string path = directory.Write("out", "old");
  {
    File fresh = OutputFile::Create(directory.Path("fresh"));
    File file = OutputFile::Create(path);
    ASSERT_TRUE(file.ok() && fresh.ok());
    (*file)->Append(std::string(1'000'000, 'x'));
    (*file)->Flush();
  }
  EXPECT_EQ(ReadFile(path), "old");
  EXPECT_THAT(directory.List(), ElementsAre("out"));
}

TEST(OutputFile, ReplacesAFileAndKeepsItsMode) {
  const TempDirectory directory;
  const std::string path = directory.Write("out", "a long text that was there before");
  ASSERT_EQ(chmod(path.c_str(), 0640), 0);
  File file = OutputFile::Create(path);
  ASSERT_TRUE(file.ok()) << file.status();
  (*file)->Append("new");
  EXPECT_EQ((*file)->Commit(), absl::OkStatus());
  EXPECT_EQ(ReadFile(path), "new");
  struct stat info = {};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0640u);
}

TEST(OutputFile, WritesThroughSymbolicLinks) {
  const TempDirectory directory;
  const std::string path = directory.Write("out", "old");
  const std::string link = directory.Path("link");
  std::filesystem::create_symlink("out", link);
  File file = OutputFile::Create(link);
  ASSERT_TRUE(file.ok()) << file.status();
  (*file)->Append("new");
  EXPECT_EQ((*file)->Commit(), absl::OkStatus());
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_EQ(ReadFile(path), "new");
}

TEST(OutputFile, WritesDevicesAndPipesInPlace) {
  File null = OutputFile::Create("/dev/null");
  ASSERT_TRUE(null.ok()) << null.status();
  (*null)->Append("text");
  EXPECT_EQ((*null)->Commit(), absl::OkStatus());
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));

  const TempDirectory directory;
  const std::string path = directory.Path("pipe");
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  // Open for reading and writing, a pipe waits for nobody.
  std::fstream reader(path, std::ios::in | std::ios::out);
  File pipe = OutputFile::Create(path);
  ASSERT_TRUE(pipe.ok()) << pipe.status();
  (*pipe)->Append("text\n");
  EXPECT_EQ((*pipe)->Commit(), absl::OkStatus());
  std::string line;
  std::getline(reader, line);
  EXPECT_EQ(line, "text");
  EXPECT_TRUE(std::filesystem::is_fifo(path));
  EXPECT_THAT(directory.List(), ElementsAre("pipe"));
}

TEST(OutputFile, RefusesPathsThatCannotBeWritten) {
  const TempDirectory directory;
  const File missing = OutputFile::Create(directory.Path("no/such/out"));
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(missing.status().message()),
              EndsWith("no/such/out: cannot write: No such file or directory"));
  const File folder = OutputFile::Create(directory.Path(""));
  EXPECT_EQ(folder.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(folder.status().message()), EndsWith("cannot write: Is a directory"));
  EXPECT_THAT(directory.List(), IsEmpty());
}

TEST(OutputFile, ReportsAFullDisk) {
  File file = OutputFile::Create("/dev/full");
  if (!file.ok()) GTEST_SKIP() << "no /dev/full here";
  (*file)->Append("text");
  EXPECT_EQ((*file)->status(), absl::OkStatus());
  const absl::Status status = (*file)->Commit();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(status.message(), "/dev/full: cannot write: No space left on device");
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/full"));
}

}  // namespace
}  // namespace replay
