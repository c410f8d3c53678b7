#include "examples/replay/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace replay {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{256} * 1024;

// The names of temporary files, where a signal handler can read them.
struct TemporaryName {
  volatile std::sig_atomic_t is_set = 0;
  std::array<char, PATH_MAX> path{};
};
std::array<TemporaryName, 4> temporary_names;

void Remember(const std::string& path) {
  for (TemporaryName& name : temporary_names) {
    if (name.is_set != 0 || path.size() >= name.path.size()) continue;
    std::memcpy(name.path.data(), path.c_str(), path.size() + 1);
    name.is_set = 1;
    return;
  }
}

void Forget(const std::string& path) {
  for (TemporaryName& name : temporary_names) {
    if (name.is_set != 0 && path == name.path.data()) name.is_set = 0;
  }
}

void RemoveTemporaryFilesAndDie(int signal_number) {
  for (const TemporaryName& name : temporary_names) {
    if (name.is_set != 0) unlink(name.path.data());
  }
  std::signal(signal_number, SIG_DFL);
  std::raise(signal_number);
}

absl::Status CannotWrite(absl::string_view path, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(path, ": cannot write: ", why));
}

// The descriptor of this process that the path stands for, or -1. Opening such a path anew would
// start at the front of the file behind it, and replacing it would miss what the shell has opened.
int OwnDescriptor(const std::string& path) {
  if (path == "-" || path == "/dev/stdout") return STDOUT_FILENO;
  if (path == "/dev/stderr") return STDERR_FILENO;
  absl::string_view number = path;
  int descriptor = -1;
  if (absl::ConsumePrefix(&number, "/dev/fd/") && absl::SimpleAtoi(number, &descriptor)) {
    return descriptor;
  }
  return -1;
}

// The path with symbolic links resolved, so that the file is replaced and not a link to it.
std::string Resolve(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> resolved(realpath(path.c_str(), nullptr),
                                                             &std::free);
  return resolved == nullptr ? path : std::string(resolved.get());
}

}  // namespace

void RemoveTemporaryFilesOnSignals() {
  for (const int signal_number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) {
    if (std::signal(signal_number, RemoveTemporaryFilesAndDie) == SIG_IGN) {
      std::signal(signal_number, SIG_IGN);
    }
  }
}

OutputFile::OutputFile(std::string target, std::string temporary, int descriptor)
    : target_(std::move(target)),
      temporary_(std::move(temporary)),
      descriptor_(descriptor),
      buffer_(kBufferBytes) {
  if (!temporary_.empty()) Remember(temporary_);
}

absl::StatusOr<std::unique_ptr<OutputFile>> OutputFile::Create(const std::string& path) {
  int descriptor = -1;
  std::string target = path;
  std::string temporary;
  struct stat info = {};
  if (const int own = OwnDescriptor(path); own >= 0) {
    descriptor = dup(own);
    if (path == "-") target = "<stdout>";
  } else if (const bool exists = stat(path.c_str(), &info) == 0; exists && S_ISDIR(info.st_mode)) {
    return CannotWrite(path, std::strerror(EISDIR));
  } else if (exists && !S_ISREG(info.st_mode)) {
    descriptor = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  } else if (!exists || access(path.c_str(), W_OK) == 0) {
    target = Resolve(path);
    temporary = absl::StrCat(target, ".", getpid(), ".partial");
    descriptor = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    // Whoever could read the file that is replaced can read the new one.
    if (descriptor >= 0 && exists) static_cast<void>(fchmod(descriptor, info.st_mode & 0777));
  }
  if (descriptor < 0) return CannotWrite(path, std::strerror(errno));
  return std::unique_ptr<OutputFile>(
      new OutputFile(std::move(target), std::move(temporary), descriptor));
}

OutputFile::~OutputFile() {
  if (descriptor_ >= 0) close(descriptor_);
  if (temporary_.empty()) return;
  unlink(temporary_.c_str());
  Forget(temporary_);
}

char* OutputFile::Reserve(std::size_t size) {
  if (buffer_.size() - used_ < size) Flush();
  return buffer_.data() + used_;
}

void OutputFile::Append(absl::string_view text) {
  while (!text.empty()) {
    const absl::string_view part = text.substr(0, kMaxReserve);
    char* out = Reserve(part.size());
    std::memcpy(out, part.data(), part.size());
    Advance(out + part.size());
    text.remove_prefix(part.size());
  }
}

void OutputFile::Flush() {
  const char* begin = buffer_.data();
  std::size_t left = std::exchange(used_, 0);
  while (left > 0 && status_.ok()) {
    const ssize_t count = write(descriptor_, begin, left);
    if (count >= 0) {
      begin += count;
      left -= static_cast<std::size_t>(count);
    } else if (errno != EINTR) {
      Fail("cannot write");
    }
  }
}

absl::Status OutputFile::Commit() {
  Flush();
  if (close(std::exchange(descriptor_, -1)) != 0 && status_.ok()) Fail("cannot write");
  if (!status_.ok() || temporary_.empty()) return status_;
  if (std::rename(temporary_.c_str(), target_.c_str()) != 0) {
    Fail("cannot put the file in its place");
    return status_;
  }
  Forget(temporary_);
  temporary_.clear();
  return status_;
}

void OutputFile::Fail(absl::string_view action) {
  status_ = absl::DataLossError(absl::StrCat(target_, ": ", action, ": ", std::strerror(errno)));
}

}  // namespace replay
