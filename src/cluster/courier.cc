#include "src/cluster/courier.h"

#include <algorithm>
#include <utility>

#include "src/base/planted_bugs.h"

namespace nearby::internal {
namespace {

// When what was missed is repeated by and by.
constexpr Time kAtOnce{-kMaxTimeMs};

// Batches that are repeated at once at most.
constexpr std::uint64_t kMaxWindow = 64;
// How often in a row without an answer, until it is one at a time again: some of these pauses may
// be shorter than the way to and fro.
constexpr std::uint32_t kPatience = 6;

}  // namespace

Courier::Courier(const Options& options, Backoff backoff, Actions actions)
    : options_(options),
      max_events_(std::min<std::size_t>(
          (options.max_payload - kMaxNodeBatchHeaderBytes) / kMaxNodeEventBytes,
          NodeDecoderOptions().max_events)),
      backoff_(backoff),
      actions_(std::move(actions)) {}

void Courier::Begin(const NodeLease& self) {
  self_ = self;
  peers_.clear();
  next_event_ = kNever;
  has_news_ = false;
}

bool Courier::Send(const NodeLease& to, const NodeEvent& event) {
  using Kind = NodeEvent::Kind;
  Peer& peer = peers_[to];
  const bool is_always_taken = event.kind == Kind::kChange || event.kind == Kind::kChanged;
  if (is_always_taken || HasRoom(peer)) {
    Add(&peer, event);
    return true;
  }
  // A location that tells of no jump, the store knows as well.
  const bool may_be_lost = event.kind == Kind::kAnnounce || event.kind == Kind::kAnnounceBack ||
                           (event.kind == Kind::kLocation && event.jumps == 0);
  if (may_be_lost) {
    ++counts_.letters_refused;
    return false;
  }
  peer.waiting[{event.user, event.kind}] = event;
  return true;
}

void Courier::Add(Peer* peer, const NodeEvent& event) {
  ++counts_.letters_sent;
  ++peer->unacknowledged_events;
  peer->unsent.push_back(event);
  has_news_ = true;
}

void Courier::OnPayload(absl::string_view payload) {
  if (!decoder_.Decode(payload, &incoming_).ok()) {
    ++counts_.batches_malformed;
    return;
  }
  // For an earlier life of this node, or from nobody.
  if ((incoming_.to != self_.life && !IsPlanted(PlantedBug::kLettersOfEarlierLife)) ||
      incoming_.from.life == Epoch{}) {
    return;
  }
  const NodeLease from = incoming_.from;
  Peer& peer = peers_[from];
  Acknowledge(&peer, incoming_.acknowledged);
  if (incoming_.sequence == 0) return;
  // Also one that has come before: its acknowledgement may have been lost.
  peer.owes_answer = true;
  has_news_ = true;
  if (IsPlanted(PlantedBug::kLettersTakenWithGaps)) {
    peer.last_received = std::max(peer.last_received, incoming_.sequence - 1);
  }
  if (IsPlanted(PlantedBug::kLettersTakenTwice)) {
    peer.last_received = std::min(peer.last_received, incoming_.sequence - 1);
  }
  if (incoming_.sequence != peer.last_received + 1) {
    ++counts_.batches_repeated;
    return;
  }
  ++peer.last_received;
  counts_.letters_received += incoming_.events.size();
  // What they set off may send letters, and so make peers: `peer` is not used any more.
  for (const NodeEvent& event : incoming_.events) actions_.receive(from, event);
}

void Courier::Acknowledge(Peer* peer, std::uint64_t up_to) {
  std::uint64_t count = 0;
  for (; !peer->unacknowledged.empty() && peer->unacknowledged.front().sequence <= up_to; ++count) {
    peer->unacknowledged_events -= peer->unacknowledged.front().events.size();
    peer->unacknowledged.pop_front();
  }
  if (count == 0) return;
  while (!peer->waiting.empty() && HasRoom(*peer)) {
    Add(peer, peer->waiting.begin()->second);
    peer->waiting.erase(peer->waiting.begin());
  }
  // Where one was missed, those behind it were not taken: they go at once, more at a time for each
  // that has arrived, also where a second answer comes before they have gone. Otherwise its turn to
  // be missed begins anew.
  const bool was_missed = peer->attempts > 0 || peer->repeat_at == kAtOnce;
  peer->window = was_missed ? std::min(peer->window + count, kMaxWindow) : 1;
  peer->repeat_at = was_missed ? kAtOnce : kNever;
  peer->attempts = 0;
  has_news_ = true;
}

void Courier::OnEnded(const std::vector<NodeLease>& ended) {
  for (const NodeLease& lease : ended) {
    const auto it = peers_.find(lease);
    if (it == peers_.end()) continue;
    counts_.letters_returned += it->second.unacknowledged_events + it->second.waiting.size();
    peers_.erase(it);
  }
}

void Courier::AppendPeers(std::vector<NodeLease>* peers) const {
  for (const auto& [lease, peer] : peers_) peers->push_back(lease);
}

bool Courier::is_idle() const {
  return std::all_of(peers_.begin(), peers_.end(), [](const auto& entry) {
    return entry.second.unacknowledged_events == 0 && !entry.second.owes_answer;
  });
}

void Courier::Poll(Time now) {
  if (!has_news_ && now < next_event_) return;
  has_news_ = false;
  next_event_ = kNever;
  for (auto& [to, peer] : peers_) {
    if (now >= peer.repeat_at) Repeat(to, &peer, now);
    SendNew(to, &peer);
    if (peer.owes_answer) Publish(to, peer, 0, {});
    peer.owes_answer = false;
    if (!peer.unacknowledged.empty() && peer.repeat_at == kNever) {
      peer.repeat_at = Time{now.ms + backoff_.DelayMs(peer.attempts + 1)};
    }
    next_event_ = std::min(next_event_, peer.repeat_at);
  }
}

void Courier::SendNew(const NodeLease& to, Peer* peer) {
  while (!peer->unsent.empty()) {
    const std::size_t count = std::min(peer->unsent.size(), max_events_);
    Batch& batch = peer->unacknowledged.emplace_back();
    batch.sequence = ++peer->last_sent;
    const auto end = peer->unsent.begin() + static_cast<std::ptrdiff_t>(count);
    batch.events.assign(peer->unsent.begin(), end);
    peer->unsent.erase(peer->unsent.begin(), end);
    Publish(to, *peer, batch.sequence, batch.events);
    peer->owes_answer = false;
  }
}

// At first the first alone: if it is there, what follows may be as well, and the answer will tell.
void Courier::Repeat(const NodeLease& to, Peer* peer, Time now) {
  const bool is_missed = peer->repeat_at != kAtOnce;
  peer->repeat_at = kNever;
  if (peer->unacknowledged.empty() || IsPlanted(PlantedBug::kLettersNotRepeated)) return;
  if (is_missed) peer->repeated_up_to = 0;
  if (peer->attempts >= kPatience) peer->window = 1;
  if (RepeatWindow(to, peer)) ++peer->attempts;
  peer->repeat_at = Time{now.ms + backoff_.DelayMs(peer->attempts + 1)};
}

bool Courier::RepeatWindow(const NodeLease& to, Peer* peer) {
  const std::uint64_t end = peer->unacknowledged.front().sequence + peer->window;
  bool has_repeated = false;
  for (const Batch& batch : peer->unacknowledged) {
    if (batch.sequence >= end) break;
    if (batch.sequence <= peer->repeated_up_to) continue;
    ++counts_.letters_resent;
    Publish(to, *peer, batch.sequence, batch.events);
    peer->repeated_up_to = batch.sequence;
    has_repeated = true;
  }
  return has_repeated;
}

void Courier::Publish(const NodeLease& to, const Peer& peer, std::uint64_t sequence,
                      const std::vector<NodeEvent>& events) {
  outgoing_.from = self_;
  outgoing_.to = to.life;
  outgoing_.sequence = sequence;
  outgoing_.acknowledged = peer.last_received;
  outgoing_.events = events;
  payload_.clear();
  encoder_.Encode(outgoing_, &payload_);
  actions_.publish(to.node, payload_);
}

}  // namespace nearby::internal
