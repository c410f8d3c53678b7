#ifndef EXAMPLES_PHONES_LIFE_H_
#define EXAMPLES_PHONES_LIFE_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "examples/phones/fleet.h"
#include "examples/phones/phone_clock.h"
#include "examples/phones/walkers.h"
#include "examples/replay/trace_reader.h"
#include "nearby/friend_graph.h"
#include "nearby/ids.h"
#include "nearby/time.h"

namespace phones {

/// Lets the walkers live at a pace, and has their phones do what they do: report, go offline,
/// subscribe and unsubscribe. A phone joins the fleet with its owner's first report. What would
/// need another way to the server than a phone's connection is passed over.
///
/// Reports bear the time of the phones' clock, not that of the walkers' life: a server takes no
/// report from the future.
///
/// Thread-compatible. Borrows its parts, which must outlive it.
class Life {
 public:
  struct Options {
    /// Seconds of life in a second. Positive.
    double pace = 30;
    /// Of life; endless if infinite.
    absl::Duration duration = absl::InfiniteDuration();
    /// Owners of phones at most: the first that appear.
    std::size_t phones = std::numeric_limits<std::size_t>::max();
  };

  Life(const Options& options, Walkers* walkers, const nearby::FriendGraph* friends, Fleet* fleet,
       const PhoneClock* clock);

  /// Does all that is due. The status of Walkers::Read.
  absl::Status Advance();

  bool is_over() const { return is_over_; }
  /// By the walkers' clock; of no meaning before the first row.
  nearby::Time now() const { return now_; }
  absl::Duration lived() const { return absl::Milliseconds(now_.ms - first_.ms); }
  /// Rows that no phone could act upon.
  std::uint64_t passed_over() const { return passed_over_; }
  /// The user's phone, if they have one.
  std::optional<std::size_t> Find(nearby::UserId user) const;

 private:
  // Makes sure that there is a next row, or that life is over.
  absl::Status Fill();
  void KeepPace(std::int64_t now_us);
  void Act(const replay::TraceRow& row);
  std::optional<std::size_t> FindOrAdd(nearby::UserId user);

  const Options options_;
  Walkers* const walkers_;
  const nearby::FriendGraph* const friends_;
  Fleet* const fleet_;
  const PhoneClock* const clock_;

  std::vector<replay::TraceRow> rows_;
  std::size_t next_row_ = 0;
  absl::Status read_status_;  // behind the rows
  bool has_begun_ = false;
  bool is_over_ = false;
  nearby::Time first_;
  nearby::Time now_;
  // Life was here when the phones' clock was there.
  nearby::Time pace_time_;
  std::int64_t pace_us_ = 0;
  std::uint64_t passed_over_ = 0;
  absl::flat_hash_map<nearby::UserId, std::size_t> phones_;
};

}  // namespace phones

#endif  // EXAMPLES_PHONES_LIFE_H_
