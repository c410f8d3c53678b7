#ifndef EXAMPLES_PHONES_LOAD_DRIVER_H_
#define EXAMPLES_PHONES_LOAD_DRIVER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "absl/time/time.h"
#include "examples/phones/fleet.h"
#include "examples/phones/latency_histogram.h"
#include "examples/phones/load_board.h"
#include "examples/phones/phone_clock.h"
#include "examples/phones/report.h"
#include "examples/phones/tally.h"
#include "nearby/client_sink.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/server_codec.h"

namespace phones {

/// Where everybody is, step by step; by user, from 1 on. See MakePaths.
using Paths = std::vector<std::vector<nearby::LatLng>>;

/// Has the phones of one thread report, at a rate or each anew as soon as all friends who see it
/// have heard of its last report, and measures how long it takes until friends hear. The rate's
/// schedule is fixed: a report that is sent late, because the server or this program is behind,
/// counts from when it should have been sent.
///
/// Thread-compatible: for the loop's thread. Borrows its parts, which must outlive it.
class LoadDriver : public FleetListener {
 public:
  struct Options {
    std::size_t driver = 0;  ///< Its number on the board.
    double rate = 0;         ///< Reports in a second, by this driver's phones; 0: no schedule.
  };

  /// Has a phone of another driver report anew, on that driver's thread.
  using OnHeard = std::function<void(LoadBoard::Seat)>;

  LoadDriver(const Options& options, LoadBoard* board, const Paths* paths, const PhoneClock* clock,
             OnHeard on_heard);

  /// Has all phones connect. The fleet holds this driver's phones by their seats, and nobody else.
  void Begin(Fleet* fleet);

  /// Does what is due; the time until it should be called again.
  absl::Duration Advance();

  /// All who see the phone have heard of its last report. Without a schedule it sends the next one.
  void Heard(std::size_t phone);

  void OnMessage(std::size_t phone, const nearby::ServerMessage& message) override;

  /// Of the time that counts, once it has ended.
  const LoadFigures& figures() const { return figures_; }

 private:
  struct Mark {
    std::int64_t time_us = 0;
    absl::Duration cpu;
    Tally tally;
  };

  void Send(std::size_t phone, std::int64_t sent_us);
  void SendDue(std::int64_t now_us);
  std::int64_t DueMicros(std::uint64_t number) const;
  // What a phone is told about a friend.
  void Enter(nearby::UserId friend_id);
  void Leave(nearby::UserId friend_id);
  void Hear(const nearby::ClientEvent& event, std::int64_t now_us);
  // The phone need not wait any longer.
  void Pass(LoadBoard::Seat seat);
  // Phones that nobody sees report anew after a while.
  void SweepUnheard(std::int64_t now_us);
  Mark MakeMark(std::int64_t now_us) const;
  void Finish(const Mark& end);

  const Options options_;
  LoadBoard* const board_;
  const Paths* const paths_;
  const PhoneClock* const clock_;
  const OnHeard on_heard_;
  Fleet* fleet_ = nullptr;

  LoadTimes times_;
  bool has_begun_ = false;
  bool is_counting_ = false;
  bool is_over_ = false;
  std::vector<std::uint32_t> steps_;  // of each phone: how many it has made
  std::uint64_t next_ = 0;            // scheduled report
  std::int64_t sweep_us_ = 0;
  std::vector<std::size_t> heard_;  // phones to report anew, while a message is taken
  Mark start_;
  LoadFigures figures_;
};

}  // namespace phones

#endif  // EXAMPLES_PHONES_LOAD_DRIVER_H_
