#ifndef EXAMPLES_REPLAY_TRACE_WRITER_H_
#define EXAMPLES_REPLAY_TRACE_WRITER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "examples/replay/output_file.h"
#include "examples/replay/trace_sink.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/time.h"

namespace replay {

/// An OutputFile that compresses what it is given if the path ends in ".gz". Standard output, "-",
/// is never compressed. Thread-compatible.
class TextOutput {
 public:
  static absl::StatusOr<std::unique_ptr<TextOutput>> Create(const std::string& path);
  ~TextOutput();
  TextOutput(const TextOutput&) = delete;
  TextOutput& operator=(const TextOutput&) = delete;

  void Append(absl::string_view text);
  /// The first error in writing, if any. What is appended after it is dropped.
  const absl::Status& status() const { return file_->status(); }
  /// Writes all that has gathered. Nothing may be appended after it. `DataLoss` if any of it
  /// failed.
  absl::Status Finish();
  /// Finishes, and puts the file in its place; see OutputFile.
  absl::Status Commit();

 private:
  class Gzip;
  explicit TextOutput(std::unique_ptr<OutputFile> file);

  std::unique_ptr<OutputFile> file_;
  std::unique_ptr<Gzip> gzip_;  // Null if written as it is, or finished.
};

/// Writes the lines of a trace in the form that TraceReader reads: reports, and lines that act.
/// Coordinates have seven decimals, about a centimetre; longitudes come out in [-180, 180).
///
/// Thread-compatible. Borrows the output, which must outlive it.
class TraceWriter : public TraceSink {
 public:
  enum class TimeFormat : std::uint8_t { kSeconds, kRfc3339 };

  TraceWriter(TextOutput* output, TimeFormat time_format)
      : output_(output), time_format_(time_format) {}

  void Report(nearby::UserId user, nearby::Time time, nearby::LatLng location) override;
  void Disconnect(nearby::UserId user, nearby::Time time) override;
  void Pair(absl::string_view action, nearby::UserId first, nearby::UserId second,
            nearby::Time time) override;
  void Radius(nearby::UserId subscriber, double radius_m, nearby::Time time) override;

  std::uint64_t lines() const { return lines_; }
  const absl::Status& status() const { return output_->status(); }

 private:
  void AppendTime(nearby::Time time);
  void EndLine();

  TextOutput* output_;
  TimeFormat time_format_;
  std::string line_;  // Kept for its memory.
  std::uint64_t lines_ = 0;
};

}  // namespace replay

#endif  // EXAMPLES_REPLAY_TRACE_WRITER_H_
