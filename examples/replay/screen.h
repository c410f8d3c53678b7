#ifndef EXAMPLES_REPLAY_SCREEN_H_
#define EXAMPLES_REPLAY_SCREEN_H_

#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

namespace replay {

/// Where pictures made of lines appear: on a terminal each takes the place of the one before;
/// elsewhere each is a block of plain lines, with an empty one behind it.
///
/// Thread-compatible. Borrows the output stream, which must outlive it.
class Screen {
 public:
  enum class Style : std::uint8_t { kPlain, kTitle, kHeading, kFresh, kFaint };
  struct Line {
    std::string text;
    Style style = Style::kPlain;
  };

  /// What it would otherwise ask the system.
  struct Environment {
    bool is_terminal = false;
    /// Of the terminal, asked before each picture.
    std::function<int()> height;
    std::function<int()> width;

    static Environment OfSystem(std::FILE* out);
  };

  Screen(std::FILE* out, Environment environment);

  bool is_terminal() const { return environment_.is_terminal; }
  /// Lines of the terminal. Requires that it is one.
  int height() const { return environment_.height(); }

  void Print(const std::vector<Line>& lines);

 private:
  std::FILE* out_;
  Environment environment_;
  bool has_drawn_ = false;
};

}  // namespace replay

#endif  // EXAMPLES_REPLAY_SCREEN_H_
