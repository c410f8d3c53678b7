#include "examples/replay/line_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace replay {
namespace {

constexpr std::size_t kBufferBytes = 4 * LineReader::kMaxLineBytes;

absl::Status CannotOpen(absl::string_view path) {
  return absl::InvalidArgumentError(absl::StrCat(path, ": cannot open: ", std::strerror(errno)));
}

std::optional<std::uint64_t> RegularFileSize(int descriptor) {
  struct stat info = {};
  if (fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  return static_cast<std::uint64_t>(info.st_size);
}

}  // namespace

LineReader::LineReader(std::string name, gzFile file, std::optional<std::uint64_t> file_size)
    : name_(std::move(name)), file_(file), file_size_(file_size), buffer_(kBufferBytes) {}

absl::StatusOr<LineReader> LineReader::Open(const std::string& path) {
  const bool standard_input = path == "-";
  const int descriptor =
      standard_input ? dup(STDIN_FILENO) : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return CannotOpen(path);
  const std::optional<std::uint64_t> size = RegularFileSize(descriptor);
  gzFile file = gzdopen(descriptor, "rb");
  if (file == nullptr) {
    close(descriptor);
    return absl::InvalidArgumentError(absl::StrCat(path, ": cannot open: out of memory"));
  }
  gzbuffer(file, kBufferBytes);
  return LineReader(standard_input ? "<stdin>" : path, file, size);
}

bool LineReader::Next(absl::string_view* line) {
  while (status_.ok()) {
    const char* begin = buffer_.data() + begin_;
    const std::size_t left = end_ - begin_;
    const void* newline = left == 0 ? nullptr : std::memchr(begin, '\n', left);
    if (newline != nullptr) {
      *line = absl::string_view(
          begin, static_cast<std::size_t>(static_cast<const char*>(newline) - begin));
      begin_ += line->size() + 1;
      return Accept(*line);
    }
    if (at_end_) {
      if (left == 0) return false;
      // The last line may lack its end.
      *line = absl::string_view(begin, left);
      begin_ = end_;
      return Accept(*line);
    }
    if (left > kMaxLineBytes) return Accept(absl::string_view(begin, left));
    Fill();
  }
  return false;
}

void LineReader::Fill() {
  const std::size_t left = end_ - begin_;
  std::memmove(buffer_.data(), buffer_.data() + begin_, left);
  begin_ = 0;
  end_ = left;
  errno = 0;
  const int count =
      gzread(file_.get(), buffer_.data() + left, static_cast<unsigned>(buffer_.size() - left));
  if (count > 0) {
    end_ += static_cast<std::size_t>(count);
    return;
  }
  const int read_errno = errno;
  int error = Z_OK;
  const char* message = gzerror(file_.get(), &error);
  ++line_number_;  // The error lies in the line that could not be completed.
  if (error == Z_ERRNO) {
    Fail(absl::StrCat("cannot read: ", std::strerror(read_errno)));
  } else if (error == Z_BUF_ERROR ||
             (error == Z_OK && file_size_ == 0u && absl::EndsWith(name_, ".gz"))) {
    // A read that returns nothing leaves this error only in the middle of a gzip stream.
    Fail("the gzip data is truncated");
  } else if (error != Z_OK) {
    Fail(absl::StrCat("the gzip data is corrupt: ", message));
  } else {
    --line_number_;
    at_end_ = true;
  }
}

bool LineReader::Accept(absl::string_view line) {
  ++line_number_;
  if (line.size() > kMaxLineBytes) {
    Fail(absl::StrCat("the line is longer than ", kMaxLineBytes, " bytes"));
  } else if (!line.empty() && std::memchr(line.data(), '\0', line.size()) != nullptr) {
    Fail("the line contains a NUL byte");
  }
  return status_.ok();
}

void LineReader::Fail(absl::string_view reason) { status_ = ErrorAt(line_number_, reason); }

absl::Status LineReader::ErrorAt(std::uint64_t line_number, absl::string_view reason) const {
  return absl::InvalidArgumentError(absl::StrCat(name_, ":", line_number, ": ", reason));
}

std::uint64_t LineReader::bytes_consumed() const {
  const z_off_t offset = gzoffset(file_.get());
  return offset < 0 ? 0 : static_cast<std::uint64_t>(offset);
}

}  // namespace replay
