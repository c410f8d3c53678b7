#ifndef EXAMPLES_REPLAY_LINE_READER_H_
#define EXAMPLES_REPLAY_LINE_READER_H_

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace replay {

/// Reads a text file line by line, as it is or through gzip, whichever it turns out to be.
///
///   absl::string_view line;
///   while (reader.Next(&line)) { ... }
///   if (!reader.status().ok()) ...
///
/// Thread-compatible. Owns the file. All errors are `InvalidArgument` in the form
/// "file:line: reason", or "file: reason" if the file cannot be opened.
class LineReader {
 public:
  /// Longer lines than this are an error: no trace has them, and memory stays bounded.
  static constexpr std::size_t kMaxLineBytes = std::size_t{64} * 1024;

  /// `path` may be "-" for standard input.
  static absl::StatusOr<LineReader> Open(const std::string& path);

  /// The next line, without its end; valid until the next call. False at the end of the file, and
  /// on an error, which `status` then bears.
  bool Next(absl::string_view* line);
  const absl::Status& status() const { return status_; }

  /// Of the line last read, counted from 1.
  std::uint64_t line_number() const { return line_number_; }
  /// "file:line: reason".
  absl::Status ErrorAt(std::uint64_t line_number, absl::string_view reason) const;

  /// Bytes of the file consumed, compressed if it is, and how many there are; for a pipe nobody
  /// knows.
  std::uint64_t bytes_consumed() const;
  std::optional<std::uint64_t> file_size() const { return file_size_; }

 private:
  struct Closer {
    void operator()(gzFile file) const { gzclose(file); }
  };

  LineReader(std::string name, gzFile file, std::optional<std::uint64_t> file_size);

  // Moves what is left to the front of the buffer and reads on behind it. Sets at_end_ or status_
  // if there is no more.
  void Fill();
  // Counts a line, and checks it.
  bool Accept(absl::string_view line);
  void Fail(absl::string_view reason);

  std::string name_;
  std::unique_ptr<gzFile_s, Closer> file_;
  std::optional<std::uint64_t> file_size_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;  // of what has not been handed out
  std::size_t end_ = 0;
  bool at_end_ = false;
  std::uint64_t line_number_ = 0;
  absl::Status status_;
};

}  // namespace replay

#endif  // EXAMPLES_REPLAY_LINE_READER_H_
