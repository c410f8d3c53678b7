#include "benchmarks/capacity/exporter.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "benchmarks/capacity/random.h"
#include "benchmarks/capacity/trace.h"
#include "benchmarks/capacity/world.h"

namespace capacity {
namespace {

/// A file of text, written in large pieces.
class TextFile {
 public:
  explicit TextFile(std::string path)
      : path_(std::move(path)), file_(std::fopen(path_.c_str(), "w")) {}
  ~TextFile() {
    if (file_ != nullptr) std::fclose(file_);
  }
  TextFile(const TextFile&) = delete;
  TextFile& operator=(const TextFile&) = delete;

  std::string* buffer() {
    constexpr std::size_t kEnough = 1 << 20;
    if (buffer_.size() >= kEnough) Flush();
    return &buffer_;
  }
  absl::Status Close() {
    Flush();
    const bool closed = file_ != nullptr && std::fclose(file_) == 0;
    file_ = nullptr;
    if (closed && is_good_) return absl::OkStatus();
    return absl::DataLossError(absl::StrCat(path_, ": cannot write"));
  }

 private:
  void Flush() {
    is_good_ = is_good_ && file_ != nullptr &&
               std::fwrite(buffer_.data(), 1, buffer_.size(), file_) == buffer_.size();
    buffer_.clear();
  }

  std::string path_;
  std::FILE* file_;
  std::string buffer_;
  bool is_good_ = true;
};

absl::Status WriteFriends(const World& world, const std::string& path) {
  TextFile file(path);
  for (std::uint32_t user = 0; user < world.size(); ++user) {
    for (const std::uint32_t other : world.FriendsOf(user)) {
      if (other < user) continue;
      absl::StrAppend(file.buffer(), nearby::ToInt(IdOf(user)), "\t", nearby::ToInt(IdOf(other)),
                      "\n");
    }
  }
  return file.Close();
}

absl::Status WriteTrace(const World& world, const Flags& flags, const std::string& path) {
  TextFile file(path);
  Trace trace(world, flags.seed);
  std::uint64_t left =
      flags.export_reports > 0 ? flags.export_reports : 2 * std::uint64_t{flags.users};
  std::vector<TracedReport> reports;
  while (left > 0) {
    const std::size_t count = std::min<std::uint64_t>(left, 1 << 16);
    left -= count;
    reports.clear();
    trace.Next(count, &reports);
    for (const TracedReport& report : reports) {
      // Ten decimals are a hundredth of a millimetre: what the engine rounds to is the same.
      absl::StrAppendFormat(file.buffer(), "%d\t%d.%03d\t%.10f\t%.10f\n",
                            nearby::ToInt(IdOf(report.user)), report.time.ms / 1000,
                            report.time.ms % 1000, report.location.lat, report.location.lng);
    }
  }
  return file.Close();
}

}  // namespace

absl::Status Export(const Flags& flags) {
  const World world = MakeWorld({flags.users, flags.friends, flags.seed});
  absl::Status status = WriteFriends(world, absl::StrCat(flags.export_dir, "/friends.tsv"));
  if (!status.ok()) return status;
  return WriteTrace(world, flags, absl::StrCat(flags.export_dir, "/trace.tsv"));
}

}  // namespace capacity
