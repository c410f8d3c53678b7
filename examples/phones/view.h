#ifndef EXAMPLES_PHONES_VIEW_H_
#define EXAMPLES_PHONES_VIEW_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "examples/phones/phone.h"
#include "examples/phones/tally.h"
#include "examples/replay/screen.h"
#include "nearby/client_sink.h"
#include "nearby/ids.h"
#include "nearby/server_codec.h"
#include "nearby/time.h"

namespace phones {

/// Shows what one phone sees: the friends in sight, nearest first, who came and went last, and how
/// all phones are doing.
///
///   view.Watch(user);
///   view.OnMessage(message, now);    // what that user's phone is told
///   view.Sample(tally, now);         // often
///   view.Draw(phone, totals, now);   // now and then
///
/// Thread-compatible. Owns the screen.
class View {
 public:
  /// How all phones are doing.
  struct Totals {
    double pace = 1;
    nearby::Time life;  ///< By the walkers' clock.
    std::size_t phones = 0;
    std::size_t online = 0;
    Tally tally;
  };

  explicit View(replay::Screen screen) : screen_(std::move(screen)) {}

  const replay::Screen& screen() const { return screen_; }

  /// From now on the view is of this user's phone.
  void Watch(nearby::UserId user);
  std::optional<nearby::UserId> watched() const { return watched_; }

  /// `now` is the phone's time.
  void OnMessage(const nearby::ServerMessage& message, nearby::Time now);

  /// Learns what has been going on, for the rates between one second and the next.
  void Sample(const Tally& tally, nearby::Time now);

  /// `phone` is null as long as there is none to show.
  void Draw(const Phone* phone, const Totals& totals, nearby::Time now);

 private:
  using Line = replay::Screen::Line;
  struct Rates {
    double reports = 0;
    double events = 0;
  };

  void Tell(nearby::Time time, const std::string& news);
  void TellEvent(const nearby::ClientEvent& event);
  void AddTitle(const Totals& totals, std::vector<Line>* lines) const;
  void AddFriends(const Phone& phone, nearby::Time now, std::vector<Line>* lines) const;
  void AddTicker(std::vector<Line>* lines) const;
  std::size_t MostRows() const;

  replay::Screen screen_;
  std::optional<nearby::UserId> watched_;
  std::deque<std::string> ticker_;  // newest first

  Rates rates_;
  // When the rates were computed last.
  std::optional<nearby::Time> rates_time_;
  std::uint64_t rates_reports_ = 0;
  std::uint64_t rates_events_ = 0;
};

}  // namespace phones

#endif  // EXAMPLES_PHONES_VIEW_H_
