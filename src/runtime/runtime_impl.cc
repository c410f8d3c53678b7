#include "src/runtime/runtime_impl.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "nearby/engine.h"
#include "nearby/friend_store.h"
#include "nearby/friendship.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/internal/other_nodes.h"
#include "nearby/location_store.h"
#include "nearby/radius_filter.h"
#include "nearby/runtime.h"
#include "nearby/runtime_options.h"
#include "nearby/runtime_stats.h"
#include "nearby/time.h"
#include "src/base/planted_bugs.h"
#include "src/runtime/calls.h"
#include "src/runtime/joint.h"
#include "src/runtime/mailbox.h"
#include "src/runtime/metrics.h"
#include "src/runtime/shard.h"

namespace nearby {
namespace {

absl::Status Destroyed() { return absl::CancelledError("the runtime was destroyed"); }

absl::Status Behind(ShardId shard) {
  return absl::ResourceExhaustedError(absl::StrCat("shard ", ToInt(shard), " is behind"));
}

absl::Status NoSuchShard() { return absl::NotFoundError("no such session: no such shard"); }

// Whether an edit that ended so may all the same have changed the store.
bool LeavesOpen(const absl::Status& status) {
  return absl::IsDeadlineExceeded(status) || absl::IsUnavailable(status) ||
         absl::IsUnknown(status) || absl::IsInternal(status) || absl::IsCancelled(status);
}

bool IsSamePair(const FriendshipChange& change, const FriendEdit& edit) {
  return (change.user == edit.user && change.friend_id == edit.friend_id) ||
         (change.user == edit.friend_id && change.friend_id == edit.user);
}

RuntimeOptions Complete(RuntimeOptions options, const RuntimeHost& host) {
  options.engine.shard_count = options.shards;
  options.engine.spans_nodes = host.cluster != nullptr;
  return options;
}

absl::Status ValidateReport(LatLng location, Time reported_at) {
  if (absl::Status status = Validate(location); !status.ok()) return status;
  return IsValid(reported_at) ? absl::OkStatus() : ToStatus(ReportOutcome::kInvalidTime);
}

}  // namespace

Runtime::Impl::Impl(const RuntimeOptions& options, RuntimeHost host)
    : options_(Complete(options, host)),
      host_(std::move(host)),
      edits_(options.max_edits_in_flight, absl::ToInt64Milliseconds(options.load_timeout)) {}

absl::Status Runtime::Impl::Start() {
  internal::Mailbox::Options limits;
  limits.max_reports = options_.max_queued_reports;
  limits.max_calls = options_.max_queued_calls;
  limits.max_messages = options_.max_queued_messages;
  std::vector<internal::Mailbox*> mailboxes;
  for (std::uint32_t i = 0; i < options_.shards; ++i) {
    mailboxes_.push_back(std::make_unique<internal::Mailbox>(limits, [this, i] {
      if (host_.wake) host_.wake(ShardId{i});
    }));
    mailboxes.push_back(mailboxes_.back().get());
  }
  EngineOptions engine_options = options_.engine;
  engine_options.hold_connect_answers = true;
  // A resync is a page of everybody in sight. What clients may ask for is checked in Nearby.
  engine_options.max_page_size = std::max(engine_options.max_page_size, engine_options.max_friends);
  engine_options.emit_locations =
      host_.locations != nullptr || host_.history != nullptr || host_.cluster != nullptr;
  for (std::uint32_t i = 0; i < options_.shards; ++i) {
    engine_options.shard = ShardId{i};
    absl::StatusOr<std::unique_ptr<Engine>> engine = Engine::Create(engine_options);
    if (!engine.ok()) return engine.status();
    shards_.push_back(std::make_unique<internal::Shard>(
        options_, ShardId{i}, host_, *std::move(engine), mailboxes, ServicesOf(ShardId{i})));
  }
  if (host_.cluster != nullptr) JoinCluster();
  return absl::OkStatus();
}

void Runtime::Impl::JoinCluster() {
  OtherNodes::Services services;
  services.post = [this](ShardId shard, OtherNodes::Task task) {
    mailbox(shard).AddUnrefusable(internal::TaskPosted{std::move(task)});
  };
  services.is_behind = [this](ShardId shard) { return mailbox(shard).is_behind(); };
  services.steady_ms = [this] { return host_.clock->SteadyMs(); };
  services.apply = [this](const FriendshipChange& change, Done done) {
    Apply(change, std::move(done));
  };
  host_.cluster->Attach(options_.engine, std::move(services));
  for (const auto& shard : shards_) shard->Join(host_.cluster);
}

template <typename Result, typename Then>
absl::AnyInvocable<void(Result)> Runtime::Impl::IfThere(Then then) {
  return [gate = gate_, then = std::move(then)](Result result) mutable {
    if (!gate->Enter()) return;
    then(std::move(result));
    gate->Leave();
  };
}

internal::Shard::Services Runtime::Impl::ServicesOf(ShardId shard) {
  internal::Shard::Services services;
  services.load_list = [this, shard](std::uint64_t load, UserId user) {
    host_.friends->List(
        user,
        IfThere<absl::StatusOr<FriendList>>([this, shard, load](absl::StatusOr<FriendList> list) {
          mailbox(shard).AddUnrefusable(internal::ListArrived{load, std::move(list)});
        }));
  };
  const auto answer = [this, shard](std::uint64_t call) {
    return IfThere<absl::Status>([this, shard, call](absl::Status status) {
      mailbox(shard).AddUnrefusable(internal::StoreAnswered{call, std::move(status)});
    });
  };
  if (host_.locations != nullptr) {
    services.write_locations = [this, answer](std::uint64_t call,
                                              absl::Span<const AcceptedLocation> locations) {
      host_.locations->Write(locations, options_.engine.ttl, answer(call));
    };
    services.erase_locations = [this, answer](std::uint64_t call,
                                              absl::Span<const LocationStore::Erasure> erasures) {
      host_.locations->Erase(erasures, answer(call));
    };
  }
  if (host_.history != nullptr) {
    services.append_history = [this, answer](std::uint64_t call,
                                             absl::Span<const AcceptedLocation> locations) {
      host_.history->Append(locations, answer(call));
    };
  }
  return services;
}

void Runtime::Impl::Shutdown() {
  // First the gate: what comes through it still finds everything as it was.
  gate_->Close();
  if (host_.cluster != nullptr) host_.cluster->Detach();
  is_shut_down_ = true;
  Stop();
  for (const auto& shard : shards_) shard->Cancel();
  for (internal::Edits::Edit& edit : edits_.EndAll()) edit.done(Destroyed());
}

absl::Duration Runtime::Impl::Poll(ShardId shard) {
  if (!IsShard(shard)) return absl::InfiniteDuration();
  // One shard will do: a host polls each of them at least every second.
  if (shard == ShardId{0}) TimeOutEdits();
  const absl::Duration next = shards_[ToInt(shard)]->Poll();
  if (host_.metrics != nullptr) ExportMetricsIfDue();
  return next;
}

absl::Duration Runtime::Impl::PollAll() {
  for (;;) {
    absl::Duration next = absl::InfiniteDuration();
    for (std::uint32_t i = 0; i < options_.shards; ++i) next = std::min(next, Poll(ShardId{i}));
    // A shard may have given work to one that was polled before it.
    const bool is_idle = std::all_of(mailboxes_.begin(), mailboxes_.end(),
                                     [](const auto& mailbox) { return mailbox->is_empty(); });
    if (is_idle && next > absl::ZeroDuration()) return next;
  }
}

void Runtime::Impl::Run(ShardId shard) {
  if (!IsShard(shard)) return;
  while (!is_stopped_) mailbox(shard).Wait(Poll(shard));
}

void Runtime::Impl::Stop() {
  is_stopped_ = true;
  for (const auto& mailbox : mailboxes_) mailbox->Interrupt();
}

template <typename Request>
void Runtime::Impl::Post(ShardId shard, Request request) {
  if (is_shut_down_) {
    request.done(Destroyed());
    return;
  }
  if (!IsShard(shard)) {
    request.done(NoSuchShard());
    return;
  }
  internal::Call call = std::move(request);
  if (mailbox(shard).AddCall(call)) return;
  std::get<Request>(call).done(Behind(shard));
}

void Runtime::Impl::Connect(const ConnectCall& call, ConnectDone done) {
  absl::Status status;
  if (is_draining_ && !IsPlanted(PlantedBug::kDrainedTakesClients)) {
    ++calls_refused_;
    status = absl::UnavailableError("this node is being drained");
  } else {
    // Before other nodes hear of it: what is refused here changes nothing of an earlier session.
    if (call.radius_m) status = ValidateRadius(*call.radius_m);
    if (call.location) {
      status.Update(ValidateReport(call.location->location, call.location->reported_at));
    }
  }
  if (!status.ok()) {
    done(std::move(status));
    return;
  }
  Post(options_.engine.HomeOf(call.user), internal::ConnectRequested{call, std::move(done)});
}

void Runtime::Impl::Disconnect(SessionId session) {
  if (!IsShard(session.shard) || is_shut_down_) return;
  mailbox(session.shard).AddUnrefusable(internal::DisconnectRequested{session.client});
}

void Runtime::Impl::Ready(SessionId session) {
  if (!IsShard(session.shard) || is_shut_down_) return;
  mailbox(session.shard).AddUnrefusable(internal::ReadyAgain{session.client});
}

absl::Status Runtime::Impl::Report(const SessionReport& report) {
  if (absl::Status status = ValidateReport(report.location, report.reported_at); !status.ok()) {
    return status;
  }
  if (!IsShard(report.session.shard)) return NoSuchShard();
  const LocationReport one{report.session.client, report.location, report.reported_at};
  return mailbox(report.session.shard).AddReports({&one, 1}) == 1 ? absl::OkStatus()
                                                                  : Behind(report.session.shard);
}

std::size_t Runtime::Impl::ReportAll(absl::Span<const SessionReport> reports) {
  std::vector<std::vector<LocationReport>> by_shard(options_.shards);
  std::size_t taken = 0;
  for (const SessionReport& report : reports) {
    if (!IsShard(report.session.shard)) continue;
    if (!ValidateReport(report.location, report.reported_at).ok()) continue;
    by_shard[ToInt(report.session.shard)].push_back(
        {report.session.client, report.location, report.reported_at});
  }
  for (std::uint32_t i = 0; i < options_.shards; ++i) {
    if (!by_shard[i].empty()) taken += mailboxes_[i]->AddReports(by_shard[i]);
  }
  return reports.size() - taken;
}

void Runtime::Impl::SetRadius(SessionId session, double radius_m, Done done) {
  Post(session.shard, internal::RadiusRequested{session.client, radius_m, std::move(done)});
}

void Runtime::Impl::Nearby(UserId user, PageToken after, std::size_t page_size, NearbyDone done) {
  if (page_size == 0 || page_size > options_.engine.max_page_size) {
    done(absl::InvalidArgumentError(absl::StrCat("page size ", page_size, " lies outside 1 .. ",
                                                 options_.engine.max_page_size)));
    return;
  }
  Post(options_.engine.HomeOf(user),
       internal::PageRequested{user, after, page_size, std::move(done)});
}

void Runtime::Impl::Edit(const FriendEdit& edit, EditDone done) {
  if (is_shut_down_) {
    done(Destroyed());
    return;
  }
  // Before the store has it: what is stored is put in force, whatever waits.
  if (absl::Status may = host_.cluster == nullptr ? absl::OkStatus() : host_.cluster->MayFence();
      !may.ok()) {
    ++edits_failed_;
    done(std::move(may));
    return;
  }
  internal::Edits::Edit entry{edit, std::move(done)};
  const std::optional<std::uint64_t> number = edits_.Begin(entry, host_.clock->Now());
  if (!number) {
    ++edits_failed_;
    entry.done(absl::ResourceExhaustedError("too many edits of friendships are under way"));
    return;
  }
  host_.friends->Edit(
      edit, IfThere<absl::StatusOr<FriendshipOutcome>>(
                [this, number = *number, edit](absl::StatusOr<FriendshipOutcome> outcome) {
                  OnEdited(number, edit, std::move(outcome));
                }));
}

void Runtime::Impl::OnEdited(std::uint64_t number, const FriendEdit& edit,
                             absl::StatusOr<FriendshipOutcome> outcome) {
  if (outcome.ok() && !IsSamePair(outcome->change, edit)) {
    outcome = absl::InternalError("the friend store answered for another pair");
  }
  if (!edits_.Answer(number)) {
    // An answer that comes too late, or twice, completes nothing. But what the store has changed is
    // to be in force here as well, and the lists may have been loaded before that.
    if (outcome.ok()) {
      ApplyEverywhere(outcome->change, [](const absl::Status&) {});
    } else if (LeavesOpen(outcome.status())) {
      ReloadLists(edit);
    }
    return;
  }
  if (outcome.ok()) {
    // Applied even where nothing has changed: the call that did change it may not have come to the
    // shards yet, and what is acknowledged must be in force.
    ApplyEverywhere(outcome->change, FinishOf(number));
    return;
  }
  FailEdit(number, edit, outcome.status());
}

void Runtime::Impl::FailEdit(std::uint64_t number, const FriendEdit& edit,
                             const absl::Status& status) {
  if (LeavesOpen(status)) ReloadLists(edit);
  // By way of a shard: this may be a thread of the store's, which the host's completions must not
  // meet.
  mailbox_of(edit.user).AddUnrefusable(
      internal::EditFailed{status, std::make_shared<internal::Joint>(1, FinishOf(number))});
}

void Runtime::Impl::ReloadLists(const FriendEdit& edit) {
  for (const UserId user : {edit.user, edit.friend_id}) {
    mailbox_of(user).AddUnrefusable(internal::ReloadRequested{user});
    if (host_.cluster != nullptr) host_.cluster->Reload(user);
  }
}

// Or each edit that the store never answers would keep its place for ever, until none is left.
void Runtime::Impl::TimeOutEdits() {
  const Time now = host_.clock->Now();
  while (const std::optional<internal::Edits::Unanswered> late = edits_.TimeOut(now)) {
    ++edit_timeouts_;
    FailEdit(late->number, late->edit,
             absl::DeadlineExceededError("the friend store did not answer in time"));
  }
}

// Called by a shard, or by the end of its mailbox, which edits_ outlives.
Runtime::Done Runtime::Impl::FinishOf(std::uint64_t number) {
  return [this, number](const absl::Status& status) { FinishEdit(number, status); };
}

void Runtime::Impl::FinishEdit(std::uint64_t number, const absl::Status& status) {
  std::optional<internal::Edits::Edit> edit = edits_.End(number);
  if (!edit) return;
  if (!status.ok()) {
    ++edits_failed_;
    edit->done(status);
    return;
  }
  ++edits_done_;
  if (edit->edit.kind != FriendEdit::Kind::kSubscribe) {
    edit->done(std::optional<NearbyFriend>());
    return;
  }
  mailbox_of(edit->edit.user)
      .AddUnrefusable(internal::SubscriptionCommitted{edit->edit, std::move(edit->done)});
}

void Runtime::Impl::ApplyEverywhere(const FriendshipChange& change, Done done) {
  if (host_.cluster == nullptr) {
    Apply(change, std::move(done));
    return;
  }
  if (IsPlanted(PlantedBug::kEditDoneBeforeFence)) {
    host_.cluster->Fence(change, [](const absl::Status&) {});
    return Apply(change, std::move(done));
  }
  auto joint = std::make_shared<internal::Joint>(2, std::move(done));
  host_.cluster->Fence(change, [joint](const absl::Status& status) { joint->Finish(status); });
  Apply(change, [joint = std::move(joint)](const absl::Status& status) { joint->Finish(status); });
}

void Runtime::Impl::Apply(const FriendshipChange& change, Done done) {
  if (is_shut_down_) {
    done(Destroyed());
    return;
  }
  internal::Mailbox& one = mailbox_of(change.user);
  internal::Mailbox& other = mailbox_of(change.friend_id);
  const std::size_t parts = &one == &other ? 1 : 2;
  auto joint = std::make_shared<internal::Joint>(parts, std::move(done));
  if (parts == 2) other.AddUnrefusable(internal::ChangeCommitted{change, joint});
  // Nothing of it stays here: the shards may be quicker than this call, and the last to let go is
  // the one that completes it.
  one.AddUnrefusable(internal::ChangeCommitted{change, std::move(joint)});
}

Runtime::Done Runtime::Impl::AfterDrain(Done done) {
  if (host_.cluster == nullptr || IsPlanted(PlantedBug::kDrainOverBeforeLease)) return done;
  // Let go of unfinished, by whoever goes first, it completes with Cancelled.
  return [this, last = std::make_shared<internal::Joint>(1, std::move(done))](
             const absl::Status& status) {
    if (!status.ok()) return last->Finish(status);
    host_.cluster->Retire([last](const absl::Status& retired) { last->Finish(retired); });
  };
}

void Runtime::Impl::Drain(Done done) {
  if (is_shut_down_) {
    done(Destroyed());
    return;
  }
  is_draining_ = true;
  auto joint = std::make_shared<internal::Joint>(mailboxes_.size(), AfterDrain(std::move(done)));
  if (IsPlanted(PlantedBug::kDrainLosesLease)) host_.cluster->Retire([](const absl::Status&) {});
  for (std::size_t i = 1; i < mailboxes_.size(); ++i) {
    if (IsPlanted(PlantedBug::kDrainOfFirstShard)) continue;
    mailboxes_[i]->AddUnrefusable(internal::DrainRequested{joint});
  }
  // As in Apply, nothing of it stays here.
  mailboxes_[0]->AddUnrefusable(internal::DrainRequested{std::move(joint)});
}

RuntimeStats Runtime::Impl::stats() const {
  RuntimeStats sum;
  for (const auto& shard : shards_) sum += shard->stats();
  sum.edits = edits_done_;
  sum.edits_failed = edits_failed_;
  sum.edits_in_flight = edits_.size();
  sum.store_timeouts += edit_timeouts_;
  sum.calls_refused += calls_refused_;
  return sum;
}

absl::Status Runtime::Impl::CheckInvariants() const {
  for (const auto& shard : shards_) {
    if (absl::Status status = shard->CheckInvariants(); !status.ok()) return status;
  }
  return absl::OkStatus();
}

void Runtime::Impl::ExportMetricsIfDue() {
  const Time now = host_.clock->Now();
  const std::unique_lock<std::mutex> lock(metrics_mutex_, std::try_to_lock);
  if (!lock.owns_lock() || !IsValid(now) || now < next_export_) return;
  next_export_ = Time{now.ms + absl::ToInt64Milliseconds(options_.metrics_interval)};
  internal::ExportMetrics(stats(), host_.metrics);
}

}  // namespace nearby
