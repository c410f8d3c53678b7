// The last act: reports and probes make up for almost everything, so that what is lost for want of
// care shows only where there are none.

#include <algorithm>
#include <cstdint>

#include "tests/sim/pace.h"
#include "tests/sim/world.h"

namespace nearby::sim {
namespace {

constexpr const char* kScenes[] = {
    "last act, a server is down", "last act, the ring changes",  "last act, users move",
    "last act, users leave",      "last act, a node is gone",    "last act, a storm of connects",
    "last act, users sleep",      "last act, a node is cut off", "last act, a node is deaf",
    "last act, users arrive",     "last act, a node is drained",
};

}  // namespace

void World::PlayLastActs() {
  for (int i = 0; i < kLastActs && !ledger_.has_violation(); ++i) {
    if (i > 0) Recover();
    PlayLastAct();
  }
}

void World::Recover() {
  ledger_.BeginScene("between the last acts");
  scenery_.faults.SetOptions(quiet_pace_);
  for (const auto& node : nodes_) {
    if (!node->is_up()) node->Begin();
  }
  for (Phone& phone : phones_) {
    // Meanwhile they have gone somewhere else.
    if (phone.is_silent && random_.Chance(0.3)) GoAnywhere(&phone);
    phone.is_silent = false;
    phone.is_away = false;
    phone.is_stubborn = false;
  }
  is_still_ = true;
  MakeUp();
  scenery_.simulation.RunFor(kMakeUpMs + kConvergeMs);
}

void World::PlayLastAct() {
  Simulation& simulation = scenery_.simulation;
  const Act act = static_cast<Act>(random_.Below(kActs));
  ledger_.BeginScene(kScenes[static_cast<std::size_t>(act)]);
  for (Phone& phone : phones_) {
    phone.is_silent = act != Act::kSleep || random_.Chance(0.3);
  }
  // While some sleep the others go on reporting, from where they are.
  is_still_ = act == Act::kSleep || act == Act::kFirstFix;
  // Whoever subscribes while a location is on its way to the store has missed it. The next one
  // heals that, but may never come here: so the store has it before anybody could have subscribed.
  SimulatedFaultOptions prompt = scenery_.faults.options();
  prompt.locations.latency = {1, 1};
  scenery_.faults.SetOptions(prompt);
  simulation.RunFor(kHushMs);
  BeginLastAct(act);
  if (IsBustling()) simulation.RunFor(kBustleMs);
  if (act == Act::kSleep) {
    simulation.RunFor(kSleepMs);
    WakeSomewhere();
  }
  simulation.RunFor(kLastActMs);
  is_still_ = true;
  if (!ledger_.has_violation()) CheckNodes();
  if (!ledger_.has_violation()) CheckConverged();
  if (!ledger_.has_violation()) CheckUpToDate();
  if (!ledger_.has_violation()) CheckBalance();
}

void World::BeginLastAct(Act act) {
  const std::size_t node = RandomNode();
  switch (act) {
    case Act::kServer:
      CrashServerForAWhile();
      return LetSayLastWords(node, {200, 1500});
    case Act::kRing:
      ChangeRingUnheardBy(node);
      return LetSayLastWords(node, {1800, 2500});
    case Act::kMove:
      BeginMove(node);
      return LetSayLastWords(node, {4000, 5000}, /*odds=*/0.7);
    case Act::kLeave:
      for (std::size_t i = 0; i < phones_.size(); ++i) {
        if (random_.Chance(0.3)) LeaveForGood(i);
      }
      return;
    case Act::kCrash:
      return CrashForGood(node);
    case Act::kStorm:
      return BeginStorm();
    case Act::kSleep:
      return;
    case Act::kCutOff:
      return BeginCutOff();
    case Act::kDeaf:
      return BeginDeafness();
    case Act::kFirstFix:
      return BeginFirstFixes();
    case Act::kDrain:
      return PlayDrain();
  }
}

// Some of the sleepers, each once: how they came there nobody has seen.
void World::WakeSomewhere() {
  for (std::size_t i = 0; i < phones_.size(); ++i) {
    if (phones_[i].is_silent && random_.Chance(0.5)) SayLastWords(i);
  }
}

void World::LeaveForGood(std::size_t index) {
  Phone& phone = phones_[index];
  phone.is_away = true;
  if (phone.state != State::kOnline) return;
  nodes_[phone.node]->runtime().Disconnect(phone.session);
  Leave(&phone);
}

// While some move to this node, others connect anew, to any; of both some from elsewhere in town.
void World::BeginMove(std::size_t node) {
  for (std::size_t i = 0; i < phones_.size(); ++i) {
    const bool moves = random_.Chance(0.5);
    if (!moves && !random_.Chance(0.3)) continue;
    const std::size_t to = moves ? node : RandomNode();
    const bool is_far = random_.Chance(0.3);
    scenery_.simulation.After(random_.Between(0, 500), [this, i, to, is_far] {
      if (is_far) GoAnywhere(&phones_[i]);
      Connect(i, to);
    });
  }
}

// Of two who connect at the same time one finds the other at least; and what is taken away while a
// list is being loaded stays so.
void World::BeginStorm() {
  // So that much happens between a question and its answer; but no lease is lost for it.
  SimulatedFaultOptions slow = scenery_.faults.options();
  slow.sessions.latency = {1, std::int64_t{1} << random_.Between(3, 6)};
  slow.sessions.delay_answer = 0.3;
  slow.sessions.answer_delay = {200, 600};
  slow.friends.latency = {1, std::int64_t{1} << random_.Between(2, 6)};
  slow.friends.delay_answer = random_.Chance(0.5) ? 0.3 : 0;
  slow.friends.answer_delay = {100, 1500};
  scenery_.faults.SetOptions(slow);
  const bool has_edits = slow.friends.delay_answer > 0;
  const std::int64_t spread_ms = random_.Between(100, 500);
  for (std::size_t i = 0; i < phones_.size(); ++i) {
    Phone& phone = phones_[i];
    if (phone.state == State::kOnline) {
      nodes_[phone.node]->runtime().Disconnect(phone.session);
      Leave(&phone);
    }
    const std::int64_t at_ms = 2000 + random_.Between(0, spread_ms);
    scenery_.simulation.After(at_ms, [this, i] {
      if (phones_[i].state == State::kOffline) Connect(i);
    });
    if (!has_edits) continue;
    scenery_.simulation.After(at_ms + random_.Between(20, 500), [this, i] { TakeFromSightOf(i); });
  }
}

void World::CrashForGood(std::size_t node) {
  for (Phone& phone : phones_) {
    if (phone.node != node) continue;
    phone.is_away = true;
    if (phone.state != State::kOffline) Leave(&phone);
  }
  nodes_[node]->Crash();
}

// What is published to a channel's former owner, by a node that knows no better, must be heard.
void World::ChangeRingUnheardBy(std::size_t node) {
  if (next_ring_ == rings_.size()) return;
  const NodeId id = nodes_[node]->id();
  scenery_.rings.LoseTouch(id);
  scenery_.rings.Set(rings_[next_ring_++]).IgnoreError();
  scenery_.simulation.After(3000, [this, id] { scenery_.rings.RegainTouch(id); });
}

// What is published meanwhile is lost; but whoever subscribes again asks the store.
void World::CrashServerForAWhile() {
  const RingSource::Ring& ring = scenery_.rings.ring();
  const auto& seats = ring->seats();
  const std::string server = seats[random_.Below(seats.size())].server;
  scenery_.servers.CrashServer(server);
  scenery_.simulation.After(5000, [this, server] { scenery_.servers.RestartServer(server); });
}

// Some connect, and know where they are only a while later; and the first that their phones take
// for it is far away.
void World::BeginFirstFixes() {
  for (std::size_t i = 0; i < phones_.size(); ++i) {
    Phone& phone = phones_[i];
    if (phone.state != State::kOnline || !random_.Chance(0.4)) continue;
    nodes_[phone.node]->runtime().Disconnect(phone.session);
    Leave(&phone);
    phone.is_away = true;
    scenery_.simulation.After(random_.Between(500, 1000), [this, i] {
      phones_[i].is_away = false;
      Connect(i, RandomNode(), /*with_location=*/false);
    });
    scenery_.simulation.After(random_.Between(4000, 5000), [this, i] { FindFirstFix(i); });
  }
}

void World::FindFirstFix(std::size_t index) {
  Phone& phone = phones_[index];
  if (!IsAlive(phone)) return;
  const LatLng place = phone.place;
  phone.place.lat += 1.5;
  Report(&phone);
  phone.place = place;
  const std::int64_t right_after_ms = random_.Between(1, 3);
  scenery_.simulation.After(right_after_ms, [this, index] { ReportIfAlive(index); });
  scenery_.simulation.After(2000, [this, index, first = phone.last_report.ms + right_after_ms] {
    ReportIfAlive(index);
    scenery_.simulation.After(kFollowMs,
                              [this, index, first] { CheckFollowed(index, Time{first}); });
  });
}

// Those of one node alone: whose own move makes their node ask where a friend is may be answered
// with where that friend was just before their last words, which nobody makes up for.
void World::LetSayLastWords(std::size_t node, const SimulatedDelay& when, double odds) {
  for (std::size_t i = 0; i < phones_.size(); ++i) {
    if (!random_.Chance(odds)) continue;
    scenery_.simulation.After(random_.Draw(when), [this, i, node] {
      if (phones_[i].node == node) SayLastWords(i);
    });
  }
}

void World::SayLastWords(std::size_t index) {
  Phone& phone = phones_[index];
  if (!IsAlive(phone)) return;
  GoAnywhere(&phone);
  Report(&phone);
}

}  // namespace nearby::sim
