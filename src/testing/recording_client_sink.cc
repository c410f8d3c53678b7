#include "nearby/testing/recording_client_sink.h"

#include <deque>
#include <mutex>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "nearby/effects.h"
#include "nearby/geo.h"
#include "nearby/time.h"

namespace nearby {
namespace {

const char* ToString(BatchStart start) {
  switch (start) {
    case BatchStart::kGoesOn:
      return "goes on";
    case BatchStart::kReset:
      return "reset";
    case BatchStart::kResync:
      return "resync";
  }
  return "?";
}

std::string ToString(const ClientEvent& event) {
  return absl::StrCat(nearby::ToString(event.kind), " of ", ToInt(event.friend_id), " at ",
                      event.time.ms, " ms, reported at ", event.reported_at.ms, " ms, ",
                      event.distance_mm, " mm, reason ", nearby::ToString(event.reason));
}

}  // namespace

struct RecordingClientSink::Session {
  enum class Stage { kUnknown, kConnected, kEnded, kDisconnected };

  Stage stage = Stage::kUnknown;
  std::optional<SessionId> id;
  std::optional<UserId> user;
  int calls_under_way = 0;
  Flow flow = Flow::kReady;
  bool is_busy = false;
  std::map<UserId, ClientEvent> in_sight;
  std::map<UserId, Time> last_event;  // engine time of the latest event, by friend
  // How many sessions of a friend had ended when the client was last told where they are.
  std::map<UserId, std::size_t> last_life;
  std::set<UserId> must_not_see;
  std::deque<Batch> batches;
  std::optional<EndReason> ended;
  std::vector<RefusedReport> refused;
  std::vector<absl::Duration> moved_away;
};

struct RecordingClientSink::State {
  explicit State(const Options& the_options) : options(the_options) {}

  // Opens a call of a session: null if it is to be ignored.
  Session* Begin(SessionId id, std::uint64_t cookie, absl::string_view call);
  void End(std::uint64_t cookie) { --sessions[cookie].calls_under_way; }
  void Fail(std::uint64_t cookie, absl::string_view what);
  void Fail(std::uint64_t cookie, const ClientEvent& event, absl::string_view what) {
    Fail(cookie, absl::StrCat(what, ": ", ToString(event)));
  }

  void CheckUser(const ClientBatch& batch, Session& session);
  void Apply(const ClientBatch& batch, Session& session);
  void ApplyStart(const ClientBatch& batch, Session& session);
  void ApplyEvent(const ClientBatch& batch, const ClientEvent& event, Session& session);
  void ApplySighting(std::uint64_t cookie, const ClientEvent& event, Session& session);
  void ApplyLeave(std::uint64_t cookie, const ClientEvent& event, Session& session);
  void CheckTime(std::uint64_t cookie, const ClientEvent& event, Session& session);
  void NoteEnd(const Session& session) {
    if (session.user.has_value()) ++ended_sessions[*session.user];
  }

  const Session* Find(std::uint64_t cookie) const {
    const auto it = sessions.find(cookie);
    return it == sessions.end() ? nullptr : &it->second;
  }

