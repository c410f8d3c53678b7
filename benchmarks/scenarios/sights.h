#ifndef BENCHMARKS_SCENARIOS_SIGHTS_H_
#define BENCHMARKS_SCENARIOS_SIGHTS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "benchmarks/capacity/huge_array.h"
#include "benchmarks/capacity/world.h"
#include "nearby/client_sink.h"
#include "nearby/geo.h"
#include "nearby/time.h"

namespace scenarios {

/// Whom each client has been told to be in sight, held against who is: every distance to every
/// friend, by the haversine formula, at each report.
///
/// Thread-compatible. Borrows the world. Cost: a report takes time for all friends; Count for all
/// friendships.
class Sights : public nearby::ClientSink {
 public:
  explicit Sights(const capacity::World& world);

  /// It is so late from now on. Only silences are measured by it.
  void SetTime(nearby::Time now) { now_ = now; }
  /// The user is here from now on.
  void Report(std::uint32_t user, nearby::Position position);

  Flow Deliver(const nearby::ClientBatch& batch) override;
  void Ended(nearby::SessionId session, std::uint64_t cookie, EndReason reason) override;

  /// Over all ordered pairs of friends. Those within 2 cm of the radius are right either way.
  struct Pairs {
    std::uint64_t in_sight = 0;
    std::uint64_t wrong = 0;  ///< Told to be in sight and not there, or the other way round.
  };
  Pairs Count() const;

  /// How long clients hear nothing of friends who are in sight, or whom they take to be: from what
  /// they were told last, or the friend's coming in sight, to what they are told next. Of the pairs
  /// that are chosen, each one's longest that has lasted since the last restart, in ascending
  /// order, of any length, those that go on included. Whoever was never in sight is left out.
  void RestartSilences();
  std::vector<std::int64_t> SilencesMs(
      absl::FunctionRef<bool(std::uint32_t user, std::uint32_t other)> is_chosen) const;

  /// Times that somebody came in sight or went out of it.
  std::uint64_t changes() const { return changes_; }
  std::uint64_t changes_told() const { return changes_told_; }
  /// Enters of friends in sight; leaves and moves of others.
  std::uint64_t out_of_turn() const { return out_of_turn_; }
  /// Moves that bear no newer report than what was told before, and enters that bear an older one.
  std::uint64_t repeated() const { return repeated_; }
  std::uint64_t ended() const { return ended_; }

 private:
  // Of a user and one of their friends.
  struct Pair {
    std::int64_t reported_ms = 0;  // the newest report told
    std::int64_t news_ms = 0;      // when they were last told of, or came in sight
    std::int32_t silence_ms = 0;   // the longest that has ended
    bool is_told = false;
    bool is_near = false;
    bool is_on_edge = false;
  };

  std::size_t IndexOf(std::uint32_t user, std::uint32_t other) const;
  void SetNear(std::size_t index, bool is_near, bool is_on_edge);
  std::int64_t SilenceMs(const Pair& pair) const;
  void EndSilence(Pair* pair) const;

  const capacity::World& world_;
  nearby::Time now_;
  capacity::HugeArray<nearby::Position> positions_;
  capacity::HugeArray<bool> has_position_;
  capacity::HugeArray<Pair> pairs_;            // as the world's friends
  capacity::HugeArray<std::uint32_t> mirror_;  // of each pair, the same the other way round
  std::uint64_t changes_ = 0;
  std::uint64_t changes_told_ = 0;
  std::uint64_t out_of_turn_ = 0;
  std::uint64_t repeated_ = 0;
  std::uint64_t ended_ = 0;
};

}  // namespace scenarios

#endif  // BENCHMARKS_SCENARIOS_SIGHTS_H_
