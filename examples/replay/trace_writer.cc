#include "examples/replay/trace_writer.h"

#include <zlib.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "examples/replay/output_file.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/time.h"

namespace replay {
namespace {

// Appends a fixed-point number, exactly and whatever the locale.
template <int Decimals>
void AppendFixed(std::int64_t value, std::string* out) {
  std::array<char, 24> digits;  // Filled from the back.
  char* const end = digits.data() + digits.size();
  char* begin = end;
  auto left = static_cast<std::uint64_t>(value < 0 ? -value : value);
  for (int i = 0; left != 0 || i <= Decimals; ++i) {
    if (i == Decimals) *--begin = '.';
    *--begin = static_cast<char>('0' + left % 10);
    left /= 10;
  }
  if (value < 0) *--begin = '-';
  out->append(begin, end);
}

void AppendDegrees(double degrees, bool is_longitude, std::string* out) {
  constexpr std::int64_t kHalfTurn = 1'800'000'000;
  auto units = static_cast<std::int64_t>(std::llround(degrees * 1e7));
  // After rounding, not before: 179.99999999 rounds to the antimeridian.
  if (is_longitude && units >= kHalfTurn) units -= 2 * kHalfTurn;
  AppendFixed<7>(units, out);
}

}  // namespace

class TextOutput::Gzip {
 public:
  explicit Gzip(OutputFile* file) : file_(file) {
    constexpr int kWindowBits = 15 + 16;  // 16 asks for a gzip header, one without a time.
    constexpr int kMemoryLevel = 8;
    is_ready_ = deflateInit2(&stream_, Z_BEST_SPEED, Z_DEFLATED, kWindowBits, kMemoryLevel,
                             Z_DEFAULT_STRATEGY) == Z_OK;
  }
  ~Gzip() {
    if (is_ready_) deflateEnd(&stream_);
  }
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;

  bool is_ready() const { return is_ready_; }

  void Write(absl::string_view text, int flush) {
    // zlib does not write there, but takes the pointer without const.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream_.avail_in = static_cast<uInt>(text.size());
    do {
      std::array<char, OutputFile::kMaxReserve> compressed;
      stream_.next_out = reinterpret_cast<Bytef*>(compressed.data());
      stream_.avail_out = static_cast<uInt>(compressed.size());
      deflate(&stream_, flush);
      file_->Append(absl::string_view(compressed.data(), compressed.size() - stream_.avail_out));
    } while (stream_.avail_out == 0);
  }

 private:
  OutputFile* file_;
  z_stream stream_ = {};
  bool is_ready_ = false;
};

TextOutput::TextOutput(std::unique_ptr<OutputFile> file) : file_(std::move(file)) {}

TextOutput::~TextOutput() = default;

absl::StatusOr<std::unique_ptr<TextOutput>> TextOutput::Create(const std::string& path) {
  absl::StatusOr<std::unique_ptr<OutputFile>> file = OutputFile::Create(path);
  if (!file.ok()) return file.status();
  std::unique_ptr<TextOutput> output(new TextOutput(*std::move(file)));
  if (absl::EndsWith(path, ".gz")) {
    output->gzip_ = std::make_unique<Gzip>(output->file_.get());
    if (!output->gzip_->is_ready()) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": cannot compress: out of memory"));
    }
  }
  return output;
}

void TextOutput::Append(absl::string_view text) {
  if (gzip_ == nullptr) {
    file_->Append(text);
  } else {
    gzip_->Write(text, Z_NO_FLUSH);
  }
}

absl::Status TextOutput::Finish() {
  if (gzip_ != nullptr) gzip_->Write("", Z_FINISH);
  gzip_.reset();
  file_->Flush();
  return file_->status();
}

absl::Status TextOutput::Commit() {
  if (absl::Status status = Finish(); !status.ok()) return status;
  return file_->Commit();
}

void TraceWriter::Report(nearby::UserId user, nearby::Time time, nearby::LatLng location) {
  absl::StrAppend(&line_, nearby::ToInt(user));
  AppendTime(time);
  line_.push_back('\t');
  AppendDegrees(location.lat, false, &line_);
  line_.push_back('\t');
  AppendDegrees(location.lng, true, &line_);
  EndLine();
}

void TraceWriter::Disconnect(nearby::UserId user, nearby::Time time) {
  absl::StrAppend(&line_, "!disconnect\t", nearby::ToInt(user));
  AppendTime(time);
  EndLine();
}

void TraceWriter::Pair(absl::string_view action, nearby::UserId first, nearby::UserId second,
                       nearby::Time time) {
  absl::StrAppend(&line_, "!", action, "\t", nearby::ToInt(first), "\t", nearby::ToInt(second));
  AppendTime(time);
  EndLine();
}

void TraceWriter::Radius(nearby::UserId subscriber, double radius_m, nearby::Time time) {
  absl::StrAppend(&line_, "!radius\t", nearby::ToInt(subscriber), "\t");
  AppendFixed<3>(std::llround(radius_m * 1000), &line_);
  AppendTime(time);
  EndLine();
}

void TraceWriter::AppendTime(nearby::Time time) {
  line_.push_back('\t');
  if (time_format_ == TimeFormat::kSeconds) {
    AppendFixed<3>(time.ms, &line_);
  } else {
    line_ += absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time.ToAbsl(), absl::UTCTimeZone());
  }
}

void TraceWriter::EndLine() {
  line_.push_back('\n');
  output_->Append(line_);
  line_.clear();
  ++lines_;
}

}  // namespace replay
