// Two friends meet in a runtime that is polled by the program itself: the component runtime.

#include "nearby/runtime.h"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nearby/client_sink.h"
#include "nearby/friendship.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/in_memory_friend_store.h"
#include "nearby/time.h"

namespace {

using nearby::UserId;

class CountingSink : public nearby::ClientSink {
 public:
  Flow Deliver(const nearby::ClientBatch& batch) override {
    events += batch.events.size();
    return Flow::kReady;
  }
  void Ended(nearby::SessionId, std::uint64_t, EndReason) override {}

  std::size_t events = 0;
};

class StoppedClock : public nearby::Clock {
 public:
  nearby::Time Now() const override { return nearby::Time::Millis(1'000); }
};

int Run() {
  const UserId alice{1};
  const UserId bob{2};
  CountingSink sink;
  StoppedClock clock;
  nearby::InMemoryFriendStore friends;
  nearby::RuntimeHost host;
  host.sink = &sink;
  host.friends = &friends;
  host.clock = &clock;
  nearby::RuntimeOptions options;
  options.shards = 2;
  absl::StatusOr<std::unique_ptr<nearby::Runtime>> runtime =
      nearby::Runtime::Create(options, std::move(host));
  if (!runtime.ok()) return 1;

  std::size_t answered_friends = 0;
  (*runtime)->Edit({nearby::FriendEdit::Kind::kBefriend, alice, bob}, [](const auto&) {});
  for (const UserId user : {alice, bob}) {
    nearby::ConnectCall call;
    call.user = user;
    call.cookie = ToInt(user);
    call.location = nearby::TimedLocation{{48.137, 11.575}, clock.Now()};
    (*runtime)->Connect(call, [&](const absl::StatusOr<nearby::ConnectResult>& result) {
      if (result.ok()) answered_friends += result->friends.size();
    });
    (*runtime)->PollAll();
  }
  std::printf("%zu friend in an answer, %zu event\n", answered_friends, sink.events);
  return answered_friends == 1 && sink.events == 1 ? 0 : 1;
}

}  // namespace

int main() { return Run(); }
