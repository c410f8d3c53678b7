#include "tests/engine/raw_cluster.h"

#include <iterator>

namespace nearby::test {

absl::StatusOr<RawCluster> RawCluster::Create(const EngineOptions& options, std::uint32_t shards) {
  RawCluster cluster;
  for (std::uint32_t shard = 0; shard < shards; ++shard) {
    EngineOptions own = options;
    own.shard = ShardId{shard};
    own.shard_count = shards;
    absl::StatusOr<std::unique_ptr<Engine>> engine = Engine::Create(own);
    if (!engine.ok()) return engine.status();
    cluster.engines_.push_back(*std::move(engine));
  }
  return cluster;
}

void RawCluster::Enqueue(std::vector<PeerMessage>* messages) {
  for (const PeerMessage& message : *messages) {
    queues_[{message.from, message.to}].push_back(message);
  }
  messages->clear();
}

bool RawCluster::has_messages() const { return !queues_.empty(); }

std::optional<PeerMessage> RawCluster::TakeMessage(std::size_t choice) {
  if (queues_.empty()) return std::nullopt;
  const auto queue =
      std::next(queues_.begin(), static_cast<std::ptrdiff_t>(choice % queues_.size()));
  const PeerMessage message = queue->second.front();
  queue->second.pop_front();
  if (queue->second.empty()) queues_.erase(queue);
  return message;
}

}  // namespace nearby::test
