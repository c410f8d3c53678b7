#include "examples/adapters/file_ring_source.h"

#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "examples/adapters/ring_file.h"
#include "gtest/gtest.h"
#include "nearby/testing/conformance_gtest.h"
#include "nearby/testing/ring_source_conformance.h"

namespace adapters {
namespace {

// A name that nobody has, in a directory of the tests.
std::string NewPath() {
  static std::atomic<int> number{0};
  return absl::StrCat(::testing::TempDir(), "/ring_", getpid(), "_", ++number);
}

// As an operator would: another file, then a rename.
void Replace(const std::string& path, const std::string& text) {
  static std::atomic<int> number{0};
  const std::string fresh = absl::StrCat(path, ".new", ++number);
  std::ofstream(fresh) << text;
  ASSERT_EQ(std::rename(fresh.c_str(), path.c_str()), 0);
}

std::string TextOf(std::uint64_t version, const std::string& server = "127.0.0.1:7000") {
  return absl::StrCat("version ", version, "\nseat a 100 ", server, "\n");
}

FileRingSource::Options Quick() {
  FileRingSource::Options options;
  options.interval = absl::Milliseconds(5);
  return options;
}

TEST(RingFileTest, ReadsVersionAndSeats) {
  const absl::StatusOr<RingFile> file = ParseRingFile(
      "# the ring\n\nversion 18446744073709551615\n\tseat a 100 10.0.0.1:6379\r\n"
      "seat b 0 [::1]:6379  # being emptied");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(ToInt(file->version), 18446744073709551615u);
  const std::vector<nearby::RingSeat> seats = {{"a", 100, "10.0.0.1:6379"}, {"b", 0, "[::1]:6379"}};
  EXPECT_EQ(file->seats, seats);
}

TEST(RingFileTest, SaysWhatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "there is no version"},
      {"version 1\n", "there is no seat"},
      {"seat a 1 h:1\n", "there is no version"},
      {"version 1\nversion 2\nseat a 1 h:1\n", "line 2: a second version"},
      {"version -1\nseat a 1 h:1\n", "line 1: \"version NUMBER\" expected"},
      {"version 1 2\nseat a 1 h:1\n", "line 1: \"version NUMBER\" expected"},
      {"version 1\nseat a 1\n", "line 2: \"seat NAME WEIGHT SERVER\" expected"},
      {"version 1\nseat a x h:1\n", "line 2: \"seat NAME WEIGHT SERVER\" expected"},
      {"version 1\nseat a 1 h:1 more\n", "line 2: \"seat NAME WEIGHT SERVER\" expected"},
      {"version 1\nseats a 1 h:1\n", "line 2: \"version\" or \"seat\" expected"},
  };
  for (const auto& [text, why] : cases) {
    const absl::StatusOr<RingFile> file = ParseRingFile(text);
    EXPECT_EQ(file.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_EQ(file.status().message(), why) << text;
  }
}

TEST(FileRingSourceTest, SaysHowTheFirstReadWent) {
  const std::string path = NewPath();
  EXPECT_EQ(FileRingSource(path, Quick()).first_read().code(), absl::StatusCode::kNotFound);
  Replace(path, "");
  EXPECT_EQ(FileRingSource(path, Quick()).first_read().code(), absl::StatusCode::kInvalidArgument);
  Replace(path, TextOf(1) + TextOf(2));
  EXPECT_TRUE(absl::StrContains(FileRingSource(path, Quick()).first_read().message(), path));
  Replace(path, TextOf(1));
  EXPECT_TRUE(FileRingSource(path, Quick()).first_read().ok());
  std::remove(path.c_str());
}

// Waits for what the source's thread tells.
class Heard {
 public:
  void Add(std::string what) {
    const std::lock_guard<std::mutex> lock(mutex_);
    all_.push_back(std::move(what));
    changed_.notify_all();
  }
  std::string Wait(std::size_t index) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return all_.size() > index; });
    return all_[index];
  }
  std::size_t size() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return all_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> all_;
};

TEST(FileRingSourceTest, KeepsTheLastRingWhenAFileIsNone) {
  const std::string path = NewPath();
  Replace(path, TextOf(5, "127.0.0.1:7000"));
  Heard complaints;
  Heard rings;
  FileRingSource::Options options = Quick();
  options.complain = [&](const absl::Status& why) { complaints.Add(std::string(why.message())); };
  options.check_seat = [](const nearby::RingSeat& seat) {
    return seat.server == "nonsense" ? absl::InvalidArgumentError("nonsense") : absl::OkStatus();
  };
  FileRingSource source(path, std::move(options));
  ASSERT_TRUE(source.first_read().ok()) << source.first_read();
  const auto watcher = source.Watch([&rings](const nearby::RingSource::Ring& ring) {
    rings.Add(absl::StrCat(ToInt(ring->version()), " ", ring->seats()[0].server));
  });
  EXPECT_EQ(rings.Wait(0), "5 127.0.0.1:7000");
  // Each is complained of before the next comes.
  const std::string wrong[] = {"version 6\n", TextOf(6, "nonsense"), TextOf(4),
                               TextOf(5, "127.0.0.1:7001"), "version 6\nseat a 2000 h:1\n"};
  std::size_t count = 0;
  for (const std::string& text : wrong) {
    Replace(path, text);
    EXPECT_TRUE(absl::StrContains(complaints.Wait(count), path)) << text;
    ++count;
  }
  std::remove(path.c_str());
  complaints.Wait(count);
  EXPECT_EQ(rings.size(), 1u);
  Replace(path, TextOf(6, "127.0.0.1:7002"));
  EXPECT_EQ(rings.Wait(1), "6 127.0.0.1:7002");
  EXPECT_EQ(complaints.size(), count + 1) << "each once";
  std::remove(path.c_str());
}

// The file that a test publishes rings in.
struct Publisher {
  ~Publisher() { std::remove(path.c_str()); }
  void Publish(const nearby::HashRing& ring) {
    std::string text = absl::StrCat("version ", ToInt(ring.version()), "\n");
    for (const nearby::RingSeat& seat : ring.seats()) {
      absl::StrAppend(&text, "seat ", seat.name, " ", seat.weight, " ", seat.server, "\n");
    }
    const std::lock_guard<std::mutex> lock(mutex);
    // Who publishes rings in a file does not go back.
    if (ToInt(ring.version()) <= newest) return;
    newest = ToInt(ring.version());
    Replace(path, text);
  }

  const std::string path = NewPath();
  std::mutex mutex;
  std::uint64_t newest = 0;
};

nearby::RingSourceUnderTest MakeSource() {
  nearby::RingSourceUnderTest test;
  const auto publisher = std::make_shared<Publisher>();
  test.keeps = publisher;
  test.adapter = std::make_unique<FileRingSource>(publisher->path, Quick());
  test.publish = [publisher](const nearby::RingSource::Ring& ring) { publisher->Publish(*ring); };
  // A file that is not there is a source that cannot be reached.
  test.stall = [publisher](bool is_stalled) {
    const std::string aside = publisher->path + ".aside";
    const std::string& from = is_stalled ? publisher->path : aside;
    // There may be none yet.
    static_cast<void>(std::rename(from.c_str(), (is_stalled ? aside : publisher->path).c_str()));
  };
  return test;
}

bool Register() {
  nearby::RegisterConformance("FileRingSource", nearby::RingSourceConformance(MakeSource));
  return true;
}

[[maybe_unused]] const bool kRegistered = Register();

}  // namespace
}  // namespace adapters
