// The shortest honest program with nearby inside: two friends meet, move and part.

#include <cstdint>
#include <cstdio>
#include <memory>
#include <utility>

#include "nearby/in_memory_friend_store.h"
#include "nearby/runtime.h"

namespace {

using namespace nearby;  // NOLINT(google-build-using-namespace): it is all about them

// Where a server has its connections, this program has its standard output.
class PrintingSink : public ClientSink {
 public:
  Flow Deliver(const ClientBatch& batch) override {
    for (const ClientEvent& event : batch.events) {
      std::printf("tell %d: %s %d", static_cast<int>(ToInt(batch.user)), ToString(event.kind),
                  static_cast<int>(ToInt(event.friend_id)));
      if (event.kind == DeliveryKind::kLeave) {
        std::printf(", %s\n", ToString(event.reason));
      } else {
        std::printf(", %d m away\n", static_cast<int>(event.distance_mm / 1000));
      }
    }
    return Flow::kReady;  // a server: kBusy, and Runtime::Ready once it has been written
  }
  void Ended(SessionId, std::uint64_t, EndReason) override {}
};

}  // namespace

int main() {
  InMemoryFriendStore friends;
  PrintingSink sink;
  RuntimeHost host;
  host.sink = &sink;
  host.friends = &friends;
  const std::unique_ptr<Runtime> runtime = Runtime::Create({}, std::move(host)).value();

  SessionId alice;
  SessionId bob;
  runtime->Edit({FriendEdit::Kind::kBefriend, UserId{1}, UserId{2}}, [](const auto&) {});
  ConnectCall connect;
  connect.user = UserId{1};
  runtime->Connect(connect, [&alice](const auto& result) { alice = result->session; });
  connect.user = UserId{2};
  runtime->Connect(connect, [&bob](const auto& result) { bob = result->session; });
  runtime->PollAll();

  const auto report = [&](SessionId session, LatLng location) {
    const Time now = SystemClock::Get()->Now();
    if (!runtime->Report({session, location, now}).ok()) std::puts("refused");
    runtime->PollAll();
  };
  report(alice, {48.1372, 11.5756});  // Munich, Marienplatz
  report(bob, {48.1486, 11.5674});    // 1.4 km from there: they meet
  report(bob, {48.1500, 11.5800});    // about town
  report(bob, {52.5200, 13.4050});    // Berlin: they part
}
