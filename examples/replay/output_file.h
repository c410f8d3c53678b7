#ifndef EXAMPLES_REPLAY_OUTPUT_FILE_H_
#define EXAMPLES_REPLAY_OUTPUT_FILE_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace replay {

/// A file that appears whole or not at all: what is written goes to a temporary file beside the
/// target, which takes the target's place on Commit and is removed if there is none. Standard
/// output, pipes and devices cannot be replaced; they are written as it comes.
///
/// Thread-compatible. Owns the file.
class OutputFile {
 public:
  /// `path` may be "-" for standard output. `InvalidArgument` if it cannot be written.
  static absl::StatusOr<std::unique_ptr<OutputFile>> Create(const std::string& path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  /// Room for `size` bytes more, at most kMaxReserve, to be filled from the front; `Advance` says
  /// up to where. Writes what has gathered when the buffer is full.
  static constexpr std::size_t kMaxReserve = 4096;
  char* Reserve(std::size_t size);
  void Advance(const char* end) { used_ = static_cast<std::size_t>(end - buffer_.data()); }

  void Append(absl::string_view text);

  /// Writes what has gathered.
  void Flush();

  /// The first error in writing, if any: `DataLoss`. What is appended after it is dropped.
  const absl::Status& status() const { return status_; }

  /// Writes what has gathered and puts the file in its place. `DataLoss` if any of it failed; the
  /// target is then as it was.
  absl::Status Commit();

 private:
  OutputFile(std::string target, std::string temporary, int descriptor);

  void Fail(absl::string_view action);

  std::string target_;
  std::string temporary_;  // empty if written in place
  int descriptor_;         // -1 once closed
  std::vector<char> buffer_;
  std::size_t used_ = 0;
  absl::Status status_;
};

/// From now on SIGINT, SIGTERM, SIGHUP and SIGPIPE remove the temporary files of this process
/// before they end it, unless they are ignored.
void RemoveTemporaryFilesOnSignals();

}  // namespace replay

#endif  // EXAMPLES_REPLAY_OUTPUT_FILE_H_
