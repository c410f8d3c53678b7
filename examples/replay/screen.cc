#include "examples/replay/screen.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace replay {
namespace {

// What a terminal is sent for each Style, in order: nothing, bold cyan, bold, green, faint.
constexpr std::array<const char*, 5> kStyleCodes = {"", "\x1b[1;36m", "\x1b[1m", "\x1b[32m",
                                                    "\x1b[2m"};

int TerminalSize(std::FILE* out, unsigned short winsize::*dimension, int otherwise) {
  struct winsize size = {};
  if (ioctl(fileno(out), TIOCGWINSZ, &size) != 0 || size.*dimension == 0) return otherwise;
  return size.*dimension;
}

}  // namespace

Screen::Environment Screen::Environment::OfSystem(std::FILE* out) {
  Environment environment;
  environment.is_terminal = isatty(fileno(out)) == 1;
  environment.height = [out] { return TerminalSize(out, &winsize::ws_row, 24); };
  environment.width = [out] { return TerminalSize(out, &winsize::ws_col, 80); };
  return environment;
}

Screen::Screen(std::FILE* out, Environment environment)
    : out_(out), environment_(std::move(environment)) {}

void Screen::Print(const std::vector<Line>& lines) {
  std::string picture;
  if (!environment_.is_terminal) {
    for (const Line& line : lines) absl::StrAppend(&picture, line.text, "\n");
    picture += "\n";
  } else {
    // The whole screen the first time, then from the top left, each line clearing what it leaves of
    // the old one: no flicker.
    picture = has_drawn_ ? "\x1b[H" : "\x1b[2J\x1b[H";
    const auto width = static_cast<std::size_t>(std::max(1, environment_.width()));
    for (const Line& line : lines) {
      absl::StrAppend(&picture, kStyleCodes[static_cast<std::size_t>(line.style)],
                      line.text.substr(0, width), "\x1b[0m\x1b[K\n");
    }
    picture += "\x1b[J";
  }
  has_drawn_ = true;
  std::fwrite(picture.data(), 1, picture.size(), out_);
  std::fflush(out_);
}

}  // namespace replay
