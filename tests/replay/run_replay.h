#ifndef TESTS_REPLAY_RUN_REPLAY_H_
#define TESTS_REPLAY_RUN_REPLAY_H_

#include <string>

#include "absl/status/status.h"
#include "examples/replay/flags.h"
#include "examples/replay/program.h"
#include "tests/replay/files.h"

namespace replay {

/// The events of a replay, or what went wrong.
struct ReplayResult {
  absl::Status status;
  std::string events;
};

/// Runs the program, but for its main, on files with these contents.
inline ReplayResult RunReplay(const std::string& friends, const std::string& trace,
                              const Replayer::Options& options = {}) {
  const TempDirectory directory;
  Flags flags;
  flags.friends = directory.Write("friends", friends);
  flags.trace = directory.Write("trace", trace);
  flags.events = directory.Path("events");
  flags.stats = directory.Path("stats");
  flags.replay = options;
  ReplayResult result;
  result.status = RunProgram(flags);
  if (result.status.ok()) result.events = ReadFile(flags.events);
  return result;
}

}  // namespace replay

#endif  // TESTS_REPLAY_RUN_REPLAY_H_
