#ifndef BENCHMARKS_PEERS_PROCESS_USAGE_H_
#define BENCHMARKS_PEERS_PROCESS_USAGE_H_

#include <sys/types.h>

#include <cstdint>

namespace peers {

/// What a process has used so far: its own, or that of a server it talks to.
struct ProcessUsage {
  double cpu_s = 0;             ///< User and system, all threads.
  std::uint64_t rss_bytes = 0;  ///< Resident now.
};

/// Of this process.
ProcessUsage OwnUsage();
/// Of another, from /proc; zeros for pid 0 and for one that does not exist. CPU time is exact where
/// the kernel keeps a scheduler's accounts, otherwise it comes in ticks of 10 ms.
ProcessUsage UsageOf(pid_t pid);

}  // namespace peers

#endif  // BENCHMARKS_PEERS_PROCESS_USAGE_H_
