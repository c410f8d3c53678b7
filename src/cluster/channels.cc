#include "src/cluster/channels.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "src/base/planted_bugs.h"

namespace nearby::internal {
namespace {

// Channels looked at in one poll after a change of the ring.
constexpr std::size_t kMovedAtOnce = 4096;

// Names of servers that are held before those that are of no use any more are forgotten.
constexpr std::size_t kMostServers = 256;

}  // namespace

Channels::Channels(const Options& options, Backoff backoff, Actions actions)
    : options_(options), backoff_(backoff), actions_(std::move(actions)) {}

Channels::ServerId Channels::FindServer(absl::string_view name) const {
  const auto found = server_ids_.find(name);
  return found == server_ids_.end() ? kNoServer : found->second;
}

Channels::ServerId Channels::Intern(absl::string_view name) {
  const auto [it, is_new] =
      server_ids_.try_emplace(std::string(name.data(), name.size()), kNoServer);
  if (!is_new) return it->second;
  if (free_servers_.empty()) {
    it->second = static_cast<ServerId>(servers_.size());
    servers_.emplace_back();
  } else {
    it->second = free_servers_.back();
    free_servers_.pop_back();
  }
  servers_[it->second].name = it->first;
  return it->second;
}

void Channels::ForgetServers() {
  std::vector<bool> is_used(servers_.size());
  for (const auto& [channel, entry] : entries_) {
    if (entry.server != kNoServer) is_used[entry.server] = true;
    for (const Former& former : entry.formers) is_used[former.server] = true;
  }
  for (const auto& [number, pending] : pending_) is_used[pending.server] = true;
  for (ServerId server = 0; server < servers_.size(); ++server) {
    const auto found = server_ids_.find(servers_[server].name);
    const bool is_free = found == server_ids_.end() || found->second != server;
    if (is_free || is_used[server]) continue;
    server_ids_.erase(found);
    servers_[server] = Server();
    free_servers_.push_back(server);
  }
}

Channels::ServerId Channels::OwnerOf(Channel channel) {
  const RingSeat* seat = ring_ == nullptr ? nullptr : ring_->Owner(channel);
  return seat == nullptr ? kNoServer : Intern(seat->server);
}

bool Channels::IsWanted(Channel channel) const { return entries_.contains(channel); }

bool Channels::IsLive(Channel channel) const {
  const auto found = entries_.find(channel);
  return found != entries_.end() && found->second.state == State::kLive;
}

void Channels::AddToAll(Channel channel, Entry* entry) {
  entry->place = all_.size();
  all_.push_back(channel);
  const bool are_all_moved = moved_up_to_ + 1 == all_.size();
  if (are_all_moved) ++moved_up_to_;
}

void Channels::RemoveFromAll(std::size_t place) {
  const auto fill = [this](std::size_t hole, std::size_t from) {
    all_[hole] = all_[from];
    entries_.find(all_[hole])->second.place = hole;
  };
  if (place < moved_up_to_) {
    --moved_up_to_;
    if (place != moved_up_to_) fill(place, moved_up_to_);
    place = moved_up_to_;
  }
  if (place + 1 != all_.size()) fill(place, all_.size() - 1);
  all_.pop_back();
}

void Channels::Want(Channel channel) {
  const auto [it, is_new] = entries_.try_emplace(channel);
  if (!is_new) return;
  Entry& entry = it->second;
  AddToAll(channel, &entry);
  entry.server = OwnerOf(channel);
  Enqueue(channel, entry);
}

void Channels::Unwant(Channel channel) {
  const auto it = entries_.find(channel);
  if (it == entries_.end()) return;
  Entry& entry = it->second;
  // One that is still to be answered is unsubscribed once it has been: see OnSubscribed.
  if (entry.state == State::kLive) --live_;
  if (entry.state == State::kLive || entry.may_be_there) LeaveOwner(channel, &entry);
  for (const Former& former : entry.formers) {
    ++counts_.unsubscribes;
    actions_.unsubscribe(servers_[former.server].name, channel);
  }
  const std::size_t place = entry.place;
  RemoveFromAll(place);
  entries_.erase(channel);
}

void Channels::LeaveOwner(Channel channel, Entry* entry) {
  entry->may_be_there = false;
  ++counts_.unsubscribes;
  if (IsPlanted(PlantedBug::kUnsubscribeForgotten)) return;
  actions_.unsubscribe(servers_[entry->server].name, channel);
}

bool Channels::IsFormer(const Entry& entry, ServerId server) {
  return std::any_of(entry.formers.begin(), entry.formers.end(),
                     [server](const Former& former) { return former.server == server; });
}

void Channels::RemoveFormer(Entry* entry, ServerId server) {
  entry->formers.erase(
      std::remove_if(entry->formers.begin(), entry->formers.end(),
                     [server](const Former& former) { return former.server == server; }),
      entry->formers.end());
}

void Channels::Enqueue(Channel channel, const Entry& entry) {
  if (entry.server == kNoServer) return;  // until there is a ring
  if (!entry.is_paced) {
    AddToQueue(&first_, channel);
  } else if (actions_.is_urgent(channel)) {
    AddToQueue(&urgent_, channel);
  } else {
    AddToQueue(&again_, channel);
  }
}

template <typename Queue>
void Channels::AddToQueue(Queue* queue, Channel channel) {
  queue->push_back(channel);
  if (queue->size() <= MaxQueued()) return;
  absl::flat_hash_set<Channel> seen;
  const auto is_old = [this, &seen](Channel queued) {
    const auto found = entries_.find(queued);
    return found == entries_.end() || found->second.state != State::kWaiting ||
           !seen.insert(queued).second;
  };
  Queue kept;
  std::copy_if(queue->begin(), queue->end(), std::back_inserter(kept), std::not_fn(is_old));
  *queue = std::move(kept);
}

void Channels::AddTimeout(Time at, std::uint64_t number) {
  timeouts_.emplace_back(at, number);
  if (timeouts_.size() <= 2 * options_.max_in_flight + 1024) return;
  const auto is_answered = [this](const auto& timeout) {
    return !pending_.contains(timeout.second);
  };
  timeouts_.erase(std::remove_if(timeouts_.begin(), timeouts_.end(), is_answered), timeouts_.end());
}

void Channels::SetRing(RingSource::Ring ring) {
  if (IsPlanted(PlantedBug::kRingUnheardBySubscriber) && ring_ != nullptr) return;
  ring_ = std::move(ring);
  moved_up_to_ = 0;
  ++counts_.ring_changes;
  // A pass over all channels, as the change itself will take.
  if (server_ids_.size() > kMostServers) ForgetServers();
}

void Channels::MoveSome() {
  for (std::size_t i = 0; i < kMovedAtOnce && moved_up_to_ < all_.size(); ++i) {
    const Channel channel = all_[moved_up_to_++];
    Move(channel, &entries_.find(channel)->second);
  }
}

void Channels::Move(Channel channel, Entry* entry) {
  const ServerId owner = OwnerOf(channel);
  if (owner == entry->server) return;
  if (entry->state == State::kLive) {
    --live_;
    entry->formers.push_back({entry->server, kNever});
  } else if (entry->may_be_there) {
    // Where it is a former owner as well, it is listened to until the new one has settled.
    if (!IsFormer(*entry, entry->server)) LeaveOwner(channel, entry);
    entry->may_be_there = false;
  }
  if (entry->state != State::kWaiting) entry->is_paced = true;
  // Back to where it was, and still is: subscribing anew doubles nothing, and until it has been
  // done nobody leaves.
  for (Former& former : entry->formers) {
    if (former.server == owner) former.until = kNever;
  }
  entry->server = owner;
  entry->state = State::kWaiting;
  entry->number = 0;
  Enqueue(channel, *entry);
}

void Channels::OnSubscribed(std::uint64_t number, const absl::Status& status, Time now) {
  const auto it = pending_.find(number);
  if (it == pending_.end()) {
    return;  // It has timed out. If it was subscribed to after all, that is found out by OnStray.
  }
  const Pending pending = it->second;
  pending_.erase(it);
  Server& server = servers_[pending.server];
  server.is_probed = false;
  const auto found = entries_.find(pending.channel);
  const bool is_current = found != entries_.end() && found->second.number == number &&
                          found->second.state == State::kPending;
  if (!status.ok()) {
    ++counts_.subscribe_failures;
    server.retry_at = Time{now.ms + backoff_.DelayMs(++server.failures)};
    if (is_current) {
      Fail(pending.server, pending.channel);
    } else {
      // It may have been carried out all the same.
      OnStray(server.name, pending.channel);
    }
    return;
  }
  Recover(pending.server);
  if (!is_current) {
    OnStray(server.name, pending.channel);
    return;
  }
  Entry& entry = found->second;
  entry.state = State::kLive;
  entry.may_be_there = false;
  entry.is_paced = true;
  ++live_;
  if (!IsPlanted(PlantedBug::kResubscribedUnhealed)) answered_.push_back(pending.channel);
  RemoveFormer(&entry, entry.server);
  for (Former& former : entry.formers) {
    if (former.until != kNever) continue;
    former.until =
        Time{now.ms + (IsPlanted(PlantedBug::kFormerOwnerLeftEarly) ? 0 : options_.settle_ms)};
    settling_.emplace_back(former.until, pending.channel);
  }
}

void Channels::Fail(ServerId server, Channel channel) {
  Entry& entry = entries_.find(channel)->second;
  entry.state = State::kWaiting;
  entry.may_be_there = true;
  entry.is_paced = true;
  entry.number = 0;
  if (!IsPlanted(PlantedBug::kFailedSubscribeGivenUp)) {
    AddToQueue(&servers_[server].waiting, channel);
  }
  answered_.push_back(channel);
}

void Channels::Recover(ServerId server) {
  Server& back = servers_[server];
  back.failures = 0;
  for (const Channel channel : std::exchange(back.waiting, {})) {
    const auto found = entries_.find(channel);
    if (found != entries_.end()) Enqueue(channel, found->second);
  }
}

void Channels::OnLinkLost(absl::string_view name) {
  ++counts_.links_lost;
  if (IsPlanted(PlantedBug::kLinkLossIgnored)) return;
  const ServerId server = FindServer(name);
  if (server == kNoServer) return;
  for (const Channel channel : all_) {
    Entry& entry = entries_.find(channel)->second;
    RemoveFormer(&entry, server);
    if (entry.server != server) continue;
    entry.may_be_there = false;
    if (entry.state == State::kWaiting) continue;
    if (entry.state == State::kLive) --live_;
    entry.state = State::kWaiting;
    entry.is_paced = true;
    entry.number = 0;
    Enqueue(channel, entry);
  }
}

void Channels::OnStray(absl::string_view name, Channel channel) {
  if (IsPlanted(PlantedBug::kStraysIgnored)) return;
  const ServerId server = FindServer(name);
  const auto found = entries_.find(channel);
  if (found != entries_.end()) {
    Entry& entry = found->second;
    if (entry.server == server && server != kNoServer) {
      if (entry.state != State::kLive) entry.may_be_there = true;
      return;
    }
    if (IsFormer(entry, server)) return;
  }
  ++counts_.unsubscribes;
  actions_.unsubscribe(name, channel);
}

void Channels::Subscribe(Channel channel, Entry* entry, Time now) {
  Server& server = servers_[entry->server];
  if (server.failures > 0) {
    entry->is_paced = true;
    if (server.is_probed || now < server.retry_at || credit_ < 1) {
      AddToQueue(&server.waiting, channel);
      return;
    }
    server.is_probed = true;
  }
  entry->state = State::kPending;
  entry->number = next_number_++;
  pending_[entry->number] = {channel, entry->server};
  AddTimeout(Time{now.ms + options_.timeout_ms}, entry->number);
  ++counts_.subscribes;
  if (entry->is_paced) {
    ++counts_.resubscribes;
    credit_ -= 1;
    has_probed_ = server.failures > 0;
  }
  actions_.subscribe(server.name, channel, entry->number);
}

bool Channels::Next(Channel* channel) {
  for (std::deque<Channel>* queue : {&first_, &urgent_, &again_}) {
    if (queue->empty() || (queue != &first_ && credit_ < 1)) continue;
    *channel = queue->front();
    queue->pop_front();
    return true;
  }
  return false;
}

void Channels::AddCredit(Time now) {
  const auto passed = static_cast<double>(std::max<std::int64_t>(0, now.ms - credit_time_.ms));
  credit_ = std::min(credit_ + passed * PerMs(), Burst());
  credit_time_ = now;
}

Time Channels::NextPaced(Time now) const {
  if (credit_ >= 1) return now;
  return Time{now.ms + static_cast<std::int64_t>((1 - credit_) / PerMs()) + 1};
}

void Channels::BeginSubscribing(Time now) {
  Channel channel;
  while (HasRoom() && Next(&channel)) {
    const auto found = entries_.find(channel);
    // It may have been let go of, or be under way by another entry of a queue.
    if (found == entries_.end() || found->second.state != State::kWaiting) continue;
    if (found->second.server == kNoServer) continue;
    if (found->second.is_paced && credit_ < 1) {
      // By an entry from when it was new.
      Enqueue(channel, found->second);
    } else {
      Subscribe(channel, &found->second, now);
    }
  }
}

// Before all others, for many may wait for what one finds out. But where the pace leaves no more,
// in turn with them: servers that stay dead are tried for ever.
void Channels::ProbeServers(Time now) {
  const auto is_others_turn = [this] {
    return has_probed_ && credit_ < 2 && !(urgent_.empty() && again_.empty());
  };
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    while (!servers_[i].waiting.empty() && !servers_[i].is_probed && now >= servers_[i].retry_at &&
           HasRoom() && credit_ >= 1 && !is_others_turn()) {
      const Channel channel = servers_[i].waiting.back();
      servers_[i].waiting.pop_back();
      const auto found = entries_.find(channel);
      if (found == entries_.end() || found->second.state != State::kWaiting) continue;
      if (found->second.server != i) continue;
      Subscribe(channel, &found->second, now);
    }
  }
}

