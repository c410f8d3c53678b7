#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "nearby/client_sink.h"
#include "nearby/engine.h"
#include "nearby/ids.h"
#include "src/base/planted_bugs.h"
#include "src/runtime/joint.h"
#include "src/runtime/shard.h"

namespace nearby::internal {
namespace {

// Enough for what one batch of reports touches; the rest is given back to the heap.
constexpr std::size_t kMaxSpareOutboxes = 4096;

}  // namespace

void Shard::MarkDirty(Index index) {
  if (sessions_[index].is_dirty) return;
  sessions_[index].is_dirty = true;
  dirty_.push_back(index);
}

void Shard::FlushClients() {
  // The sink may call the runtime, but nothing that comes of it happens before the next poll.
  for (const Index index : dirty_) {
    Session& session = sessions_[index];
    if (!session.is_dirty) continue;  // It has ended, and its place may have been taken.
    session.is_dirty = false;
    if (session.outbox != nullptr && !session.is_busy) FlushClient(index);
  }
  dirty_.clear();
}

void Shard::FlushClient(Index index) {
  Session& session = sessions_[index];
  if (!session.outbox->empty()) {
    ClientBatch batch;
    batch.session = ToId(session.client);
    batch.cookie = session.cookie;
    batch.user = session.user;
    batch.start = session.outbox->start();
    batch.events =
        batch.start == BatchStart::kResync ? Snapshot(session.client) : session.outbox->Events();
    ++counts_.batches_delivered;
    counts_.events_delivered += batch.events.size();
    if (host_.sink->Deliver(batch) == ClientSink::Flow::kBusy) {
      session.is_busy = true;
      ++busy_sessions_;
    }
  }
  RecycleOutbox(&session);
}

absl::Span<const ClientEvent> Shard::Snapshot(ClientHandle client) {
  snapshot_.clear();
  // One page with everybody: the engine's limit leaves room for it.
  const absl::StatusOr<NearbyPage> page =
      engine_->Nearby(client, PageToken(), options_.engine.max_friends, &snapshot_effects_);
  if (page.ok()) {
    for (const NearbyFriend& in_sight : page->friends) {
      ClientEvent event;
      event.friend_id = in_sight.friend_id;
      event.time = now_;
      event.reported_at = in_sight.reported_at;
      event.position = in_sight.position;
      event.distance_mm = in_sight.distance_mm;
      event.kind = DeliveryKind::kEnter;
      snapshot_.push_back(event);
    }
  }
  // Whoever entered by being listed is told by the snapshot.
  snapshot_effects_.Clear();
  return snapshot_;
}

void Shard::RecycleOutbox(Session* session) {
  if (session->outbox == nullptr) return;
  pending_events_ -= session->outbox->size();
  session->outbox->Clear();
  if (spare_outboxes_.size() < kMaxSpareOutboxes) {
    spare_outboxes_.push_back(std::move(session->outbox));
  }
  session->outbox.reset();
}

void Shard::AskToMove() {
  const double per_ms = options_.drain_clients_per_second / 1000 / options_.shards;
  // Time in which nobody polled, or there was nobody to ask, is not made up for in a burst.
  drain_credit_ = std::min(drain_credit_ + static_cast<double>(now_.ms - drain_time_.ms) * per_ms,
                           std::max(1.0, per_ms * 1000));
  drain_time_ = now_;
  if (IsPlanted(PlantedBug::kDrainAsksAllAtOnce)) drain_credit_ = 1e6;
  while (drain_next_ < sessions_.limit() && drain_credit_ >= 1) {
    const Session& session = sessions_[drain_next_++];
    if (session.state == Session::State::kOpen) AskToMove(session);
  }
}

void Shard::AskToMove(const Session& session) {
  ++counts_.asked_to_move;
  // One whose connect is answered meanwhile is asked at once, and the others wait the longer.
  drain_credit_ -= 1;
  // Spread by user, so that a run can be repeated: HomeShard is as good a hash as any.
  constexpr std::uint32_t kSteps = 1u << 16;
  const std::uint32_t step =
      IsPlanted(PlantedBug::kDrainWithoutSpread) ? 0 : ToInt(HomeShard(session.user, kSteps));
  host_.sink->MoveAway(ToId(session.client), session.cookie,
                       options_.drain_spread * step / static_cast<std::int64_t>(kSteps));
}

void Shard::FinishDrainIfEmpty() {
  const bool is_over =
      IsPlanted(PlantedBug::kDrainedWithClients) && drain_next_ >= sessions_.limit();
  if (sessions_.size() > 0 && !is_over) return;
  const std::vector<std::shared_ptr<Joint>> joints = std::exchange(draining_, {});
  for (const std::shared_ptr<Joint>& joint : joints) joint->Finish(absl::OkStatus());
}

}  // namespace nearby::internal
