#ifndef BENCHMARKS_CAPACITY_EXPORTER_H_
#define BENCHMARKS_CAPACITY_EXPORTER_H_

#include "absl/status/status.h"
#include "benchmarks/capacity/flags.h"

namespace capacity {

/// Writes the world and the trace that a measurement with these flags would use, for other programs
/// to be measured on the same, into the existing directory flags.export_dir:
///
///   friends.tsv   user <TAB> friend: each friendship once
///   trace.tsv     user <TAB> seconds since 1970 <TAB> latitude <TAB> longitude: the reports from
///   the
///                 first on, in order of time
///
/// Users are unsigned 64-bit numbers, time has three decimals. nearby_replay reads both.
/// `DataLoss` if a file cannot be written.
absl::Status Export(const Flags& flags);

}  // namespace capacity

#endif  // BENCHMARKS_CAPACITY_EXPORTER_H_
