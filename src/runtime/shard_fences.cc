#include <cstdint>
#include <utility>
#include <variant>

#include "nearby/ids.h"
#include "src/runtime/calls.h"
#include "src/runtime/shard.h"

namespace nearby::internal {

void Shard::BeginFence(Fencing fencing) {
  const std::uint64_t number = next_fence_++;
  SendFences(number, &fencing);
  fences_.insert_or_assign(number, std::move(fencing));
}

void Shard::SendFences(std::uint64_t number, Fencing* fencing) {
  for (std::uint64_t shards = fencing->shards; shards != 0; shards &= shards - 1) {
    outgoing_[static_cast<std::size_t>(__builtin_ctzll(shards))].Add(Fence{id_, number});
    ++fencing->answers_left;
  }
}

void Shard::TakeFence(const Fence& fence) {
  if (!fence.is_answer) {
    outgoing_[ToInt(fence.from)].Add(Fence{id_, fence.number, /*is_answer=*/true});
    return;
  }
  const auto found = fences_.find(fence.number);
  if (--found->second.answers_left > 0) return;
  if (--found->second.rounds_left > 0) {
    SendFences(fence.number, &found->second);
    return;
  }
  Fencing fencing = std::move(found->second);
  fences_.erase(found);
  FinishFence(std::move(fencing));
}

void Shard::FinishFence(Fencing fencing) {
  if (auto* subscription = std::get_if<SubscriptionCommitted>(&fencing.then)) {
    AnswerSubscription(*subscription);
  } else {
    Answer(std::get<ClientHandle>(fencing.then));
  }
}

// The session may have ended while the fence was up, or its list have come twice: both are fine.
void Shard::Answer(ClientHandle client) {
  engine_->Answer(client, &effects_).IgnoreError();
  CarryOut();
}

}  // namespace nearby::internal