  mutable std::mutex mutex;
  const Options options;
  std::map<std::uint64_t, Session> sessions;
  std::map<UserId, std::size_t> ended_sessions;
  Hook hook;
  Counts counts;
  std::vector<std::string> violations;
};

void RecordingClientSink::State::Fail(std::uint64_t cookie, absl::string_view what) {
  ++counts.violations;
  if (violations.size() >= options.max_violations) return;
  violations.push_back(absl::StrCat("session ", cookie, ": ", what));
}

RecordingClientSink::Session* RecordingClientSink::State::Begin(SessionId id, std::uint64_t cookie,
                                                                absl::string_view call) {
  Session& session = sessions[cookie];
  if (session.stage == Session::Stage::kDisconnected) {
    ++counts.late;
    return nullptr;
  }
  if (session.calls_under_way++ > 0) Fail(cookie, absl::StrCat(call, " overlaps another call"));
  if (session.stage == Session::Stage::kEnded) Fail(cookie, absl::StrCat(call, " after Ended"));
  if (session.stage == Session::Stage::kUnknown) {
    if (options.expect_connected) Fail(cookie, absl::StrCat(call, " before Connected"));
    session.stage = Session::Stage::kConnected;
  }
  if (session.id.has_value() && *session.id != id) {
    Fail(cookie, absl::StrCat(call, " for another session under this cookie"));
  }
  session.id = id;
  return &session;
}

void RecordingClientSink::State::CheckUser(const ClientBatch& batch, Session& session) {
  if (session.user.has_value() && *session.user != batch.user) {
    Fail(batch.cookie,
         absl::StrCat("a batch for user ", ToInt(batch.user), ", not ", ToInt(*session.user)));
  }
  session.user = batch.user;
}

void RecordingClientSink::State::Apply(const ClientBatch& batch, Session& session) {
  ++counts.batches;
  CheckUser(batch, session);
  if (session.is_busy) Fail(batch.cookie, "a batch while the session is busy");
  if (batch.start == BatchStart::kGoesOn && batch.events.empty()) {
    Fail(batch.cookie, "a batch that says nothing");
  }
  ApplyStart(batch, session);
  std::set<UserId> named;
  for (const ClientEvent& event : batch.events) {
    if (!named.insert(event.friend_id).second) {
      Fail(batch.cookie, event, "a second event for one friend in a batch");
    }
    ApplyEvent(batch, event, session);
  }
  session.batches.push_back({batch.start, {batch.events.begin(), batch.events.end()}});
  if (session.batches.size() > options.max_batches) session.batches.pop_front();
  session.is_busy = session.flow == Flow::kBusy;
}

void RecordingClientSink::State::ApplyStart(const ClientBatch& batch, Session& session) {
  if (batch.start == BatchStart::kGoesOn) return;
  ++(batch.start == BatchStart::kReset ? counts.resets : counts.resyncs);
  session.in_sight.clear();
  // The enters of a resync tell since when each friend has been in sight, which may be before what
  // the client was told last.
  if (batch.start == BatchStart::kResync) session.last_event.clear();
}

void RecordingClientSink::State::ApplyEvent(const ClientBatch& batch, const ClientEvent& event,
                                            Session& session) {
  if (event.friend_id == batch.user) Fail(batch.cookie, event, "an event about oneself");
  if (batch.start == BatchStart::kResync && event.kind != DeliveryKind::kEnter) {
    Fail(batch.cookie, event, absl::StrCat("not an enter in a ", ToString(batch.start)));
  }
  CheckTime(batch.cookie, event, session);
  switch (event.kind) {
    case DeliveryKind::kEnter:
    case DeliveryKind::kMove:
      return ApplySighting(batch.cookie, event, session);
    case DeliveryKind::kLeave:
      return ApplyLeave(batch.cookie, event, session);
    case DeliveryKind::kReset:
      return Fail(batch.cookie, event, "a reset is how a batch starts, not an event");
  }
}

void RecordingClientSink::State::CheckTime(std::uint64_t cookie, const ClientEvent& event,
                                           Session& session) {
  const auto [last, is_first] = session.last_event.try_emplace(event.friend_id, event.time);
  if (!is_first && event.time < last->second) {
    Fail(cookie, event, absl::StrCat("time goes backward from ", last->second.ms, " ms"));
  }
  last->second = event.time;
}

void RecordingClientSink::State::ApplySighting(std::uint64_t cookie, const ClientEvent& event,
                                               Session& session) {
  const bool is_enter = event.kind == DeliveryKind::kEnter;
  ++(is_enter ? counts.enters : counts.moves);
  if (!event.position.is_somewhere()) Fail(cookie, event, "a sighting without a position");
  if (event.reason != LeaveReason::kNone) Fail(cookie, event, "a sighting with a reason");
  if (session.must_not_see.count(event.friend_id) > 0) {
    Fail(cookie, event, "a sighting of one who must not be seen");
  }
  const std::size_t life = ended_sessions[event.friend_id];
  const std::size_t last_life = std::exchange(session.last_life[event.friend_id], life);
  const auto seen = session.in_sight.find(event.friend_id);
  if (seen == session.in_sight.end()) {
    if (!is_enter) Fail(cookie, event, "a move of one who is not in sight");
    session.in_sight.emplace(event.friend_id, event);
    return;
  }
  if (is_enter) Fail(cookie, event, "an enter of one who is in sight");
  if (life == last_life && event.reported_at < seen->second.reported_at) {
    Fail(cookie, event,
         absl::StrCat("report time goes backward from ", seen->second.reported_at.ms, " ms"));
  }
  seen->second = event;
}

void RecordingClientSink::State::ApplyLeave(std::uint64_t cookie, const ClientEvent& event,
                                            Session& session) {
  ++counts.leaves;
  if (event.position.is_somewhere()) Fail(cookie, event, "a leave with a position");
  if (event.distance_mm != 0) Fail(cookie, event, "a leave with a distance");
  if (event.reason == LeaveReason::kNone) Fail(cookie, event, "a leave without a reason");
  if (options.coarse_reasons && ReasonForClient(event.reason) != event.reason) {
    Fail(cookie, event, "a reason that clients are not to know");
  }
  if (session.in_sight.erase(event.friend_id) == 0) {
    Fail(cookie, event, "a leave of one who is not in sight");
  }
}

RecordingClientSink::RecordingClientSink() : RecordingClientSink(Options()) {}
RecordingClientSink::RecordingClientSink(const Options& options)
    : state_(std::make_unique<State>(options)) {}
RecordingClientSink::~RecordingClientSink() = default;

ClientSink::Flow RecordingClientSink::Deliver(const ClientBatch& batch) {
  Hook hook;
  Flow flow = Flow::kReady;
  {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    Session* const session = state_->Begin(batch.session, batch.cookie, "Deliver");
    if (session == nullptr) return Flow::kReady;
    state_->Apply(batch, *session);
    // As it is now: the client may be ready again, and say so, before this has returned.
    flow = session->flow;
    hook = state_->hook;
  }
  // Without the lock: only so can a call that overlaps this one be seen.
  if (hook) hook(batch);
  const std::lock_guard<std::mutex> lock(state_->mutex);
  state_->End(batch.cookie);
  return flow;
}

void RecordingClientSink::Ended(SessionId session, std::uint64_t cookie, EndReason reason) {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  Session* const ending = state_->Begin(session, cookie, "Ended");
  if (ending == nullptr) return;
  ++state_->counts.ended;
  ending->ended = reason;
  state_->NoteEnd(*ending);
  ending->stage = Session::Stage::kEnded;
  state_->End(cookie);
}

void RecordingClientSink::ReportRefused(SessionId session, std::uint64_t cookie, Time reported_at,
                                        ReportOutcome outcome) {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  Session* const refused = state_->Begin(session, cookie, "ReportRefused");
  if (refused == nullptr) return;
  refused->refused.push_back({reported_at, outcome});
  state_->End(cookie);
}

void RecordingClientSink::MoveAway(SessionId session, std::uint64_t cookie, absl::Duration after) {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  Session* const moving = state_->Begin(session, cookie, "MoveAway");
  if (moving == nullptr) return;
  moving->moved_away.push_back(after);
  state_->End(cookie);
}

void RecordingClientSink::Connected(std::uint64_t cookie, UserId user,
                                    absl::Span<const NearbyFriend> friends) {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  Session& session = state_->sessions[cookie];
  if (session.stage != Session::Stage::kUnknown) {
    state_->Fail(cookie, "connected under a cookie that has been used");
  }
  session.stage = Session::Stage::kConnected;
  session.user = user;
  for (const NearbyFriend& seen : friends) {
    ClientEvent event;
    event.friend_id = seen.friend_id;
    event.reported_at = seen.reported_at;
    event.position = seen.position;
    event.distance_mm = seen.distance_mm;
    if (!session.in_sight.emplace(seen.friend_id, event).second) {
      state_->Fail(cookie, event, "the answer names a friend twice");
    }
  }
}

void RecordingClientSink::Disconnected(std::uint64_t cookie) {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  Session& session = state_->sessions[cookie];
  session.stage = Session::Stage::kDisconnected;
  state_->NoteEnd(session);
}

void RecordingClientSink::SetFlow(std::uint64_t cookie, Flow flow) {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  state_->sessions[cookie].flow = flow;
}

void RecordingClientSink::Ready(std::uint64_t cookie) {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  state_->sessions[cookie].is_busy = false;
}

void RecordingClientSink::MustNotSee(std::uint64_t cookie, UserId friend_id) {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  state_->sessions[cookie].must_not_see.insert(friend_id);
}

void RecordingClientSink::MaySee(std::uint64_t cookie, UserId friend_id) {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  state_->sessions[cookie].must_not_see.erase(friend_id);
}

void RecordingClientSink::SetHook(Hook hook) {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  state_->hook = std::move(hook);
}

std::map<UserId, ClientEvent> RecordingClientSink::InSight(std::uint64_t cookie) const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  const Session* const session = state_->Find(cookie);
  return session == nullptr ? std::map<UserId, ClientEvent>() : session->in_sight;
}

