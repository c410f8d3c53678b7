#include "tests/sim/world.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "tests/sim/pace.h"

namespace nearby::sim {
namespace {

RuntimeOptions MakeRuntimeOptions(SimulatedRandom* random) {
  RuntimeOptions options;
  options.shards = 1 + static_cast<std::uint32_t>(random->Below(2));
  options.engine.radius_m = kRadiusM;
  options.engine.ttl = absl::Milliseconds(kTtlMs);
  options.engine.unsubscribe_delay = absl::Seconds(1);
  options.engine.max_remembered_changes = random->Chance(0.1) ? 4 : 1000;
  options.load_timeout = absl::Seconds(2);
  options.min_retry_delay = absl::Milliseconds(20);
  options.max_retry_delay = absl::Milliseconds(500);
  options.max_pending_events = random->Chance(0.2) ? 2 : 64;
  return options;
}

ClusterOptions MakeClusterOptions(NodeId node, bool probes_rarely) {
  ClusterOptions options;
  options.node = node;
  options.lease_duration = absl::Milliseconds(kLeaseMs);
  options.lease_margin = absl::Seconds(1);
  options.probe_interval = absl::Milliseconds(probes_rarely ? kRareProbeMs : kProbeMs);
  options.max_park = absl::Milliseconds(kMaxParkMs);
  options.ring_settle = absl::Seconds(4);
  options.call_timeout = absl::Seconds(1);
  options.min_retry_delay = absl::Milliseconds(20);
  options.max_retry_delay = absl::Milliseconds(500);
  options.max_resubscribes_per_second = 50;
  return options;
}

Simulation::Options SimulationOptions() {
  Simulation::Options options;
  options.start = Time::Millis(1'700'000'000'000);
  return options;
}

Ledger::Limits LedgerLimits() {
  // The oldest location that is not expired, on the clock that is farthest behind, for a client who
  // has been busy for longest.
  return {kRadiusM, kTtlMs + 30'000};
}

}  // namespace

World::World(const WorldOptions& options, absl::Span<const RingSource::Ring> rings)
    : options_(options),
      rings_(rings.begin(), rings.end()),
      scenery_(options.seed, SimulationOptions()),
      random_(scenery_.simulation.random().Fork()),
      odds_(Odds::Draw(&random_)),
      ledger_(&scenery_.simulation, LedgerLimits()),
      history_(&scenery_.faults, &ledger_) {
  scenery_.history = &history_;
  RuntimeOptions runtime = MakeRuntimeOptions(&random_);
  // Lists that are loaded again would heal what must not go wrong in the first place.
  refreshes_lists_ = random_.Chance(0.3);
  runtime.list_refresh_interval =
      refreshes_lists_ ? absl::Milliseconds(kRefreshMs) : absl::InfiniteDuration();
  probes_rarely_ = random_.Chance(0.5);
  const std::size_t nodes = options.nodes != 0 ? options.nodes : 2 + random_.Below(4);
  for (std::size_t i = 0; i < nodes; ++i) {
    const NodeId id{i + 1};
    const std::int64_t steady_ppm =
        random_.Chance(0.75) ? random_.Between(-1, 1) * kMaxSteadyPpm : 0;
    nodes_.push_back(std::make_unique<Node>(
        &scenery_, id, runtime, MakeClusterOptions(id, probes_rarely_), steady_ppm, this));
  }
  phones_.resize(4 + random_.Below(9));
  MakeFriends();
  if (options.has_faults) {
    scenery_.faults.SetOptions(
        SimulatedFaultOptions::Draw(&random_, /*breaks_contracts=*/random_.Chance(0.7)));
  }
  // The first ring is known from the beginning; the others come as they come.
  scenery_.rings.Set(rings_[next_ring_++]).IgnoreError();
}

World::~World() {
  for (const auto& node : nodes_) {
    if (node->is_up()) node->Crash();
  }
}

void World::MakeFriends() {
  for (std::size_t i = 0; i < phones_.size(); ++i) {
    Phone& phone = phones_[i];
    phone.user = UserId{100 + i};
    // Most live in town, some so far away that nobody need listen to them.
    const double far_m = random_.Chance(0.25) ? 150'000 : 0;
    const double north_m = far_m + random_.Fraction() * 16'000 - 8000;
    phone.place = {kTown.lat + north_m / kMetersPerDegree, kTown.lng};
  }
  for (std::size_t a = 0; a < phones_.size(); ++a) {
    for (std::size_t b = a + 1; b < phones_.size(); ++b) {
      if (!random_.Chance(0.6)) continue;
      const UserId one = phones_[a].user;
      const UserId other = phones_[b].user;
      scenery_.friends.Edit({FriendEdit::Kind::kBefriend, one, other}, [](auto) {});
      ledger_.SetFriends(one, other);
    }
  }
}

void World::ScheduleAll() {
  Simulation& simulation = scenery_.simulation;
  for (const auto& node : nodes_) node->Begin();
  for (std::size_t i = 0; i < phones_.size(); ++i) {
    simulation.After(random_.Between(0, 1000), [this, i] { ActPhone(i); });
  }
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    simulation.After(1000, [this, i] { ActNode(i); });
  }
  simulation.After(500, [this] { ActEdit(); });
  simulation.After(5000, [this] { ActRing(); });
}

bool World::Run() {
  ScheduleAll();
  Simulation& simulation = scenery_.simulation;
  while (simulation.event_count() < options_.steps && simulation.Step()) {
    if (simulation.event_count() % 512 == 0) CheckNodes();
  }
  ledger_.BeginScene("after the faults");
  is_quiet_ = true;
  scenery_.faults.Quiet();
  quiet_pace_ = scenery_.faults.options();
  for (const auto& node : nodes_) {
    if (!node->is_up()) node->Begin();
  }
  simulation.RunFor(kHealMs);
  ledger_.OnHealed();
  MakeUp();
  simulation.RunFor(kMakeUpMs);
  is_still_ = true;
  simulation.RunFor(kConvergeMs);
  if (!ledger_.has_violation()) CheckNodes();
  if (!ledger_.has_violation()) CheckConverged();
  if (!ledger_.has_violation()) PlayLastActs();
  return !ledger_.has_violation();
}

// --- phones ---

bool World::IsAlive(const Phone& phone) const {
  const Node& node = *nodes_[phone.node];
  return phone.state == State::kOnline && node.is_up() && node.process_number() == phone.process;
}

std::size_t World::RandomNode() { return random_.Below(nodes_.size()); }

void World::ActPhone(std::size_t index) {
  Phone& phone = phones_[index];
  // A connection to a node that is gone is noticed by and by.
  if (phone.state != State::kOffline &&
      (!nodes_[phone.node]->is_up() || nodes_[phone.node]->process_number() != phone.process)) {
    Leave(&phone);
  }
  if (phone.state == State::kOffline) {
    if (!phone.is_away && (is_quiet_ || random_.Chance(0.5))) Connect(index);
  } else if (phone.state == State::kOnline) {
    if (!is_quiet_ && random_.Chance(odds_.disconnect)) {
      nodes_[phone.node]->runtime().Disconnect(phone.session);
      Leave(&phone);
    } else if (!is_quiet_ && random_.Chance(odds_.reconnect)) {
      // To another node, or anew to the same, while the old connection is still open.
      Connect(index, random_.Chance(0.3) ? phone.node : RandomNode());
    } else if (!phone.is_silent) {
      Report(&phone);
    }
  }
  scenery_.simulation.After(random_.Between(kReportMs / 2, kReportMs * 3 / 2),
                            [this, index] { ActPhone(index); });
}

void World::Connect(std::size_t index) { Connect(index, RandomNode()); }

void World::Connect(std::size_t index, std::size_t node) {
  Connect(index, node, is_quiet_ || random_.Chance(0.8));
}

void World::Connect(std::size_t index, std::size_t node, bool with_location) {
  Phone& phone = phones_[index];
  if (!nodes_[node]->is_up()) return;
  if (phone.state == State::kConnecting) ledger_.OnLeft(phone.cookie);
  if (phone.state == State::kOnline) phone.former_cookie = phone.cookie;
  phone.state = State::kConnecting;
  phone.node = node;
  phone.process = nodes_[node]->process_number();
  phone.cookie = connections_.size();
  connections_.push_back({index, node, phone.process, SessionId()});
  ledger_.OnConnecting(phone.cookie, phone.user);
  // While their friends are being loaded.
  if (!is_quiet_ && random_.Chance(0.3)) {
    scenery_.simulation.After(random_.Between(0, 1000), [this, index] {
      if (!is_quiet_) EditFriendsOf(index);
    });
  }
  ConnectCall call;
  call.user = phone.user;
  call.cookie = phone.cookie;
  if (with_location) {
    Move(&phone);
    call.location = TimedLocation{phone.place, scenery_.simulation.now()};
    NoteReport(&phone);
  }
  nodes_[node]->runtime().Connect(
      call, [this, index, cookie = phone.cookie, node,
             process = phone.process](const absl::StatusOr<ConnectResult>& result) {
        OnAnswer(index, cookie, node, process, result);
      });
}

void World::OnAnswer(std::size_t index, std::uint64_t cookie, std::size_t node,
                     std::uint64_t process, const absl::StatusOr<ConnectResult>& result) {
  Phone& phone = phones_[index];
  const bool is_current = phone.state == State::kConnecting && phone.cookie == cookie;
  if (result.ok()) {
    connections_[cookie].session = result->session;
    ledger_.OnConnected(cookie, *result);
    if (is_current) {
      LetGoOfFormer(&phone);
      phone.state = State::kOnline;
      phone.session = result->session;
    } else if (nodes_[node]->is_up() && nodes_[node]->process_number() == process) {
      // The phone has given up waiting.
      ledger_.OnLeft(cookie);
      nodes_[node]->runtime().Disconnect(result->session);
    }
    return;
  }
  if (is_current && !GoBack(&phone)) Leave(&phone);
}

bool World::GoBack(Phone* phone) {
  if (!phone->former_cookie) return false;
  const Connection& former = connections_[*phone->former_cookie];
  const Node& node = *nodes_[former.node];
  if (!node.is_up() || node.process_number() != former.process) return false;
  ledger_.OnLeft(phone->cookie);
  phone->state = State::kOnline;
  phone->cookie = *phone->former_cookie;
  phone->node = former.node;
  phone->process = former.process;
  phone->session = former.session;
  phone->former_cookie.reset();
  return true;
}

void World::LetGoOfFormer(Phone* phone) {
  if (phone->former_cookie) ledger_.OnLeft(*phone->former_cookie);
  phone->former_cookie.reset();
}

void World::Leave(Phone* phone) {
  LetGoOfFormer(phone);
  ledger_.OnLeft(phone->cookie);
  phone->state = State::kOffline;
  phone->has_reported = false;
  phone->previous.reset();
}

void World::Move(Phone* phone) {
  if (is_still_) return;
  double step_m = (random_.Fraction() - 0.5) * 60;
  if (random_.Chance(0.1)) step_m = (random_.Fraction() - 0.5) * 8000;
  if (random_.Chance(0.01)) {
    phone->place.lat = kTown.lat + (random_.Fraction() - 0.5) * 16'000 / kMetersPerDegree;
  }
  phone->place.lat += step_m / kMetersPerDegree;
}

void World::Report(Phone* phone) {
  Move(phone);
  NoteReport(phone);
  const Time now = scenery_.simulation.now();
  Runtime& runtime = nodes_[phone->node]->runtime();
  runtime.Report({phone->session, phone->place, now}).IgnoreError();
  // The one before comes once more, late.
  if (phone->previous && random_.Chance(0.02)) {
    const auto& [place, reported_at] = *phone->previous;
    runtime.Report({phone->session, place, reported_at}).IgnoreError();
  }
  phone->previous = TimedLocation{phone->place, now};
}

void World::ReportIfAlive(std::size_t phone) {
  if (IsAlive(phones_[phone])) Report(&phones_[phone]);
}

void World::NoteReport(Phone* phone) {
  const Time now = scenery_.simulation.now();
  ledger_.OnReported(phone->user, Position::FromLatLng(phone->place), now);
  history_.OnReported(phone->user, Position::FromLatLng(phone->place), now);
  phone->has_reported = true;
  phone->last_report = now;
}

ClientSink::Flow World::Deliver(const ClientBatch& batch) {
  ledger_.OnDelivered(batch);
  if (is_still_ || !random_.Chance(0.1)) return Flow::kReady;
  ledger_.OnBusy(batch.cookie);
  const std::uint64_t cookie = batch.cookie;
  scenery_.simulation.After(random_.Between(1, 5000), [this, cookie, session = batch.session] {
    const Connection& connection = connections_[cookie];
    Node& node = *nodes_[connection.node];
    if (node.is_up() && node.process_number() == connection.process) node.runtime().Ready(session);
  });
  return Flow::kBusy;
}

void World::Ended(SessionId /*session*/, std::uint64_t cookie, EndReason /*reason*/) {
  ledger_.OnEnded(cookie);
  Phone& phone = phones_[connections_[cookie].phone];
  if (phone.former_cookie == cookie) phone.former_cookie.reset();
  if (phone.cookie == cookie && phone.state == State::kOnline) Leave(&phone);
}

// --- the rest of the world ---

void World::ActEdit() {
  if (is_quiet_) return;
  scenery_.simulation.After(random_.Draw(odds_.edit_pause), [this] { ActEdit(); });
  EditFriendsOf(random_.Below(phones_.size()));
}

void World::EditFriendsOf(std::size_t phone) {
  FriendEdit edit;
  edit.kind = static_cast<FriendEdit::Kind>(random_.Below(6));
  edit.user = phones_[phone].user;
  edit.friend_id = phones_[random_.Below(phones_.size())].user;
  // What is taken away shows best of those who are in sight.
  if (const auto seen = ledger_.SomebodyInSight(edit.user, &random_); seen && random_.Chance(0.5)) {
    edit.friend_id = *seen;
  }
  if (edit.user != edit.friend_id) Edit(edit);
}

void World::MakeUp() {
  const auto edit_soon = [this](FriendEdit::Kind kind, UserId user, UserId friend_id) {
    scenery_.simulation.After(random_.Between(0, kMakeUpMs / 2), [this, kind, user, friend_id] {
      Edit({kind, user, friend_id});
    });
  };
  for (const Phone& a : phones_) {
    for (const Phone& b : phones_) {
      if (a.user >= b.user || !random_.Chance(0.5)) continue;
      edit_soon(FriendEdit::Kind::kBefriend, a.user, b.user);
      for (const auto& [one, other] : {std::pair(a.user, b.user), std::pair(b.user, a.user)}) {
        edit_soon(FriendEdit::Kind::kShare, one, other);
        edit_soon(FriendEdit::Kind::kSubscribe, one, other);
      }
    }
  }
}

void World::TakeFromSightOf(std::size_t phone) {
  const UserId viewer = phones_[phone].user;
  const auto seen = ledger_.SomebodyInSight(viewer, &random_);
  if (!seen) return EditFriendsOf(phone);
  switch (random_.Below(3)) {
    case 0:
      return Edit({FriendEdit::Kind::kUnfriend, viewer, *seen});
    case 1:
      return Edit({FriendEdit::Kind::kUnsubscribe, viewer, *seen});
    default:
      return Edit({FriendEdit::Kind::kHide, *seen, viewer});
  }
}

void World::Edit(const FriendEdit& edit) {
  const std::size_t node = RandomNode();
  if (!nodes_[node]->is_up()) return;
  const std::uint64_t number = ledger_.OnEditing(edit);
  nodes_[node]->runtime().Edit(
      edit, [this, number](const absl::StatusOr<std::optional<NearbyFriend>>& result) {
        const absl::Status& status = result.status();
        ledger_.OnEdited(
            number, status.ok(),
            status.ok() || absl::IsResourceExhausted(status) || absl::IsInvalidArgument(status));
      });
}

void World::ActNode(std::size_t index) {
  if (is_quiet_) return;
  Node& node = *nodes_[index];
  if (!node.is_up()) {
    node.Begin();
  } else if (options_.has_faults && random_.Chance(odds_.crash)) {
    ++crashes_;
    node.Crash();
    scenery_.simulation.After(random_.Between(100, 10'000), [this, index] { ActNode(index); });
    return;
  }
  if (options_.has_faults && random_.Chance(odds_.cut_off_from_directory)) {
    CutOffFromDirectory(index, {2000, 8000});
  }
  if (options_.has_faults && random_.Chance(odds_.cut_off_from_letters)) {
    CutOffFromLetters(index, kShortCutOff);
  }
  scenery_.simulation.After(random_.Between(500, 1500), [this, index] { ActNode(index); });
}

void World::ActRing() {
  if (is_quiet_ || next_ring_ == rings_.size()) return;
  ++ring_changes_;
  scenery_.rings.Set(rings_[next_ring_++]).IgnoreError();
  scenery_.simulation.After(random_.Between(2000, 15'000), [this] { ActRing(); });
}

ClusterStats World::stats() const {
  ClusterStats sum;
  for (const auto& node : nodes_) {
    if (node->is_up()) sum += node->stats();
  }
  return sum;
}

}  // namespace nearby::sim
