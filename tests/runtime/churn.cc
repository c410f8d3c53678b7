#include "tests/runtime/churn.h"

#include <algorithm>
#include <initializer_list>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/runtime/quiet.h"
#include "tests/runtime/sight_truth.h"
#include "tests/runtime/world.h"

namespace nearby::test {
namespace {

using Kind = FriendEdit::Kind;

constexpr std::uint64_t kUsers = 18;
constexpr double kRadii[] = {1'000, 2'000, 8'046.72};

std::uint64_t Below(std::mt19937_64& random, std::uint64_t limit) { return random() % limit; }
bool OneIn(std::mt19937_64& random, std::uint64_t n) { return Below(random, n) == 0; }

// On a line, so far apart that no pair is near the boundary of a radius.
LatLng DrawPlace(std::mt19937_64& random) {
  return North(900 * static_cast<double>(Below(random, 5)));
}

RuntimeOptions DrawOptions(const Churn::Options& churn) {
  std::mt19937_64 random(churn.seed);
  const auto one_of = [&random](std::initializer_list<std::size_t> choices) {
    return choices.begin()[random() % choices.size()];
  };
  RuntimeOptions options;
  options.shards = churn.shards;
  options.max_pending_events = one_of({2, 5, 256});
  options.max_loads_in_flight = one_of({2, 1'000});
  options.max_queued_messages = one_of({5, 10'000});
  options.max_queued_calls = one_of({20, 10'000});
  options.max_queued_reports = one_of({20, 10'000});
  options.max_batch = one_of({1, 16, 512});
  options.engine.ttl = absl::Seconds(60);
  options.engine.connect_page_size = static_cast<std::uint32_t>(one_of({0, 3, 20}));
  options.engine.unsubscribe_delay = absl::Milliseconds(500);
  return options;
}

bool Includes(const Churn::Counts& counts, const Churn::Counts& enough) {
  return counts.answered >= enough.answered && counts.batches >= enough.batches &&
         counts.resyncs >= enough.resyncs && counts.promises >= enough.promises;
}

}  // namespace

// A connect, and the session that came of it. What the runtime's threads write is guarded; the rest
// is the host thread's own.
struct Churn::Connection {
  UserId user{};
  std::uint64_t cookie = 0;
  ConnectReply reply;
  bool is_disconnected = false;
  std::atomic<double> radius_m{0};

  SessionId session() const { return (*reply)->session; }
};

struct Churn::User {
  UserId id{};
  std::vector<std::shared_ptr<Connection>> connections;
};

// What is known for certain about two users: what the last acknowledged edit of each fact said,
// unless another has been made since that may have granted more.
struct Churn::Pair {
  UserId a{};
  UserId b{};
  std::atomic<bool> is_under_way{false};
  std::mutex mutex;
  bool is_unfriended = false;
  bool hides[2] = {false, false};            // a from b, and back
  bool is_unsubscribed[2] = {false, false};  // a from b, and back
  std::vector<EditReply> replies;
};

Churn::Churn(const Options& options)
    : options_(options), clock_(kStart), runtime_options_(DrawOptions(options)) {
  std::mt19937_64 random(options.seed);
  for (std::uint64_t i = 0; i < kUsers; ++i) {
    users_.push_back(std::make_unique<User>());
    users_.back()->id = UserId{i};
    for (std::uint64_t j = 0; j < i; ++j) {
      pairs_.push_back(std::make_unique<Pair>());
      pairs_.back()->a = UserId{j};
      pairs_.back()->b = UserId{i};
      if (OneIn(random, 2)) store_.graph().Befriend(UserId{i}, UserId{j}).IgnoreError();
    }
  }
  friends_.lists().AnswerOnOwnThread(true);
  friends_.edits().AnswerOnOwnThread(true);
  locations_.writes().AnswerOnOwnThread(true);
  RuntimeHost host;
  host.sink = &sink_;
  host.friends = &friends_;
  host.clock = &clock_;
  host.locations = &locations_;
  host.history = &history_;
  runtime_ = Runtime::Create(runtime_options_, std::move(host)).value();
}

Churn::~Churn() = default;

void Churn::Run(const Counts& enough) {
  std::vector<std::thread> shards;
  for (std::uint32_t i = 0; i < options_.shards; ++i) {
    shards.emplace_back([this, i] { runtime_->Run(ShardId{i}); });
  }
  hosts_at_work_ = options_.host_threads;
  std::vector<std::thread> hosts;
  for (std::uint32_t i = 0; i < options_.host_threads; ++i) {
    hosts.emplace_back([this, i, &enough] { Host(i, enough); });
  }
  std::thread trouble([this] { Trouble(); });
  for (std::thread& host : hosts) host.join();
  trouble.join();
  runtime_->Stop();
  for (std::thread& shard : shards) shard.join();
}

// --- the host's threads ---

void Churn::Host(std::uint32_t thread, const Counts& enough) {
  std::mt19937_64 random(options_.seed * 1'000 + thread);
  const auto goes_on = [&](std::uint64_t call) {
    if (call < options_.calls) return true;
    return call < 100 * options_.calls && (call % 64 != 0 || !Includes(counts(), enough));
  };
  for (std::uint64_t call = 0; goes_on(call); ++call) {
    const std::uint64_t mine = Below(random, kUsers / options_.host_threads);
    CallOnce(random, *users_[mine * options_.host_threads + thread]);
    const std::uint64_t pair = Below(random, pairs_.size());
    if (pair % options_.host_threads == thread && OneIn(random, 4)) Edit(random, *pairs_[pair]);
    // Now and then the others get ahead, so that more than the start of each is seen together.
    if (OneIn(random, 8)) std::this_thread::yield();
  }
  --hosts_at_work_;
}

void Churn::Trouble() {
  std::mt19937_64 random(options_.seed * 1'000 + 999);
  CallScript& lists = friends_.lists();
  CallScript& edits = friends_.edits();
  // Not before the last ones have come to pass: this thread may run ahead of the others, and would
  // leave behind a store that fails for hours.
  const auto may_fail = [](CallScript& script, std::size_t calls, std::size_t* failures) {
    if (script.counts().failed < *failures) return false;
    *failures += calls;
    return true;
  };
  std::size_t list_failures = 0;
  std::size_t edit_failures = 0;
  while (hosts_at_work_ > 0) {
    switch (Below(random, 12)) {
      case 0:
        lists.Hold();
        break;
      case 1:
        lists.ReleaseNewest();
        break;
      case 2:
        if (may_fail(lists, 3, &list_failures)) lists.FailNext(3, absl::UnavailableError("down"));
        break;
      case 3:
        edits.Hold();
        break;
      case 4:
        edits.ReleaseNewest();
        break;
      case 5:
        if (may_fail(edits, 1, &edit_failures)) {
          edits.FailNext(1, absl::PermissionDeniedError("no"));
        }
        break;
      case 6:
        if (may_fail(edits, 1, &edit_failures)) {
          edits.FailNextAfterwards(1, absl::DeadlineExceededError("slow"));
        }
        break;
      case 7:
        locations_.writes().FailNext(1, absl::UnavailableError("down"));
        break;
      case 8:
        lists.Resume();
        break;
      case 9:
        edits.Resume();
        break;
      default:
        clock_.Advance(absl::Milliseconds(Below(random, 300)));
    }
    runtime_->stats();
    for (int i = 0; i < 20; ++i) std::this_thread::yield();
  }
  lists.Resume();
  edits.Resume();
}

std::shared_ptr<Churn::Connection> Churn::Open(const User& user) const {
  // The latest that was answered: one after it may have failed without having begun.
  for (auto it = user.connections.rbegin(); it != user.connections.rend(); ++it) {
    const Connection& connection = **it;
    if (!connection.reply.is_ok()) continue;
    if (connection.is_disconnected || sink_.ended(connection.cookie)) return nullptr;
    return *it;
  }
  return nullptr;
}

void Churn::CallOnce(std::mt19937_64& random, User& user) {
  const std::uint64_t draw = Below(random, 100);
  if (draw < 10) {
    Connect(random, user);
  } else if (draw < 13) {
    Disconnect(user);
  } else if (draw < 18) {
    SetRadius(random, user);
  } else if (draw < 22) {
    ReadPage(user);
  } else if (draw < 34) {
    ToggleBusy(random, user);
  } else {
    Report(random, user);
  }
}

void Churn::Connect(std::mt19937_64& random, User& user) {
  auto connection = std::make_shared<Connection>();
  connection->user = user.id;
  connection->cookie = ++last_cookie_;
  ConnectCall call;
  call.user = user.id;
  call.cookie = connection->cookie;
  if (OneIn(random, 2)) call.radius_m = kRadii[Below(random, 3)];
  // Not behind another connect: should that one replace an open session and then fail, the user
  // would be forgotten, and start again from a location older than what the session had reported.
  const bool is_alone = std::all_of(user.connections.begin(), user.connections.end(),
                                    [](const auto& earlier) { return earlier->reply.times() > 0; });
  if (is_alone && OneIn(random, 2)) {
    call.location = TimedLocation{DrawPlace(random), clock_.Now()};
  }
  connection->radius_m = call.radius_m.value_or(runtime_options_.engine.radius_m);
  {
    const std::lock_guard<std::mutex> lock(promises_mutex_);
    cookies_[user.id].push_back(call.cookie);
    for (const View& view : promised_) {
      if (view.first == user.id) sink_.MustNotSee(call.cookie, view.second);
    }
  }
  user.connections.push_back(connection);
  runtime_->Connect(call, connection->reply.DoneAnd(
                              [this, connection](const absl::StatusOr<ConnectResult>& result) {
                                if (result.ok()) OnConnected(*connection, *result);
                              }));
}

void Churn::OnConnected(Connection& connection, const ConnectResult& result) {
  ++answered_;
  sink_.Connected(connection.cookie, connection.user, result.friends);
  ExpectAllowed(connection.user, result.friends);
}

void Churn::Disconnect(User& user) {
  const std::shared_ptr<Connection> open = Open(user);
  // Where another connect is under way, its location may be older than what this session has
  // reported in the meantime; disconnected, the user's time would start again from there.
  if (open == nullptr || open != user.connections.back()) return;
  open->is_disconnected = true;
  sink_.Disconnected(open->cookie);
  runtime_->Disconnect(open->session());
}

void Churn::Report(std::mt19937_64& random, User& user) {
  const std::shared_ptr<Connection> open = Open(user);
  if (open == nullptr) return;
  const SessionReport report{open->session(), DrawPlace(random), clock_.Now()};
  if (OneIn(random, 2)) {
    runtime_->ReportAll({&report, 1});
    return;
  }
  const absl::Status status = runtime_->Report(report);
  EXPECT_TRUE(status.ok() || absl::IsResourceExhausted(status)) << status;
}

void Churn::SetRadius(std::mt19937_64& random, User& user) {
  const std::shared_ptr<Connection> open = Open(user);
  if (open == nullptr) return;
  const double radius_m = kRadii[Below(random, 3)];
  runtime_->SetRadius(open->session(), radius_m, [open, radius_m](const absl::Status& status) {
    if (status.ok()) open->radius_m = radius_m;
  });
}

void Churn::ReadPage(User& user) {
  runtime_->Nearby(user.id, {}, 3, [this, id = user.id](const absl::StatusOr<NearbyPage>& page) {
    if (page.ok()) ExpectAllowed(id, page->friends);
  });
}

void Churn::ToggleBusy(std::mt19937_64& random, User& user) {
  const std::shared_ptr<Connection> open = Open(user);
  if (open == nullptr) return;
  sink_.SetFlow(open->cookie,
                OneIn(random, 2) ? ClientSink::Flow::kBusy : ClientSink::Flow::kReady);
  if (!sink_.is_busy(open->cookie)) return;
  sink_.Ready(open->cookie);
  runtime_->Ready(open->session());
}

// --- edits, and what they promise ---

void Churn::Edit(std::mt19937_64& random, Pair& pair) {
  if (pair.is_under_way.exchange(true)) return;
  constexpr Kind kKinds[] = {Kind::kBefriend,  Kind::kBefriend,    Kind::kUnfriend,
                             Kind::kHide,      Kind::kShare,       Kind::kShare,
                             Kind::kSubscribe, Kind::kUnsubscribe, Kind::kSubscribe};
  const bool is_back = OneIn(random, 2);
  const FriendEdit edit{kKinds[Below(random, std::size(kKinds))], is_back ? pair.b : pair.a,
                        is_back ? pair.a : pair.b};
  NoteEdit(pair, edit, /*is_acknowledged=*/false);
  EditReply reply;
  pair.replies.push_back(reply);
  runtime_->Edit(
      edit,
      reply.DoneAnd([this, &pair, edit](const absl::StatusOr<std::optional<NearbyFriend>>& done) {
        if (done.ok()) {
          NoteEdit(pair, edit, /*is_acknowledged=*/true);
          if (*done) ExpectAllowed(edit.user, {&**done, 1});
        }
        pair.is_under_way = false;
      }));
}

void Churn::NoteEdit(Pair& pair, const FriendEdit& edit, bool is_acknowledged) {
  const std::lock_guard<std::mutex> lock(pair.mutex);
  const std::size_t side = edit.user == pair.a ? 0 : 1;
  switch (edit.kind) {
    case Kind::kUnfriend:
      pair.is_unfriended = pair.is_unfriended || is_acknowledged;
      break;
    case Kind::kHide:
      pair.hides[side] = pair.hides[side] || is_acknowledged;
      break;
    case Kind::kUnsubscribe:
      pair.is_unsubscribed[side] = pair.is_unsubscribed[side] || is_acknowledged;
      break;
    case Kind::kBefriend:
      pair.is_unfriended = false;
      break;
    case Kind::kShare:
      pair.hides[side] = false;
      break;
    case Kind::kSubscribe:
      pair.is_unsubscribed[side] = false;
  }
  Settle(pair);
}

void Churn::Settle(Pair& pair) {
  const std::lock_guard<std::mutex> lock(promises_mutex_);
  for (const std::size_t side : {0, 1}) {
    const View view = side == 0 ? View(pair.a, pair.b) : View(pair.b, pair.a);
    if (pair.is_unfriended || pair.is_unsubscribed[side] || pair.hides[1 - side]) {
      if (promised_.insert(view).second) ++promises_;
      for (const std::uint64_t cookie : cookies_[view.first]) sink_.MustNotSee(cookie, view.second);
    } else {
      promised_.erase(view);
      for (const std::uint64_t cookie : cookies_[view.first]) sink_.MaySee(cookie, view.second);
    }
  }
}

void Churn::ExpectAllowed(UserId viewer, absl::Span<const NearbyFriend> named) {
  const std::lock_guard<std::mutex> lock(promises_mutex_);
  for (const NearbyFriend& one : named) {
    EXPECT_EQ(promised_.count({viewer, one.friend_id}), 0u)
        << "user " << ToInt(viewer) << " is told of " << ToInt(one.friend_id);
  }
}

// --- the end ---

void Churn::FinishAndCheck() {
  for (CallScript* script : {&friends_.lists(), &friends_.edits(), &locations_.writes()}) {
    script->AwaitAnswers();
    script->AnswerOnOwnThread(false);
  }
  // What has been reported is not to hold back what is reported below.
  runtime_->PollAll();
  AwaitLists(friends_.lists(), *runtime_, clock_, [this] { runtime_->PollAll(); });
  std::vector<std::shared_ptr<Connection>> open;
  for (const auto& user : users_) {
    for (const auto& connection : user->connections) EXPECT_EQ(connection->reply.times(), 1);
    if (std::shared_ptr<Connection> last = Open(*user)) open.push_back(std::move(last));
  }
  for (const auto& pair : pairs_) {
    for (const EditReply& reply : pair->replies) EXPECT_EQ(reply.times(), 1);
  }
  for (const auto& connection : open) {
    sink_.SetFlow(connection->cookie, ClientSink::Flow::kReady);
    if (!sink_.is_busy(connection->cookie)) continue;
    sink_.Ready(connection->cookie);
    runtime_->Ready(connection->session());
  }
  runtime_->PollAll();

  std::mt19937_64 random(options_.seed);
  SightTruth truth(runtime_options_.engine);
  for (const auto& connection : open) {
    const LatLng place = DrawPlace(random);
    truth.Connected(connection->user, connection->radius_m);
    truth.Reported(connection->user, place, clock_.Now());
    EXPECT_TRUE(runtime_->Report({connection->session(), place, clock_.Now()}).ok());
    runtime_->PollAll();
  }
  for (const auto& connection : open) {
    std::set<UserId> in_sight;
    for (const auto& [friend_id, event] : sink_.InSight(connection->cookie)) {
      in_sight.insert(friend_id);
    }
    EXPECT_EQ(in_sight, truth.InSight(connection->user, store_.graph(), clock_.Now()))
        << "what user " << ToInt(connection->user) << " sees, on shard "
        << ToInt(connection->session().shard) << ", with a radius of " << connection->radius_m
        << " m; friends: " << FriendsOf(connection->user);
  }
  EXPECT_THAT(sink_.violations(), ::testing::IsEmpty());
  EXPECT_TRUE(runtime_->CheckInvariants().ok()) << runtime_->CheckInvariants();
  const RuntimeStats stats = runtime_->stats();
  EXPECT_EQ(stats.sessions, open.size());
  EXPECT_EQ(stats.edits_in_flight, 0u);
  EXPECT_EQ(stats.loads_in_flight, 0u);
  EXPECT_EQ(stats.queued_calls, 0u);
  EXPECT_EQ(stats.busy_sessions, 0u);
  EXPECT_EQ(stats.pending_events, 0u);
}

std::string Churn::FriendsOf(UserId user) {
  std::string line;
  for (const auto& other : users_) {
    const Friendship friendship = store_.graph().Get(user, other->id);
    if (friendship.friends) {
      absl::StrAppend(&line, ToInt(other->id), friendship.i_may_see() ? " " : " (not to be seen) ");
    }
  }
  return line;
}

Churn::Counts Churn::counts() {
  const RuntimeStats stats = runtime_->stats();
  const std::lock_guard<std::mutex> lock(promises_mutex_);
  Counts counts;
  counts.answered = answered_;
  counts.batches = stats.batches_delivered;
  counts.resyncs = stats.resyncs;
  counts.promises = promises_;
  return counts;
}

}  // namespace nearby::test