std::vector<RecordingClientSink::Batch> RecordingClientSink::batches(std::uint64_t cookie) const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  const Session* const session = state_->Find(cookie);
  if (session == nullptr) return {};
  return {session->batches.begin(), session->batches.end()};
}

bool RecordingClientSink::is_busy(std::uint64_t cookie) const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  const Session* const session = state_->Find(cookie);
  return session != nullptr && session->is_busy;
}

std::optional<ClientSink::EndReason> RecordingClientSink::ended(std::uint64_t cookie) const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  const Session* const session = state_->Find(cookie);
  return session == nullptr ? std::nullopt : session->ended;
}

std::vector<RecordingClientSink::RefusedReport> RecordingClientSink::refused(
    std::uint64_t cookie) const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  const Session* const session = state_->Find(cookie);
  return session == nullptr ? std::vector<RefusedReport>() : session->refused;
}

std::vector<absl::Duration> RecordingClientSink::moved_away(std::uint64_t cookie) const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  const Session* const session = state_->Find(cookie);
  return session == nullptr ? std::vector<absl::Duration>() : session->moved_away;
}

RecordingClientSink::Counts RecordingClientSink::counts() const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  return state_->counts;
}

std::vector<std::string> RecordingClientSink::violations() const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  return state_->violations;
}

}  // namespace nearby
