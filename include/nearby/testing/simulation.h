#ifndef NEARBY_TESTING_SIMULATION_H_
#define NEARBY_TESTING_SIMULATION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "nearby/export.h"
#include "nearby/testing/simulated_random.h"
#include "nearby/time.h"

namespace nearby {

/// Time, chance and order for a world that is simulated in one thread: what is to happen is
/// scheduled, and happens in order of time without anybody's waiting. One seed is one run.
///
///   Simulation simulation(seed);
///   simulation.After(5, [&] { simulation.Note(kPolled, 1, 0); node.Poll(); });
///   simulation.RunUntil(Time::Millis(60'000));
///   EXPECT_EQ(simulation.hash(), hash_of_the_same_seed);
///
/// What is scheduled for one instant happens in the order in which it was scheduled.
///
/// Thread-compatible; all that belongs to one simulation lives in one thread, but several
/// simulations know nothing of each other. Ownership: owns the actions; those that have not
/// happened are destroyed with it, after everything that was declared after it.
/// Cost: O(log pending) an action. An action that takes kInlineBytes at most is kept without an
/// allocation.
class NEARBY_API Simulation {
 public:
  /// Of an action that needs no memory of its own.
  static constexpr std::size_t kInlineBytes = 64;
  static constexpr std::size_t kMaxPending = std::size_t{1} << 20;
  /// Kinds of Note below this are the simulated world's own (`SimulatedNote`).
  static constexpr std::uint64_t kFirstHostKind = 256;

  struct Options {
    /// Anything that is valid, and leaves room for the run.
    Time start = Time::Millis(0);
    /// Actions that wait at once, at most kMaxPending. Beyond it the run is over (`overran`): a
    /// world that schedules more than it does would never end.
    std::size_t max_pending = kMaxPending;
  };

  /// One line of the trace.
  struct Noted {
    Time time;
    std::uint64_t kind = 0;
    std::uint64_t a = 0;
    std::uint64_t b = 0;
  };
  using Observer = absl::AnyInvocable<void(const Noted&)>;

  explicit Simulation(std::uint64_t seed) : Simulation(seed, Options()) {}
  Simulation(std::uint64_t seed, const Options& options);
  ~Simulation();
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  Time now() const { return now_; }
  /// From which each part of the world forks its own.
  SimulatedRandom& random() { return random_; }

  /// Schedules `action`, a callable without arguments. One whose time has passed, or whose delay is
  /// negative, happens at the present time, behind what waits for that already.
  template <typename Action>
  void At(Time time, Action&& action);
  template <typename Action>
  void After(std::int64_t delay_ms, Action&& action) {
    At(Time::Millis(now_.ms + delay_ms), std::forward<Action>(action));
  }

  /// Lets the next action happen, at its time. False if there is none, or the run is over.
  bool Step();
  /// Lets all actions up to and including that time happen, and leaves the time there. False if
  /// the run ended before. Not to be called from within an action.
  bool RunUntil(Time time);
  bool RunFor(std::int64_t duration_ms) { return RunUntil(Time::Millis(now_.ms + duration_ms)); }
  /// Ends the run, at once and for good: for whoever has found what it was looking for.
  void Stop() { is_over_ = true; }

  /// Adds to the hash something that happened. Two runs with equal hashes are taken for the same,
  /// so whatever may differ between runs belongs in here: what was handed out, to whom.
  void Note(std::uint64_t kind, std::uint64_t a, std::uint64_t b) {
    Mix(kind);
    Mix(a);
    Mix(b);
    if (observer_ != nullptr) Observe({now_, kind, a, b});
  }
  /// Calls `observer` with all that is noted from now on: the readable trace of a run that failed.
  void SetObserver(Observer observer) { observer_ = std::move(observer); }

  /// Of all that was noted, and of the time of every action.
  std::uint64_t hash() const { return hash_; }
  /// Actions that have happened.
  std::uint64_t event_count() const { return event_count_; }
  /// Those that wait.
  std::size_t pending() const { return queue_.size(); }
  bool is_over() const { return is_over_; }
  /// Whether it is over because max_pending was reached; what came beyond that was dropped.
  bool overran() const { return overran_; }

 private:
  // Where an action waits. Cells do not move, so an action may schedule others while it runs.
  struct Cell {
    void (*act)(void* storage, bool runs) = nullptr;  // runs it if asked to, and destroys it
    std::uint32_t next_free = 0;
    alignas(std::max_align_t) unsigned char storage[kInlineBytes];
  };

  // What waits when. The order is the number in which it was scheduled, which makes it unique, and
  // below that the cell.
  struct Entry {
    std::int64_t time_ms;
    std::uint64_t order;
  };

  template <typename Action>
  static void Act(void* storage, bool runs) {
    Action* const action = std::launder(static_cast<Action*>(storage));
    if (runs) (*action)();
    action->~Action();
  }

  void Mix(std::uint64_t x) {
    hash_ = (hash_ ^ x) * 0x9FB21C651E98DF25u;
    hash_ ^= hash_ >> 32;
  }

  // Null, and the run is over, if there is no room.
  Cell* Reserve(Time time);
  Cell& CellOf(const Entry& entry);
  void Release(const Entry& entry);
  void Push(Entry entry);
  Entry Pop();
  void Observe(const Noted& noted);

  const std::size_t max_pending_;
  Time now_;
  SimulatedRandom random_;
  std::uint64_t hash_ = 0;
  std::uint64_t event_count_ = 0;
  std::uint64_t scheduled_ = 0;
  bool is_over_ = false;
  bool overran_ = false;
  bool is_running_ = false;
  std::vector<Entry> queue_;  // a heap: each entry before its four children
  std::vector<std::unique_ptr<Cell[]>> chunks_;
  std::uint32_t first_free_;
  Observer observer_;
};

template <typename Action>
void Simulation::At(Time time, Action&& action) {
  using Held = std::decay_t<Action>;
  if constexpr (sizeof(Held) <= kInlineBytes && alignof(Held) <= alignof(std::max_align_t)) {
    Cell* const cell = Reserve(time);
    if (cell == nullptr) return;
    ::new (static_cast<void*>(cell->storage)) Held(std::forward<Action>(action));
    cell->act = &Act<Held>;
  } else {
    At(time,
       [held = std::make_unique<Held>(std::forward<Action>(action))]() mutable { (*held)(); });
  }
}

}  // namespace nearby

#endif  // NEARBY_TESTING_SIMULATION_H_
