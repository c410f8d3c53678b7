#ifndef EXAMPLES_REPLAY_LIVE_TABLE_H_
#define EXAMPLES_REPLAY_LIVE_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "examples/replay/screen.h"
#include "nearby/effects.h"
#include "nearby/ids.h"
#include "nearby/time.h"

namespace replay {

/// Shows who is near whom while a replay runs: a few users with their nearest friends, how much is
/// going on, and what happened last. On a terminal the picture is redrawn in place; elsewhere a
/// block of plain lines appears every few seconds. Sleeps so that the replay keeps a pace that eyes
/// can follow.
///
///   LiveTable table(LiveTable::Options(), stdout);
///   for (const nearby::Delivery& delivery : deliveries) {
///     table.OnTime(delivery.time);
///     table.OnDelivery(delivery);
///   }
///   table.Finish();
///
/// Thread-compatible. Borrows the output stream, which must outlive it.
/// Cost: a hash look-up or two a delivery; a picture passes over those in sight of the users shown.
class LiveTable {
 public:
  struct Options {
    /// Seconds of the replay in one second of wall time. Positive.
    double pace = 60;
    /// Users shown: those with most friends in sight, each for as long as there are any.
    int watch = 5;
  };

  /// What the table would otherwise ask the system.
  struct Environment : Screen::Environment {
    std::function<absl::Time()> now;
    std::function<void(absl::Duration)> sleep;

    static Environment OfSystem(std::FILE* out);
  };

  LiveTable(const Options& options, std::FILE* out);
  LiveTable(const Options& options, std::FILE* out, Environment environment);

  /// Takes every delivery, in order of time.
  void OnDelivery(const nearby::Delivery& delivery);

  /// Sleeps until the wall clock has caught up with `now`, redrawing now and then. Earlier times
  /// than before are ignored.
  void OnTime(nearby::Time now);

  /// Draws the last picture.
  void Finish();

 private:
  using Line = Screen::Line;
  using Style = Screen::Style;
  struct Sighting {
    std::int64_t distance_mm = 0;
    nearby::Time since;
    nearby::Time updated;
  };
  using Sightings = absl::flat_hash_map<nearby::UserId, Sighting>;
  // An enter or a leave, and whether the other end had the same at the same time.
  struct News {
    nearby::Delivery delivery;
    bool is_mutual = false;
  };
  struct Counts {
    std::uint64_t enters = 0;
    std::uint64_t moves = 0;
    std::uint64_t leaves = 0;
  };
  struct Rates {
    double enters = 0;
    double moves = 0;
    double leaves = 0;
  };

  void KeepPace();
  void DrawIfDue(absl::Time wall);
  void Draw();
  void UpdateWatched();
  void UpdateRates(absl::Time wall);
  void AddNews(const nearby::Delivery& delivery);
  void Forget(nearby::UserId subscriber, nearby::UserId friend_id);

  // The picture, in parts.
  void AddTitle(std::vector<Line>* lines) const;
  void AddUser(nearby::UserId user, int rows, std::vector<Line>* lines) const;
  void AddTicker(std::vector<Line>* lines) const;
  int RowsPerUser() const;

  Options options_;
  Environment environment_;
  Screen screen_;

  // What is known.
  bool has_time_ = false;
  nearby::Time now_;
  nearby::Time first_time_;
  absl::flat_hash_map<nearby::UserId, Sightings> in_sight_;  // None empty.
  std::size_t pairs_ = 0;                                    // Sightings in all.
  Counts counts_;
  std::deque<News> ticker_;  // Newest first.
  std::vector<nearby::UserId> watched_;

  // The pace: the replay was here when the wall clock was there.
  nearby::Time pace_time_;
  absl::Time pace_wall_;

  // Pictures.
  absl::Time last_draw_ = absl::InfinitePast();
  Rates rates_;
  Counts rates_counts_;  // At the last update of the rates, as are the next two.
  nearby::Time rates_time_;
  absl::Time rates_wall_ = absl::InfinitePast();
};

}  // namespace replay

#endif  // EXAMPLES_REPLAY_LIVE_TABLE_H_
