#ifndef EXAMPLES_REPLAY_TRACE_MAKER_H_
#define EXAMPLES_REPLAY_TRACE_MAKER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <utility>
#include <vector>

#include "examples/replay/churn.h"
#include "examples/replay/great_circle.h"
#include "examples/replay/movement.h"
#include "examples/replay/population.h"
#include "examples/replay/random.h"
#include "examples/replay/trace_sink.h"
#include "nearby/time.h"

namespace replay {

struct TraceOptions {
  /// When the trace begins. Everyone has been about for hours by then, so that some are on their
  /// way.
  nearby::Time start = nearby::Time::Millis(1'287'532'800'000);
  /// How long it lasts; 0 for without end.
  std::int64_t duration_ms = std::int64_t{30} * 60'000;
  /// The time between two reports of a person is uniform between these.
  std::int64_t min_interval_ms = 25'000;
  std::int64_t max_interval_ms = 35'000;
  std::uint64_t seed = 1;
  /// Whether people go offline and come back, and do things to each other; see Churn.
  bool churn = false;
};

/// Lets a population live, and writes what their phones report: positions with noise, glitches and
/// gaps, in order of time. The same population, model and options make the same trace.
///
///   TraceMaker maker(population, model, options);
///   while (maker.WriteNext(&writer)) {}
///
/// Thread-compatible. Borrows the population and the model, which must outlive it. Memory does not
/// grow with the length of the trace.
class TraceMaker {
 public:
  TraceMaker(const Population& population, const MovementModel& model, const TraceOptions& options);

  /// Writes the next line or few; false at the end of the trace.
  bool WriteNext(TraceSink* sink);

  std::uint64_t reports() const { return reports_; }
  std::uint64_t glitches() const { return glitches_; }
  std::uint64_t gaps() const { return gaps_; }

 private:
  struct Phone {
    Traveller owner;
    std::int64_t last_ms = 0;       // Of its last report.
    bool is_disconnecting = false;  // Its next line is no report but a disconnect.
  };

  void Report(std::size_t index, std::int64_t now_ms, TraceSink* sink);
  UnitVector Measured(const Phone& phone, std::int64_t now_ms);
  // How long until the phone's next line.
  std::int64_t DrawPause(Phone* phone);

  const Population* population_;
  const MovementModel* model_;
  TraceOptions options_;
  Random random_;
  std::optional<Churn> churn_;
  std::vector<Phone> phones_;
  // Time of the next line and index of the phone, earliest first.
  using Due = std::pair<std::int64_t, std::size_t>;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  std::uint64_t reports_ = 0;
  std::uint64_t glitches_ = 0;
  std::uint64_t gaps_ = 0;
};

}  // namespace replay

#endif  // EXAMPLES_REPLAY_TRACE_MAKER_H_
