#include "examples/replay/progress_bar.h"

#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "examples/replay/line_reader.h"

namespace replay {
namespace {

// Returns to the first column and erases the line (ECMA-48).
constexpr char kErase[] = "\r\x1b[K";

// "[#####.....]  50 % ", or nothing if nobody knows how much there is.
std::string Bar(const LineReader& input) {
  constexpr std::uint64_t kWidth = 30;
  if (!input.file_size().has_value() || *input.file_size() == 0) return "";
  const std::uint64_t consumed = std::min(input.bytes_consumed(), *input.file_size());
  const auto filled = static_cast<std::size_t>(consumed * kWidth / *input.file_size());
  return absl::StrFormat("[%s%s] %3d %% ", std::string(filled, '#'),
                         std::string(kWidth - filled, '.'), consumed * 100 / *input.file_size());
}

}  // namespace

ProgressBar::ProgressBar(std::FILE* out)
    : out_(isatty(fileno(out)) != 0 ? out : nullptr), start_(absl::Now()) {}

ProgressBar::~ProgressBar() {
  if (out_ != nullptr && last_drawn_ != absl::InfinitePast()) std::fputs(kErase, out_);
}

void ProgressBar::Update(const LineReader& input, std::uint64_t rows) {
  if (out_ == nullptr) return;
  const absl::Time now = absl::Now();
  if (now - last_drawn_ < absl::Milliseconds(100)) return;
  last_drawn_ = now;
  const double seconds = std::max(absl::ToDoubleSeconds(now - start_), 1e-3);
  const std::string text = absl::StrFormat("%s%s%d rows, %.0f rows/s", kErase, Bar(input), rows,
                                           static_cast<double>(rows) / seconds);
  std::fputs(text.c_str(), out_);
  std::fflush(out_);
}

}  // namespace replay
