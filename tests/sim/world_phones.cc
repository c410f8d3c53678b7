// Phones: they connect, report, move to other nodes, and are told things.

#include <algorithm>
#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "tests/sim/pace.h"
#include "tests/sim/world.h"

namespace nearby::sim {
namespace {

constexpr std::size_t kPageSize = 5;

}  // namespace

bool World::IsAlive(const Phone& phone) const {
  const Node& node = *nodes_[phone.node];
  return phone.state == State::kOnline && node.is_up() && node.process_number() == phone.process;
}

std::size_t World::RandomNode() { return random_.Below(nodes_.size()); }

std::size_t World::BusiestNode() const {
  const auto phones_on = [this](std::size_t node) {
    return std::count_if(phones_.begin(), phones_.end(),
                         [node](const Phone& phone) { return phone.node == node; });
  };
  std::size_t busiest = 0;
  for (std::size_t i = 1; i < nodes_.size(); ++i) {
    if (phones_on(i) > phones_on(busiest)) busiest = i;
  }
  return busiest;
}

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
    if (MustMove(phone)) {
      MoveElsewhere(index);
    } else if (!is_quiet_ && random_.Chance(odds_.disconnect)) {
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
  connections_.push_back({index, node, phone.process, SessionId(), nodes_[node]->is_draining()});
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
  CheckAnswerOfDrained(cookie, result.status());
  const bool is_current = phone.state == State::kConnecting && phone.cookie == cookie;
  if (result.ok()) {
    connections_[cookie].session = result->session;
    ledger_.OnConnected(cookie, *result);
    if (is_current) {
      if (phone.former_cookie) MayHangUp(*phone.former_cookie);
      LetGoOfFormer(&phone);
      phone.state = State::kOnline;
      phone.session = result->session;
      if (result->next) AskForMore(cookie, *result->next);
    } else if (nodes_[node]->is_up() && nodes_[node]->process_number() == process) {
      // The phone has given up waiting.
      ledger_.OnLeft(cookie);
      nodes_[node]->runtime().Disconnect(result->session);
    }
    return;
  }
  if (!is_current) return;
  if (!GoBack(&phone)) return Leave(&phone);
  // Where they are now, the node that they go back to has not been told.
  SayWhere(&phone);
}

void World::AskForMore(std::uint64_t cookie, PageToken after) {
  const Connection& connection = connections_[cookie];
  const Phone& phone = phones_[connection.phone];
  if (!IsAlive(phone) || phone.cookie != cookie) return;
  nodes_[connection.node]->runtime().Nearby(phone.user, after, kPageSize,
                                            [this, cookie](const absl::StatusOr<NearbyPage>& page) {
                                              if (page.ok() && page->next)
                                                AskForMore(cookie, *page->next);
                                            });
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
  if (!phone->former_cookie) return;
  ledger_.OnLeft(*phone->former_cookie);
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
  if (random_.Chance(0.01)) GoAnywhere(phone);
  phone->place.lat += step_m / kMetersPerDegree;
}

void World::GoAnywhere(Phone* phone) {
  phone->place.lat = kTown.lat + (random_.Fraction() - 0.5) * 16'000 / kMetersPerDegree;
}

void World::Report(Phone* phone) {
  Move(phone);
  SayWhere(phone);
}

void World::SayWhere(Phone* phone) {
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

void World::Ended(SessionId /*session*/, std::uint64_t cookie, EndReason reason) {
  ledger_.OnEnded(cookie);
  const std::size_t node = connections_[cookie].node;
  if (reason == EndReason::kNodeLost && nodes_[node]->is_draining() &&
      drains_[node]->terms().lease) {
    ledger_.Violate("a client was thrown out of a node that is being drained");
  }
  Phone& phone = phones_[connections_[cookie].phone];
  if (phone.former_cookie == cookie) phone.former_cookie.reset();
  if (phone.cookie == cookie && phone.state == State::kOnline) Leave(&phone);
}

}  // namespace nearby::sim
