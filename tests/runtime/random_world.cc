#include "tests/runtime/random_world.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/engine/seeds.h"
#include "tests/runtime/quiet.h"
#include "tests/runtime/sight_truth.h"

namespace nearby::test {
namespace {

constexpr std::uint64_t kUsers = 10;
// Places lie on a line, so far apart that no pair is near the boundary of a radius.
constexpr double kStepMeters = 900;
constexpr double kRadii[] = {1'000, 2'000, 8'046.72};

}  // namespace

World::Options RandomWorld::DrawOptions(std::mt19937_64& random) {
  const auto one_of = [&random](std::initializer_list<std::size_t> choices) {
    return choices.begin()[random() % choices.size()];
  };
  World::Options options;
  RuntimeOptions& runtime = options.runtime;
  runtime.shards = static_cast<std::uint32_t>(one_of({1, 2, 2, 3, 4}));
  runtime.max_pending_events = one_of({1, 2, 5, 256});
  runtime.max_loads_in_flight = one_of({1, 2, 1'000});
  runtime.max_queued_messages = one_of({2, 10, 10'000});
  runtime.max_batch = one_of({1, 3, 512});
  runtime.engine.ttl = absl::Seconds(60);
  runtime.engine.connect_page_size = static_cast<std::uint32_t>(one_of({0, 1, 3, 20}));
  runtime.engine.unsubscribe_delay = absl::Milliseconds(one_of({0, 700, 30'000}));
  runtime.engine.max_remembered_changes = static_cast<std::uint32_t>(one_of({2, 1'000}));
  if (random() % 3 == 0) runtime.engine.min_move_interval = absl::Seconds(3);
  if (random() % 3 == 0) runtime.engine.min_report_interval = absl::Seconds(2);
  return options;
}

RandomWorld::RandomWorld(std::uint64_t seed)
    : random_(seed), options_(DrawOptions(random_)), world_(options_) {
  world_.sink().SetHook([this](const ClientBatch& batch) { CheckEvents(batch); });
  for (std::uint64_t a = 0; a < kUsers; ++a) {
    for (std::uint64_t b = a + 1; b < kUsers; ++b) {
      if (OneIn(2)) world_.Befriend(world_.User(a), world_.User(b));
    }
  }
}

UserId RandomWorld::DrawUser() { return world_.User(Below(kUsers)); }

LatLng RandomWorld::DrawPlace() { return North(kStepMeters * static_cast<double>(Below(5))); }

bool RandomWorld::IsOpen(const Session& session) const {
  return !session.is_disconnected && session.connecting.reply.status().ok() &&
         !world_.sink().ended(session.connecting.cookie).has_value();
}

bool RandomWorld::IsBeingReplaced(const Session& session) const {
  return std::any_of(sessions_.begin(), sessions_.end(), [&session](const auto& other) {
    return other->connecting.user == session.connecting.user && other->has_location &&
           other->connecting.reply.times() == 0;
  });
}

RandomWorld::Session* RandomWorld::DrawOpen() {
  std::vector<Session*> open;
  for (const auto& session : sessions_) {
    if (IsOpen(*session)) open.push_back(session.get());
  }
  return open.empty() ? nullptr : open[Below(open.size())];
}

void RandomWorld::Step() {
  const std::uint64_t draw = Below(100);
  if (draw < 24) {
    if (const Session* session = DrawOpen()) Report(*session);
  } else if (draw < 31) {
    Connect();
  } else if (draw < 33) {
    Disconnect();
  } else if (draw < 43) {
    Edit();
  } else if (draw < 45) {
    SetRadius();
  } else if (draw < 47) {
    ReadPage();
  } else if (draw < 54) {
    ToggleBusy();
  } else if (draw < 58) {
    TroubleLists();
  } else if (draw < 61) {
    TroubleEdits();
  } else if (draw < 71) {
    world_.clock().Advance(absl::Milliseconds(OneIn(8) ? Below(20'000) : Below(900)));
  } else if (draw < 96) {
    Poll(ShardId{static_cast<std::uint32_t>(Below(options_.runtime.shards))});
  } else {
    PollAll();
  }
  world_.ExpectSound();
}

void RandomWorld::AddLine(std::string line) {
  recent_.push_back(std::move(line));
  if (recent_.size() > FromEnvironment("NEARBY_RANDOM_LOG", 40)) recent_.pop_front();
}

std::string RandomWorld::Recent() const {
  return absl::StrCat("after, at the end of:\n", absl::StrJoin(recent_, "\n"));
}

void RandomWorld::Connect() {
  ConnectCall call;
  call.user = DrawUser();
  if (OneIn(2)) call.radius_m = OneOf({kRadii[0], kRadii[1], kRadii[2]});
  if (OneIn(2)) {
    call.location = TimedLocation{DrawPlace(), world_.now()};
    fixes_[{call.user, world_.now().ms}].is_waiting = true;
  }
  auto session = std::make_unique<Session>();
  session->radius_m = call.radius_m.value_or(options_.runtime.engine.radius_m);
  session->has_location = call.location.has_value();
  session->connecting = world_.BeginConnect(call);
  Note("connect ", ToInt(call.user), " as ", session->connecting.cookie, " radius ",
       session->radius_m, call.location ? " with a location" : "");
  sessions_.push_back(std::move(session));
}

void RandomWorld::Disconnect() {
  Session* session = DrawOpen();
  if (session == nullptr || IsBeingReplaced(*session)) return;
  session->is_disconnected = true;
  Note("disconnect ", ToInt(session->connecting.user));
  world_.Disconnect(session->connecting.client());
}

void RandomWorld::Report(const Session& session) {
  const Client client = session.connecting.client();
  fixes_[{client.user, world_.now().ms}].is_waiting = true;
  const LatLng place = DrawPlace();
  Note("report ", ToInt(client.user), " at ", place.lat);
  world_.Report(client, place);
}

void RandomWorld::Edit() {
  using Kind = FriendEdit::Kind;
  const UserId user = DrawUser();
  const UserId other = DrawUser();
  if (user == other) return;
  ++counts_.edits;
  const Kind kind = OneOf({Kind::kBefriend, Kind::kBefriend, Kind::kUnfriend, Kind::kHide,
                           Kind::kShare, Kind::kUnsubscribe, Kind::kSubscribe, Kind::kSubscribe});
  Note("edit ", static_cast<int>(kind), " of ", ToInt(user), " and ", ToInt(other));
  world_.Edit(kind, user, other);
}

void RandomWorld::SetRadius() {
  Session* session = DrawOpen();
  if (session == nullptr) return;
  const double radius_m = OneOf({kRadii[0], kRadii[1], kRadii[2]});
  Note("radius ", ToInt(session->connecting.user), " ", radius_m);
  world_.runtime().SetRadius(session->connecting.client().session, radius_m,
                             [session, radius_m](const absl::Status& status) {
                               if (status.ok()) session->radius_m = radius_m;
                             });
}

void RandomWorld::ReadPage() { world_.Page(DrawUser(), 1 + Below(4)); }

void RandomWorld::ToggleBusy() {
  const Session* session = DrawOpen();
  if (session == nullptr) return;
  const Client client = session->connecting.client();
  world_.SetBusy(client, OneIn(2));
  if (OneIn(2) && world_.sink().is_busy(client.cookie)) world_.Ready(client);
}

void RandomWorld::TroubleLists() {
  CallScript& lists = world_.friends().lists();
  const std::uint64_t trouble = Below(6);
  Note("trouble with lists: ", trouble);
  switch (trouble) {
    case 0:
      return lists.Hold();
    case 1:
      return lists.Resume();
    case 2:
      lists.ReleaseNewest();
      return;
    case 3:
      lists.ReleaseOldest();
      return;
    case 4:
      return lists.FailNext(1 + Below(4), absl::UnavailableError("down"));
    default:
      return lists.LoseNext(1);
  }
}

void RandomWorld::TroubleEdits() {
  CallScript& edits = world_.friends().edits();
  const std::uint64_t trouble = Below(6);
  Note("trouble with edits: ", trouble);
  switch (trouble) {
    case 0:
      return edits.Hold();
    case 1:
      return edits.Resume();
    case 2:
      edits.ReleaseNewest();
      return;
    case 3:
      return edits.FailNext(1 + Below(2), absl::PermissionDeniedError("no"));
    case 4:
      return edits.FailNext(1, absl::UnavailableError("down"));
    default:
      return edits.FailNextAfterwards(1, absl::DeadlineExceededError("slow"));
  }
}

void RandomWorld::Poll(ShardId shard) {
  Note("poll ", ToInt(shard));
  NoteAccepted(shard);
  world_.runtime().Poll(shard);
}

void RandomWorld::PollAll() {
  Note("poll all");
  NoteAccepted(std::nullopt);
  world_.Settle();
}

// A poll takes all that has been reported. A report that comes with a connect may wait for longer,
// and so may one that is held back; its time here is then the earliest at which it can have come.
void RandomWorld::NoteAccepted(std::optional<ShardId> shard) {
  for (auto& [report, fix] : fixes_) {
    const bool is_polled = !shard || HomeShard(report.first, options_.runtime.shards) == *shard;
    if (is_polled && std::exchange(fix.is_waiting, false)) fix.accepted_at = world_.now();
  }
}

// I3: whoever is said to be in sight has not expired.
void RandomWorld::CheckEvents(const ClientBatch& batch) {
  const std::int64_t ttl_ms = absl::ToInt64Milliseconds(options_.runtime.engine.ttl);
  const std::int64_t held_ms =
      absl::ToInt64Milliseconds(options_.runtime.engine.min_report_interval) +
      absl::ToInt64Milliseconds(options_.runtime.load_timeout);
  for (const ClientEvent& event : batch.events) {
    if (event.kind == DeliveryKind::kLeave) continue;
    if (event.kind == DeliveryKind::kMove) ++counts_.moves;
    const auto found = fixes_.find({event.friend_id, event.reported_at.ms});
    ASSERT_TRUE(found != fixes_.end() && found->second.accepted_at) << "nobody has reported that";
    EXPECT_LT(event.time.ms, found->second.accepted_at->ms + held_ms + ttl_ms)
        << "of an expired friend";
  }
}

void RandomWorld::FinishAndCheck() {
  world_.friends().edits().Resume();
  world_.friends().lists().Resume();
  // What has been reported is not to hold back what is reported below.
  PollAll();
  AwaitLists(world_.friends().lists(), world_.runtime(), world_.clock(), [this] { PollAll(); });
  std::vector<Session*> open;
  for (const auto& session : sessions_) {
    const absl::Status status = session->connecting.reply.status();
    EXPECT_EQ(session->connecting.reply.times(), 1) << status;
    ++(status.ok() ? counts_.answered : counts_.failed);
    if (status.ok() && world_.sink().ended(session->connecting.cookie)) ++counts_.replaced;
    if (!IsOpen(*session)) continue;
    open.push_back(session.get());
    const Client client = session->connecting.client();
    world_.SetBusy(client, false);
    if (world_.sink().is_busy(client.cookie)) world_.Ready(client);
  }
  PollAll();

  SightTruth truth(options_.runtime.engine);
  for (const Session* session : open) {
    const Client client = session->connecting.client();
    const LatLng place = DrawPlace();
    truth.Connected(client.user, session->radius_m);
    truth.Reported(client.user, place, world_.now());
    fixes_[{client.user, world_.now().ms}].is_waiting = true;
    world_.Report(client, place);
    PollAll();
  }
  for (const Session* session : open) {
    const std::set<UserId> believed = world_.InSight(session->connecting.client());
    const std::set<UserId> is_true =
        truth.InSight(session->connecting.user, world_.graph(), world_.now());
    std::string about;
    for (const UserId other : believed) {
      if (is_true.count(other) > 0) continue;
      const Friendship f = world_.graph().Get(session->connecting.user, other);
      absl::StrAppend(&about, ToInt(other), f.friends ? " is a friend" : " is no friend",
                      f.friend_hides ? ", hides" : "", f.i_unsubscribed ? ", unsubscribed" : "",
                      "; ");
    }
    EXPECT_EQ(believed, is_true) << "in sight of user " << ToInt(session->connecting.user)
                                 << ", with a radius of " << session->radius_m << " m; " << about;
  }
  const RuntimeStats stats = world_.runtime().stats();
  EXPECT_EQ(stats.sessions, open.size());
  EXPECT_EQ(stats.pending_events, 0u);
  EXPECT_EQ(stats.busy_sessions, 0u);
  EXPECT_EQ(stats.loads_in_flight, 0u);
  EXPECT_EQ(stats.edits_in_flight, 0u);
  EXPECT_EQ(stats.queued_calls, 0u);
  counts_.resyncs += stats.resyncs;
  counts_.deferred += stats.calls_deferred;
  counts_.locations_dropped += stats.locations_dropped;
}

}  // namespace nearby::test
