#ifndef BENCHMARKS_SCENARIOS_SHARD_MAIL_H_
#define BENCHMARKS_SCENARIOS_SHARD_MAIL_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <vector>

#include "nearby/effects.h"
#include "nearby/ids.h"

namespace scenarios {

/// Mailboxes between shards that each have a thread, and the moment when nothing is left to do: the
/// least that a host with one event loop a core needs. Boxes have no bound: whoever fills them
/// stops at the end of a stretch of work, until all have taken what was sent.
///
/// A stretch: Begin; then each shard sends and takes as it likes, and when its own work is done
/// calls Await, and again after each mail, until that answers false.
///
/// Thread-safe, but for Begin.
class ShardMail {
 public:
  explicit ShardMail(std::uint32_t shards) : boxes_(shards) {}

  /// From now on all shards are at work. Requires that none is.
  void Begin() { open_ = static_cast<std::int64_t>(boxes_.size()); }

  /// Messages to one shard, behind what was sent before. Empties the vector.
  void Send(nearby::ShardId to, std::vector<nearby::PeerMessage>* messages);

  /// Replaces the vector's content by what has come for the shard since the last time, maybe none.
  void Take(nearby::ShardId shard, std::vector<nearby::PeerMessage>* mail);

  /// The shard has done its work. Sleeps until there is mail and takes it, or answers false: all
  /// have done theirs, and nothing is under way.
  bool Await(nearby::ShardId shard, std::vector<nearby::PeerMessage>* mail);

 private:
  struct alignas(64) Box {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<nearby::PeerMessage> mail;
    std::int64_t sendings = 0;  ///< That the mail is of.
  };

  std::vector<Box> boxes_;
  std::atomic<std::int64_t> open_{0};  ///< Shards at work, and sendings that nobody has taken.
};

}  // namespace scenarios

#endif  // BENCHMARKS_SCENARIOS_SHARD_MAIL_H_
