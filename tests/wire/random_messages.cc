#include "tests/wire/random_messages.h"

#include <cstdint>
#include <limits>
#include <vector>

#include "absl/time/time.h"

namespace nearby::test {
namespace {

constexpr std::int64_t kMaxDistanceMm = 20'015'114'353;

}  // namespace

std::uint64_t RandomMessages::Number() {
  switch (Below(4)) {
    case 0:
      return Below(300);
    case 1:
      return std::numeric_limits<std::uint64_t>::max() - Below(3);
    default:
      return random_() >> Below(64);
  }
}

double RandomMessages::Coordinate(double bound) {
  if (OneIn(8)) return OneIn(2) ? bound : -bound;
  if (OneIn(8)) return 0;
  return bound * (static_cast<double>(random_() >> 11) * 0x1p-52 - 1);
}

Time RandomMessages::Instant() {
  if (OneIn(8)) return Time::Millis(OneIn(2) ? kMaxTimeMs : -kMaxTimeMs);
  if (OneIn(8)) return Time::Millis(0);
  return Time::Millis(1'700'000'000'000 + static_cast<std::int64_t>(Below(1'000'000'000)));
}

std::int64_t RandomMessages::Distance() {
  if (OneIn(8)) return OneIn(2) ? kMaxDistanceMm : 0;
  return static_cast<std::int64_t>(Below(kMaxDistanceMm) >> Below(32));
}

InitCall RandomMessages::Init() {
  InitCall call;
  if (!OneIn(3)) call.location = Report();
  if (!OneIn(3)) call.radius_m = static_cast<double>(Below(20'100'000'001)) / 1000;
  return call;
}

ClientCall RandomMessages::Call() {
  ClientCall call;
  call.request_id = Number();
  switch (Below(5)) {
    case 0:
      call.call = Report();
      break;
    case 1:
      call.call = Init();
      break;
    case 2:
      call.call = SubscribeCall{User()};
      break;
    case 3:
      call.call = UnsubscribeCall{User()};
      break;
    default:
      call.call =
          NearbyCall{OneIn(3) ? PageToken() : Token(), 1 + static_cast<std::uint32_t>(Below(1000))};
      break;
  }
  return call;
}

NearbyFriend RandomMessages::Friend() { return {User(), Place(), Distance(), Instant()}; }

NearbyPage RandomMessages::Page() {
  NearbyPage page;
  for (std::uint64_t left = Below(5); left > 0; --left) page.friends.push_back(Friend());
  page.in_sight = page.friends.size() + Below(1000);
  if (OneIn(2)) page.next = Token();
  return page;
}

ClientEvent RandomMessages::Event() {
  ClientEvent event;
  event.friend_id = User();
  event.time = Instant();
  event.reported_at = Instant();
  event.position = Place();
  event.distance_mm = Distance();
  event.kind = static_cast<DeliveryKind>(Below(3));
  event.reason = static_cast<LeaveReason>(Below(7));
  return event;
}

std::vector<ClientEvent> RandomMessages::Events() {
  std::vector<ClientEvent> events;
  for (std::uint64_t left = Below(30); left > 0; --left) events.push_back(Event());
  return events;
}

absl::Duration RandomMessages::Wait() {
  if (OneIn(4)) return absl::ZeroDuration();
  return absl::Milliseconds(static_cast<std::int64_t>(Below(kMaxTimeMs) >> Below(40)));
}

NodeEvent RandomMessages::EventOfNode() {
  using Kind = NodeEvent::Kind;
  NodeEvent event;
  event.kind = static_cast<Kind>(Below(8));
  if (event.kind != Kind::kChanged) event.user = User();
  const bool has_session =
      event.kind != Kind::kChange && event.kind != Kind::kChanged && event.kind != Kind::kReload;
  if (has_session) event.session = Epoch{Number()};
  if (event.kind == Kind::kLocation) {
    event.position = Place();
    event.accepted_at = Instant();
    event.reported_at = Instant();
    event.speed_bound_mm_s = static_cast<std::uint32_t>(Number());
    event.jumps = static_cast<std::uint32_t>(Number());
  }
  if (event.kind == Kind::kAnnounce || event.kind == Kind::kAnnounceBack ||
      event.kind == Kind::kChange) {
    event.friend_id = User();
    event.friendship = {OneIn(2), OneIn(2), OneIn(2), OneIn(2), OneIn(2)};
    event.version = FriendVersion{Number()};
  }
  if (event.kind == Kind::kChange || event.kind == Kind::kChanged) event.request = Number();
  return event;
}

NodeBatch RandomMessages::Batch() {
  NodeBatch batch;
  batch.from = {NodeId{Number()}, Epoch{Number()}};
  batch.sequence = Number();
  // As on a user's channel, or as to an inbox.
  if (OneIn(2)) {
    batch.to = Epoch{Number()};
    batch.acknowledged = Number();
  }
  for (std::uint64_t left = Below(30); left > 0; --left) batch.events.push_back(EventOfNode());
  return batch;
}

}  // namespace nearby::test
