#ifndef EXAMPLES_ADAPTERS_RING_FILE_H_
#define EXAMPLES_ADAPTERS_RING_FILE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "nearby/hash_ring.h"

namespace adapters {

/// What a file says of a ring: its version, on a line of its own and once, and its seats. Empty
/// lines pass, and what follows a '#'.
///
///   version 7
///   # seat NAME WEIGHT SERVER
///   seat a 100 10.0.0.1:6379
///   seat b 100 10.0.0.2:6379
struct RingFile {
  nearby::RingVersion version{};
  std::vector<nearby::RingSeat> seats;
};

/// `InvalidArgument` says which line is wrong, and why; or that there is no version, or no seat: a
/// file that is cut off must not pass for a ring. Whether the seats make a ring,
/// `HashRing::Create` says.
absl::StatusOr<RingFile> ParseRingFile(absl::string_view text);

}  // namespace adapters

#endif  // EXAMPLES_ADAPTERS_RING_FILE_H_
