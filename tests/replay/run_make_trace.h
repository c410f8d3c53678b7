#ifndef TESTS_REPLAY_RUN_MAKE_TRACE_H_
#define TESTS_REPLAY_RUN_MAKE_TRACE_H_

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "examples/replay/make_trace_flags.h"
#include "examples/replay/make_trace_program.h"
#include "examples/replay/trace_reader.h"
#include "tests/replay/files.h"

namespace replay {

/// What make_trace made, or what went wrong.
struct MadeTrace {
  absl::Status status;
  std::string summary;
  std::string friends;
  std::string trace;
};

/// Runs the program, but for its main, with these arguments and files of its own for the output.
inline MadeTrace RunMaker(std::vector<const char*> arguments,
                          const std::string& trace_name = "trace") {
  const TempDirectory directory;
  const std::string friends = directory.Path("friends");
  const std::string trace = directory.Path(trace_name);
  for (const char* argument : {"--friends", friends.c_str(), "--trace", trace.c_str()}) {
    arguments.push_back(argument);
  }
  MadeTrace made;
  const absl::StatusOr<MakeTraceFlags> flags = ParseMakeTraceFlags(arguments);
  made.status = flags.status();
  if (!made.status.ok()) return made;
  made.status = RunMakeTrace(*flags, &made.summary);
  if (made.status.ok()) {
    made.friends = ReadFile(friends);
    made.trace = ReadFile(trace);
  } else {
    EXPECT_TRUE(directory.List().empty()) << "partial output";
  }
  return made;
}

/// The rows of a trace, as nearby_replay would read them: the reader refuses coordinates out of
/// range and lines out of order.
inline std::vector<TraceRow> ParseTrace(const std::string& text) {
  const TempDirectory directory;
  absl::StatusOr<TraceReader> reader = TraceReader::Open(directory.Write("trace", text));
  EXPECT_TRUE(reader.ok()) << reader.status();
  std::vector<TraceRow> all;
  std::vector<TraceRow> rows;
  while (reader.ok()) {
    const absl::Status status = reader->Read(4096, &rows);
    EXPECT_TRUE(status.ok()) << status;
    if (!status.ok() || rows.empty()) break;
    all.insert(all.end(), rows.begin(), rows.end());
  }
  return all;
}

}  // namespace replay

#endif  // TESTS_REPLAY_RUN_MAKE_TRACE_H_
