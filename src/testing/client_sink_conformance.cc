#include "nearby/testing/client_sink_conformance.h"

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "nearby/effects.h"
#include "nearby/engine.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/time.h"
#include "src/testing/awaited.h"
#include "src/testing/trial.h"

namespace nearby {
namespace {

using Events = std::vector<ClientEvent>;
using Flow = ClientSink::Flow;

constexpr UserId kAlice{1};
constexpr UserId kBob{2};
constexpr std::uint64_t kAlicesCookie = 11;
constexpr std::uint64_t kBobsCookie = 12;
// Enough for the buffers of most hosts.
constexpr std::size_t kManyBatches = 2'000;
constexpr std::uint64_t kEventsOfMany = 100;

SessionId SessionOf(std::uint64_t cookie) {
  return {ShardId{0}, {Slot{static_cast<std::uint32_t>(cookie)}, 1}};
}

ClientEvent Event(DeliveryKind kind, std::uint64_t friend_id) {
  ClientEvent event;
  event.friend_id = UserId{friend_id};
  event.kind = kind;
  event.time = Time::Millis(1'000);
  if (kind == DeliveryKind::kLeave) {
    event.reason = LeaveReason::kRange;
  } else {
    event.reported_at = event.time;
    event.position = Position::FromLatLng({1, 2});
    event.distance_mm = 3;
  }
  return event;
}

bool AreSame(const Events& a, const Events& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const ClientEvent& x, const ClientEvent& y) {
                      return x.friend_id == y.friend_id && x.kind == y.kind;
                    });
}

class ClientSinkTrial : public internal::Trial<ClientSinkUnderTest> {
 public:
  using Trial::Trial;

  void IgnoresUnknownCookies();
  void TellsInOrder();
  void SessionsAtOnce();
  void Blocking();
  void Spans();
  void IsReadyAgain();

