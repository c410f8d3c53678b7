#ifndef EXAMPLES_PHONES_SIGHT_LOG_H_
#define EXAMPLES_PHONES_SIGHT_LOG_H_

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "examples/phones/fleet.h"
#include "examples/phones/sight_check.h"

namespace phones {

/// Writes down what a SightCheck finds, a line each time, for whoever reads along: see --sights.
///
/// Thread-compatible. Borrows the fleet.
class SightLog {
 public:
  /// `servers` is how many there are. `Unavailable`: the file cannot be written.
  static absl::StatusOr<std::unique_ptr<SightLog>> Open(const std::string& path,
                                                        const SightCheck::Options& options,
                                                        const Fleet* fleet, std::size_t servers);

  void Look(std::int64_t now_us);

 private:
  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  using File = std::unique_ptr<std::FILE, Closer>;

  SightLog(File file, const SightCheck::Options& options, const Fleet* fleet, std::size_t servers)
      : file_(std::move(file)), fleet_(fleet), servers_(servers), check_(options, fleet) {}

  File file_;
  const Fleet* const fleet_;
  const std::size_t servers_;
  SightCheck check_;
};

}  // namespace phones

#endif  // EXAMPLES_PHONES_SIGHT_LOG_H_
