#ifndef TESTS_REPLAY_REPLAY_ORACLE_INPUT_H_
#define TESTS_REPLAY_REPLAY_ORACLE_INPUT_H_

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

// Reading friends, traces and events for the replay's oracle. It is written from the description of
// the formats, and shares nothing with the replay: a misreading on one side shows as a difference.

namespace replay_oracle {

/// A file that cannot be read as what it should be. The programs of the oracle end with it.
class InputError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The lines of a file that is plain or compressed by gzip, as fields between white space. Comments
/// and empty lines pass.
class FieldReader {
 public:
  /// "-" is standard input.
  explicit FieldReader(const std::string& path);
  ~FieldReader();
  FieldReader(const FieldReader&) = delete;
  FieldReader& operator=(const FieldReader&) = delete;

  /// The fields of the next line; false at the end.
  bool Next(std::vector<std::string>* fields);
  [[noreturn]] void Fail(const std::string& what) const;

 private:
  bool NextLine(std::string* line);

  std::string path_;
  gzFile file_ = nullptr;
  std::size_t line_number_ = 0;
};

/// Each throws InputError for what is not one.
std::uint64_t ParseId(const std::string& field);
double ParseDouble(const std::string& field);
/// Seconds with a fraction, or RFC 3339; rounded down to the millisecond.
std::int64_t ParseTimeMs(const std::string& field);

/// A line of an event file.
struct Event {
  std::int64_t time_ms = 0;
  std::uint64_t subscriber = 0;
  std::uint64_t friend_id = 0;
  std::string kind;  // "enter", "move", "leave:range" and so on
  std::optional<double> distance_m;
};

std::string ToString(const Event& event);

/// Reads events in the order of the file.
class EventReader {
 public:
  explicit EventReader(const std::string& path) : fields_(path) {}
  bool Next(Event* event);

 private:
  FieldReader fields_;
  std::vector<std::string> line_;
};

}  // namespace replay_oracle

#endif  // TESTS_REPLAY_REPLAY_ORACLE_INPUT_H_
