#include "src/cluster/cluster_impl.h"

#include <string>
#include <utility>

#include "src/base/planted_bugs.h"

namespace nearby {

Cluster::Impl::Impl(const ClusterOptions& options, const ClusterHost& host)
    : options_(options), host_(host) {}

template <typename Result, typename Then>
absl::AnyInvocable<void(Result)> Cluster::Impl::OnShard(ShardId shard, Then then) {
  return [this, gate = gate_, shard, then = std::move(then)](Result result) mutable {
    if (!gate->Enter()) return;
    Post(shard, [then = std::move(then), result = std::move(result)]() mutable {
      then(std::move(result));
    });
    gate->Leave();
  };
}

void Cluster::Impl::Attach(const EngineOptions& options, Services services) {
  engine_ = options;
  services_ = std::move(services);
  office_ = std::make_unique<internal::Office>(options_, host_.transport->max_payload(),
                                               OfficeActions(), &lease_state_);
}

NodeGateway* Cluster::Impl::MakeGateway(ShardId shard, NodeGateway::Services services) {
  gateways_.push_back(std::make_unique<internal::Gateway>(
      options_, engine_, shard, std::move(services), OutsideOf(shard), &lease_state_,
      shard == kOffice ? office_.get() : nullptr));
  NodeGateway* made = gateways_.back().get();
  if (gateways_.size() == engine_.shard_count) Begin();
  return made;
}

void Cluster::Impl::Begin() {
  gateway(kOffice).WantInbox();
  host_.transport->SetReceiver(this);
  watcher_ = host_.ring->Watch([this](const RingSource::Ring& ring) { OnRing(ring); });
}

void Cluster::Impl::Detach() {
  if (is_detached_) return;
  is_detached_ = true;
  if (watcher_ != nullptr) {
    watcher_.reset();
    host_.transport->SetReceiver(nullptr);
  }
  gate_->Close();
  if (office_ != nullptr) office_->Cancel();
}

void Cluster::Impl::OnRing(const RingSource::Ring& ring) {
  {
    const std::lock_guard<std::mutex> lock(ring_mutex_);
    if (!IsPlanted(PlantedBug::kRingUnheardByPublisher) || ring_ == nullptr) ring_ = ring;
  }
  for (std::uint32_t i = 0; i < engine_.shard_count; ++i) {
    Post(ShardId{i}, [this, i, ring] { gateway(ShardId{i}).SetRing(ring); });
  }
}

void Cluster::Impl::OnMessage(absl::string_view server, Channel channel,
                              absl::string_view payload) {
  if (channel.kind == Channel::Kind::kInbox) {
    Post(kOffice,
         [this, bytes = std::string(payload.data(), payload.size())] { office_->OnInbox(bytes); });
    return;
  }
  const ShardId shard = engine_.HomeOf(channel.user());
  if (services_.is_behind(shard)) {
    // The next location makes up for it, or a probe does.
    ++batches_dropped_;
    return;
  }
  Post(shard, [this, shard, channel, name = std::string(server.data(), server.size()),
               bytes = std::string(payload.data(), payload.size())] {
    gateway(shard).OnPayload(name, channel, bytes);
  });
}

void Cluster::Impl::OnLinkLost(absl::string_view server, const absl::Status& /*why*/) {
  for (std::uint32_t i = 0; i < engine_.shard_count; ++i) {
    Post(ShardId{i}, [this, i, name = std::string(server.data(), server.size())] {
      gateway(ShardId{i}).OnLinkLost(name);
    });
  }
}

void Cluster::Impl::Publish(Channel channel, absl::string_view payload) {
  RingSource::Ring ring;
  {
    const std::lock_guard<std::mutex> lock(ring_mutex_);
    ring = ring_;
  }
  const RingSeat* owner = ring == nullptr ? nullptr : ring->Owner(channel);
  if (owner == nullptr) {
    ++publish_failures_;
    return;
  }
  host_.transport->Publish(owner->server, channel, payload,
                           [this, gate = gate_](const absl::Status& status) {
                             if (status.ok() || !gate->Enter()) return;
                             ++publish_failures_;
                             gate->Leave();
                           });
}

internal::Outside Cluster::Impl::OutsideOf(ShardId shard) {
  internal::Outside outside;
  outside.subscribe = [this, shard](absl::string_view server, Channel channel,
                                    std::uint64_t number) {
    host_.transport->Subscribe(
        server, channel,
        OnShard<absl::Status>(shard, [this, shard, number](const absl::Status& status) {
          gateway(shard).OnSubscribed(number, status);
        }));
  };
  outside.unsubscribe = [this](absl::string_view server, Channel channel) {
    host_.transport->Unsubscribe(server, channel, [](const absl::Status&) {});
  };
  outside.publish = [this](Channel channel, absl::string_view payload) {
    Publish(channel, payload);
  };
  outside.look_up = [this, shard](std::uint64_t number, absl::Span<const UserId> users) {
    using Found = absl::StatusOr<std::vector<std::vector<SessionHolder>>>;
    host_.directory->Lookup(users, OnShard<Found>(shard, [this, shard, number](Found found) {
                              gateway(shard).OnLookedUp(number, std::move(found));
                            }));
  };
  outside.read = [this, shard](std::uint64_t number, absl::Span<const UserId> users) {
    using Found = absl::StatusOr<std::vector<std::optional<AcceptedLocation>>>;
    host_.locations->Read(users, OnShard<Found>(shard, [this, shard, number](Found found) {
                            gateway(shard).OnRead(number, std::move(found));
                          }));
  };
  outside.claim = [this, shard](std::uint64_t number, const NodeLease& lease,
                                absl::Span<const UserId> users) {
    using Claimed = absl::StatusOr<std::vector<SessionDirectory::Claimed>>;
    host_.directory->Claim(lease, users,
                           OnShard<Claimed>(shard, [this, shard, number](Claimed claimed) {
                             gateway(shard).OnClaimed(number, std::move(claimed));
                           }));
  };
  outside.release = [this, shard](std::uint64_t number, const NodeLease& lease,
                                  absl::Span<const SessionDirectory::Session> sessions) {
    host_.directory->Release(
        lease, sessions,
        OnShard<absl::Status>(shard, [this, shard, number](const absl::Status& status) {
          gateway(shard).OnReleased(number, status);
        }));
  };
  outside.find_ended = [this, shard](std::uint64_t number, absl::Span<const NodeLease> leases) {
    using Ended = absl::StatusOr<std::vector<NodeLease>>;
    host_.directory->FindEnded(leases,
                               OnShard<Ended>(shard, [this, shard, number](const Ended& ended) {
                                 gateway(shard).OnEnded(number, ended);
                               }));
  };
  outside.send_letter = [this, shard](const NodeLease& to, const NodeEvent& event) {
    if (shard == kOffice) return office_->Send(to, event);
    Post(kOffice, [this, to, event] { office_->Send(to, event); });
  };
  return outside;
}

internal::Office::Actions Cluster::Impl::OfficeActions() {
  internal::Office::Actions actions;
  actions.begin_lease = [this](std::uint64_t number) {
    using Life = absl::StatusOr<Epoch>;
    host_.directory->BeginLease(options_.node, options_.lease_duration,
                                OnShard<Life>(kOffice, [this, number](const Life& life) {
                                  office_->OnLease(number, life);
                                }));
  };
  actions.renew_lease = [this](std::uint64_t number, const NodeLease& lease) {
    host_.directory->RenewLease(
        lease, options_.lease_duration,
        OnShard<absl::Status>(kOffice, [this, number](const absl::Status& status) {
          office_->OnRenewed(number, status);
        }));
  };
  actions.end_lease = [this](std::uint64_t number, const NodeLease& lease) {
    host_.directory->EndLease(
        lease, OnShard<absl::Status>(kOffice, [this, number](const absl::Status& status) {
          office_->OnReturned(number, status);
        }));
  };
  actions.find_ended = [this](std::uint64_t number, absl::Span<const NodeLease> leases) {
    using Ended = absl::StatusOr<std::vector<NodeLease>>;
    host_.directory->FindEnded(leases, OnShard<Ended>(kOffice, [this, number](const Ended& ended) {
                                 office_->OnEnded(number, ended);
                               }));
  };
  actions.look_up = [this](std::uint64_t number, absl::Span<const UserId> users) {
    using Found = absl::StatusOr<std::vector<std::vector<SessionHolder>>>;
    host_.directory->Lookup(users, OnShard<Found>(kOffice, [this, number](Found found) {
                              office_->OnLookedUp(number, std::move(found));
                            }));
  };
  actions.publish = [this](NodeId node, absl::string_view payload) {
    Publish(Channel::Inbox(node), payload);
  };
  actions.lease_begun = [this](const NodeLease& lease) {
    for (std::uint32_t i = 0; i < engine_.shard_count; ++i) {
      Post(ShardId{i}, [this, i, lease] { gateway(ShardId{i}).BeginLease(lease); });
    }
  };
  actions.hand_out = [this](const NodeLease& from, const NodeEvent& event) {
    const ShardId shard = engine_.HomeOf(event.user);
    Post(shard, [this, shard, from, event] { gateway(shard).OnLetter(from, event); });
  };
  actions.apply = [this](const NodeLease& from, std::uint64_t request,
                         const FriendshipChange& change) {
    services_.apply(change, OnShard<absl::Status>(
                                kOffice, [this, from, request](const absl::Status& /*status*/) {
                                  office_->OnApplied(from, request);
                                }));
  };
  actions.reload = [this](UserId user) {
    const ShardId shard = engine_.HomeOf(user);
    Post(shard, [this, shard, user] { gateway(shard).ReloadList(user); });
  };
  return actions;
}

absl::Status Cluster::Impl::MayFence() {
  // By the gate: the office goes with the cluster alone, but is made when the runtime is.
  if (!gate_->Enter()) return absl::CancelledError("the runtime was destroyed");
  const bool may = office_ == nullptr || office_->may_fence();
  gate_->Leave();
  if (may) return absl::OkStatus();
  ++fences_refused_;
  return absl::ResourceExhaustedError(
      "too many changes of friendships are not known to be in force on other nodes yet");
}

void Cluster::Impl::Fence(const FriendshipChange& change, Done done) {
  if (!gate_->Enter()) {
    done(absl::CancelledError("the runtime was destroyed"));
    return;
  }
  Post(kOffice, [this, change, done = std::move(done)]() mutable {
    office_->Fence(change, std::move(done));
  });
  gate_->Leave();
}

void Cluster::Impl::Reload(UserId user) {
  if (!gate_->Enter()) return;
  Post(kOffice, [this, user] { office_->Reload(user); });
  gate_->Leave();
}

void Cluster::Impl::Retire(Done done) {
  if (!gate_->Enter()) {
    done(absl::CancelledError("the runtime was destroyed"));
    return;
  }
  Post(kOffice, [this, done = std::move(done)]() mutable { office_->Retire(std::move(done)); });
  gate_->Leave();
}

NodeHealth Cluster::Impl::health() const {
  // By the gate: the runtime, whose clock it is, does not go meanwhile.
  if (!gate_->Enter()) return NodeHealth::kUnready;
  NodeHealth health = NodeHealth::kUnready;
  const std::int64_t until_ms = lease_state_.UntilMs();
  // Services are there if there has been a lease.
  const std::int64_t now_ms =
      until_ms == internal::LeaseState::kLongAgo ? until_ms : services_.steady_ms();
  if (now_ms < until_ms) {
    const absl::Duration left = absl::Milliseconds(until_ms - now_ms);
    const absl::Duration passed = options_.lease_duration - options_.lease_margin - left;
    health = passed < options_.lease_duration / 2 ? NodeHealth::kReady : NodeHealth::kOverdue;
  }
  gate_->Leave();
  return health;
}

ClusterStats Cluster::Impl::stats() const {
  ClusterStats sum;
  for (const auto& gateway : gateways_) sum += gateway->stats();
  if (office_ != nullptr) sum += office_->stats();
  sum.publish_failures += publish_failures_;
  sum.batches_dropped += batches_dropped_;
  sum.fences_refused += fences_refused_;
  return sum;
}

}  // namespace nearby