 private:
  Flow Deliver(std::uint64_t cookie, UserId user, const Events& events);
  // Until it is busy, or has taken a great deal.
  Flow DeliverMany(std::uint64_t cookie, UserId user);
  void CallAll(std::uint64_t cookie);
  void Await(std::uint64_t cookie, const Events& expected, absl::string_view what);
};

Flow ClientSinkTrial::Deliver(std::uint64_t cookie, UserId user, const Events& events) {
  ClientBatch batch;
  batch.session = SessionOf(cookie);
  batch.cookie = cookie;
  batch.user = user;
  batch.events = events;
  return adapter().Deliver(batch);
}

Flow ClientSinkTrial::DeliverMany(std::uint64_t cookie, UserId user) {
  for (std::size_t i = 0; i < kManyBatches; ++i) {
    Events events;
    for (std::uint64_t friend_id = 1; friend_id <= kEventsOfMany; ++friend_id) {
      events.push_back(
          Event(i == 0 ? DeliveryKind::kEnter : DeliveryKind::kMove, 1000 + friend_id));
    }
    if (Deliver(cookie, user, events) == Flow::kBusy) return Flow::kBusy;
  }
  return Flow::kReady;
}

void ClientSinkTrial::CallAll(std::uint64_t cookie) {
  Deliver(cookie, kAlice, {Event(DeliveryKind::kEnter, 666)});
  adapter().ReportRefused(SessionOf(cookie), cookie, Time::Millis(1'000), ReportOutcome::kStale);
  adapter().MoveAway(SessionOf(cookie), cookie, absl::Seconds(1));
  adapter().Ended(SessionOf(cookie), cookie, ClientSink::EndReason::kReplaced);
}

void ClientSinkTrial::Await(std::uint64_t cookie, const Events& expected, absl::string_view what) {
  Eventually([&] { return subject().received(cookie).size() >= expected.size(); });
  report().Expect(AreSame(subject().received(cookie), expected), what);
}

void ClientSinkTrial::IgnoresUnknownCookies() {
  subject().connect(kAlicesCookie, kAlice);
  subject().connect(kBobsCookie, kBob);
  subject().disconnect(kAlicesCookie);
  CallAll(kAlicesCookie);
  const Events events = {Event(DeliveryKind::kEnter, 5)};
  Deliver(kBobsCookie, kBob, events);
  Await(kBobsCookie, events, "what is for a client that has gone disturbs another");
}

void ClientSinkTrial::TellsInOrder() {
  subject().connect(kAlicesCookie, kAlice);
  Events all;
  for (const DeliveryKind kind :
       {DeliveryKind::kEnter, DeliveryKind::kMove, DeliveryKind::kLeave}) {
    const Events batch = {Event(kind, 5), Event(kind, 4), Event(kind, 6)};
    if (!report().Expect(Deliver(kAlicesCookie, kAlice, batch) == Flow::kReady,
                         "busy after a few events, while the client reads")) {
      return;
    }
    all.insert(all.end(), batch.begin(), batch.end());
  }
  Await(kAlicesCookie, all, "a client is not told what was delivered, in that order");
}

void ClientSinkTrial::SessionsAtOnce() {
  constexpr std::uint64_t kBatches = 20;
  for (std::uint64_t i = 0; i < 4; ++i) subject().connect(100 + i, UserId{100 + i});
  internal::InThreads(4, [this](std::size_t i) {
    for (std::uint64_t batch = 0; batch < kBatches; ++batch) {
      const DeliveryKind kind = batch == 0 ? DeliveryKind::kEnter : DeliveryKind::kMove;
      Deliver(100 + i, UserId{100 + i}, {Event(kind, 1000 + i)});
    }
  });
  for (std::uint64_t i = 0; i < 4; ++i) {
    Events expected(kBatches, Event(DeliveryKind::kMove, 1000 + i));
    expected[0].kind = DeliveryKind::kEnter;
    Await(100 + i, expected, "events of sessions on several threads get lost or mixed");
  }
}

void ClientSinkTrial::Blocking() {
  if (!stall()) return report().Skip("needs the hook stall");
  subject().connect(kAlicesCookie, kAlice);
  subject().connect(kBobsCookie, kBob);
  stall()(true);
  internal::Completion returned;
  std::thread runtime([this, done = returned.AnyDone()] {
    DeliverMany(kAlicesCookie, kAlice);
    CallAll(kBobsCookie);
    done(absl::OkStatus());
  });
  report().ExpectOk(Get(returned), "a call while no client reads");
  stall()(false);
  runtime.join();
}

void ClientSinkTrial::Spans() {
  subject().connect(kAlicesCookie, kAlice);
  const Events expected = {Event(DeliveryKind::kEnter, 5), Event(DeliveryKind::kEnter, 6)};
  Events events = expected;
  WhileStalled([&] {
    Deliver(kAlicesCookie, kAlice, events);
    // What it was given is worth nothing after it has returned.
    for (ClientEvent& event : events) event = Event(DeliveryKind::kLeave, 666);
  });
  Await(kAlicesCookie, expected, "Deliver's span is read after it has returned");
}

void ClientSinkTrial::IsReadyAgain() {
  if (!stall()) return report().Skip("needs the hook stall");
  if (!subject().ready_calls) return report().Skip("needs the hook ready_calls");
  subject().connect(kAlicesCookie, kAlice);
  Flow flow = Flow::kReady;
  WhileStalled([&] { flow = DeliverMany(kAlicesCookie, kAlice); });
  if (flow == Flow::kReady) return report().Skip("the sink is never busy, whatever it is given");
  report().Expect(Eventually([&] { return subject().ready_calls(kAlicesCookie) > 0; }),
                  "Ready is not called after the client has read");
}

}  // namespace

std::vector<ConformanceCase> ClientSinkConformance(
    const std::function<ClientSinkUnderTest()>& make) {
  using T = ClientSinkTrial;
  return internal::MakeCases<T>({{1, "IgnoresUnknownCookies", &T::IgnoresUnknownCookies},
                                 {2, "TellsInOrder", &T::TellsInOrder},
                                 {2, "SessionsAtOnce", &T::SessionsAtOnce},
                                 {3, "Blocking", &T::Blocking},
                                 {3, "Spans", &T::Spans},
                                 {4, "IsReadyAgain", &T::IsReadyAgain}},
                                make);
}

}  // namespace nearby
