#ifndef NEARBY_TESTS_ENGINE_RAW_CLUSTER_H_
#define NEARBY_TESTS_ENGINE_RAW_CLUSTER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "nearby/effects.h"
#include "nearby/engine.h"
#include "nearby/ids.h"
#include "nearby/options.h"

namespace nearby::test {

/// Several engines with the messages between them under the test's control: each queue is in order
/// and loses nothing, and the test says when its head arrives. For what Lockstep never shows: late
/// lists, late messages, stale handles.
///
/// Thread-compatible.
class RawCluster {
 public:
  /// `shard` and `shard_count` of the options are filled in.
  static absl::StatusOr<RawCluster> Create(const EngineOptions& options, std::uint32_t shards);

  std::uint32_t size() const { return static_cast<std::uint32_t>(engines_.size()); }
  Engine& engine(std::uint32_t shard) { return *engines_[shard]; }
  const Engine& engine(std::uint32_t shard) const { return *engines_[shard]; }
  std::uint32_t home(UserId user) const { return ToInt(HomeShard(user, size())); }

  /// Moves the messages of an engine's effects into the queues.
  void Enqueue(std::vector<PeerMessage>* messages);
  bool has_messages() const;
  /// Takes the head of the `choice`-th queue that is not empty, counted round; nullopt if none.
  std::optional<PeerMessage> TakeMessage(std::size_t choice);

 private:
  using Route = std::pair<ShardId, ShardId>;  // from, to

  std::vector<std::unique_ptr<Engine>> engines_;
  std::map<Route, std::deque<PeerMessage>> queues_;  // none of them empty
};

}  // namespace nearby::test

#endif  // NEARBY_TESTS_ENGINE_RAW_CLUSTER_H_