void Channels::TimeOut(Time now) {
  while (!timeouts_.empty() && timeouts_.front().first <= now) {
    const std::uint64_t number = timeouts_.front().second;
    timeouts_.pop_front();
    if (!pending_.contains(number)) continue;
    OnSubscribed(number, absl::DeadlineExceededError("the transport did not answer in time"), now);
  }
}

void Channels::DropFormers(Time now) {
  if (IsPlanted(PlantedBug::kFormerOwnerKept)) settling_.clear();
  while (!settling_.empty() && settling_.front().first <= now) {
    const Channel channel = settling_.front().second;
    settling_.pop_front();
    const auto found = entries_.find(channel);
    if (found == entries_.end()) continue;
    auto& formers = found->second.formers;
    for (std::size_t i = formers.size(); i > 0; --i) {
      if (formers[i - 1].until > now) continue;
      ++counts_.unsubscribes;
      actions_.unsubscribe(servers_[formers[i - 1].server].name, channel);
      formers.erase(formers.begin() + static_cast<std::ptrdiff_t>(i - 1));
    }
  }
}

void Channels::Poll(Time now) {
  TimeOut(now);
  MoveSome();
  DropFormers(now);
  AddCredit(now);
  ProbeServers(now);
  BeginSubscribing(now);
  ProbeServers(now);  // whom the others have left something
  SetNextEvent(now);
}

void Channels::SetNextEvent(Time now) {
  next_event_ = kNever;
  const auto at = [this](Time time) { next_event_ = std::min(next_event_, time); };
  if (moved_up_to_ < all_.size()) at(now);
  if (!timeouts_.empty()) at(timeouts_.front().first);
  if (!settling_.empty()) at(settling_.front().first);
  if (!HasRoom()) return;  // An answer or a timeout comes first.
  const Time next_paced = NextPaced(now);
  if (!urgent_.empty() || !again_.empty()) at(next_paced);
  for (const Server& server : servers_) {
    if (!server.waiting.empty() && !server.is_probed) at(std::max(next_paced, server.retry_at));
  }
}

std::size_t Channels::queued() const {
  std::size_t sum = urgent_.size() + first_.size() + again_.size() + timeouts_.size();
  for (const Server& server : servers_) sum += server.waiting.size();
  return sum;
}

void Channels::AddTo(ClusterStats* stats) const {
  *stats += counts_;
  stats->channels += entries_.size();
  stats->channels_live += live_;
  stats->channels_to_move += all_.size() - moved_up_to_ + urgent_.size() + again_.size();
}

}  // namespace nearby::internal
