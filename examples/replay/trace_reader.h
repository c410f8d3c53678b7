#ifndef EXAMPLES_REPLAY_TRACE_READER_H_
#define EXAMPLES_REPLAY_TRACE_READER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "examples/replay/line_reader.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/time.h"

namespace replay {

/// What one line of a trace asks for.
struct TraceRow {
  enum class Kind : std::uint8_t {
    kReport,
    kDisconnect,
    kBefriend,
    kUnfriend,
    kHide,
    kShare,
    kUnsubscribe,
    kSubscribe,
    kRadius,
  };

  Kind kind = Kind::kReport;
  nearby::UserId user{};   ///< Who reports or acts.
  nearby::UserId other{};  ///< The second user of a line that names two.
  nearby::Time time;
  nearby::LatLng location;  ///< kReport
  double radius_m = 0;      ///< kRadius; finite, and not checked further.
  std::uint64_t line_number = 0;
};

/// Reads a trace: location reports in SNAP's check-in format, and lines beginning with "!" that
/// act. The form is that of `nearby_replay --help`.
///
/// Thread-compatible. Owns the file. All errors are `InvalidArgument` in the form "file:line:
/// reason".
class TraceReader {
 public:
  /// `path` may be "-" for standard input.
  static absl::StatusOr<TraceReader> Open(const std::string& path);

  /// Replaces `rows` by the next ones, at most `limit`; by none at the end of the trace. On an
  /// error, `rows` holds those that precede it.
  absl::Status Read(std::size_t limit, std::vector<TraceRow>* rows);

  const LineReader& lines() const { return lines_; }

 private:
  explicit TraceReader(LineReader lines) : lines_(std::move(lines)) {}

  absl::Status CheckOrder(nearby::Time time);

  LineReader lines_;
  nearby::Time last_time_;
  bool has_last_time_ = false;
};

}  // namespace replay

#endif  // EXAMPLES_REPLAY_TRACE_READER_H_
