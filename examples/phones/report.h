#ifndef EXAMPLES_PHONES_REPORT_H_
#define EXAMPLES_PHONES_REPORT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "examples/phones/latency_histogram.h"
#include "examples/phones/tally.h"
#include "nearby/wire_format.h"

namespace phones {

/// What a load came to, in the time that counted.
struct LoadFigures {
  double seconds = 0;
  absl::Duration cpu;  ///< Of the phones' threads.
  std::uint64_t reports = 0;
  std::uint64_t events = 0;
  std::uint64_t frames = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t unheard = 0;  ///< Reports that not all heard of in time; without a rate only.
  /// From when a report was due, or sent where there is no schedule, until a friend heard of it.
  LatencyHistogram latency;

  /// Another driver's, of the same time.
  void Add(const LoadFigures& other);
};

/// What a run came to.
struct Figures {
  nearby::WireFormat format = nearby::WireFormat::kProtobuf;
  std::size_t phones = 0;
  std::size_t threads = 1;
  double rate = 0;  ///< Of a load.
  absl::Duration elapsed;
  std::uint64_t passed_over = 0;  ///< Lines of a trace that phones cannot act upon.
  Tally tally;                    ///< Of the whole run.
  std::optional<LoadFigures> load;
};

/// One JSON object, ending in a newline.
std::string ToJson(const Figures& figures);

/// The same in a few lines for people.
std::string ToSummary(const Figures& figures);

/// Ok if the server kept to the protocol and made no errors; otherwise what was wrong.
absl::Status Verdict(const Figures& figures);

}  // namespace phones

#endif  // EXAMPLES_PHONES_REPORT_H_
