#include "examples/echo_server/client_session.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "nearby/client_codec.h"
#include "nearby/friendship.h"
#include "nearby/server_codec.h"

namespace echo_server {
namespace {

using nearby::FriendEdit;
using EndReason = nearby::ClientSink::EndReason;
using nearby::NearbyFriend;
using nearby::NearbyPage;
using nearby::Time;
using nearby::UserId;
using nearby::WireFormat;

// What a client is told to wait when the server has too much to do.
constexpr absl::Duration kRetryAfter = absl::Seconds(1);

Time After(Time now, absl::Duration duration) {
  return Time::Millis(now.ms + absl::ToInt64Milliseconds(duration));
}

}  // namespace

ClientSession::ClientSession(const ClientSessionHost* host, FrameChannel* channel,
                             const Identity& identity)
    : host_(host),
      channel_(channel),
      identity_(identity),
      calls_(host->options.calls, host->clock->Now()) {}

// --- from the connection
// ---------------------------------------------------------------------------

void ClientSession::Start() {
  cookie_ = host_->connections->Add(shared_from_this());
  host_->stats->websockets.Add();
  deadline_ = After(now(), host_->options.init_timeout);
  SetDeadline();
}

void ClientSession::OnFrame(WireFormat format, absl::string_view frame) {
  ServerStats* const stats = host_->stats;
  (format == WireFormat::kJson ? stats->text_frames_received : stats->binary_frames_received).Add();
  if (phase_ >= Phase::kClosing) return;
  format_.store(format, std::memory_order_relaxed);
  if (!Admit()) return;
  const absl::StatusOr<nearby::ClientCall> call = host_->codec->decoder.Decode(format, frame);
  if (!call.ok()) return RefuseFrame(call.status());
  malformed_in_a_row_ = 0;
  std::visit([&](const auto& kind) { Take(call->request_id, kind); }, call->call);
}

bool ClientSession::Admit() {
  if (calls_.Take(host_->options.calls, now())) {
    is_throttled_ = false;
    return true;
  }
  host_->stats->frames_throttled.Add();
  // Once: answers to a flood would be a flood.
  if (!is_throttled_) {
    is_throttled_ = true;
    SendError(0, absl::ResourceExhaustedError("too many calls; further ones are ignored"),
              calls_.Wait(host_->options.calls));
  }
  return false;
}

void ClientSession::RefuseFrame(const absl::Status& status) {
  AnswerError(host_->codec->decoder.request_id(), status);
  // A call that only later versions know is well-formed.
  if (status.code() == absl::StatusCode::kUnimplemented) return;
  host_->stats->frames_malformed.Add();
  if (++malformed_in_a_row_ < host_->options.max_malformed_in_a_row) return;
  Close(CloseCode::kPolicyViolation, "too many malformed frames", &host_->stats->closed_by_policy);
}

void ClientSession::OnWritten() {
  if (phase_ == Phase::kClosed) return;
  is_writing_ = false;
  const bool was_batch = outbox_.front().is_batch;
  outbox_.Pop();
  if (was_batch && phase_ == Phase::kConnected) host_->runtime->Ready(session_);
  GoOn();
}

void ClientSession::OnDeadline() {
  if (phase_ == Phase::kClosed) return;
  const Time time = now();
  if (phase_ == Phase::kClosing) {
    if (time >= deadline_) return channel_->Abort();
  } else if (time >= identity_.expires_at) {
    return Close(CloseCode::kPolicyViolation, "token expired", &host_->stats->closed_by_policy);
  } else if (time >= deadline_ && phase_ == Phase::kNew) {
    return Close(CloseCode::kPolicyViolation, "no init", &host_->stats->closed_by_policy);
  } else if (time >= deadline_ && phase_ == Phase::kConnected) {
    return OnShutdown();
  }
  SetDeadline();
}

void ClientSession::OnClosed() {
  if (phase_ == Phase::kClosed) return;
  if (phase_ != Phase::kClosing) host_->stats->closed_by_client.Add();
  EndSession();
  phase_ = Phase::kClosed;
  channel_ = nullptr;
  host_->stats->websockets.Subtract();
}

// --- calls
// -----------------------------------------------------------------------------------------

bool ClientSession::IsReady(std::uint64_t request_id) {
  if (phase_ == Phase::kConnected) return true;
  AnswerError(request_id,
              absl::FailedPreconditionError(phase_ == Phase::kNew ? "the first call must be init"
                                                                  : "wait for the answer to init"));
  return false;
}

bool ClientSession::BeginCall(std::uint64_t request_id) {
  if (!IsReady(request_id)) return false;
  if (calls_in_flight_ >= host_->options.max_calls_in_flight) {
    AnswerError(request_id, absl::ResourceExhaustedError("too many calls wait for their answers"));
    return false;
  }
  ++calls_in_flight_;
  return true;
}

template <typename Result, typename Answer>
auto ClientSession::OnLoop(std::uint64_t request_id, Answer answer) {
  // The completion comes on a thread of the runtime: nothing here is touched before the loop.
  return [self = shared_from_this(), request_id,
          answer = std::move(answer)](absl::StatusOr<Result> result) {
    TaskQueue* const loop = self->host_->loop;
    loop->Post([self, request_id, answer, result = std::move(result)] {
      --self->calls_in_flight_;
      if (!result.ok()) return self->AnswerError(request_id, StatusForClient(result.status()));
      std::string frame;
      answer(*result, self->format(), &frame);
      self->Send(std::move(frame));
    });
  };
}

void ClientSession::Take(std::uint64_t request_id, const nearby::InitCall& call) {
  if (phase_ != Phase::kNew) {
    return AnswerError(request_id, absl::FailedPreconditionError("init has been called already"));
  }
  phase_ = Phase::kConnecting;
  // How long this may take, the runtime says.
  deadline_ = nearby::kNever;
  SetDeadline();
  nearby::ConnectCall connect;
  connect.user = identity_.user;
  connect.cookie = cookie_;
  connect.radius_m = call.radius_m;
  if (call.location.has_value()) {
    connect.location = {call.location->location, call.location->reported_at};
  }
  host_->runtime->Connect(connect, [self = shared_from_this(),
                                    request_id](absl::StatusOr<nearby::ConnectResult> result) {
    TaskQueue* const loop = self->host_->loop;
    loop->Post([self, request_id, result = std::move(result)]() mutable {
      self->FinishInit(request_id, std::move(result));
    });
  });
}

void ClientSession::FinishInit(std::uint64_t request_id,
                               absl::StatusOr<nearby::ConnectResult> result) {
  if (phase_ != Phase::kConnecting) {
    // The client has gone meanwhile: nobody else knows of this session.
    if (result.ok()) host_->runtime->Disconnect(result->session);
    return;
  }
  if (!result.ok()) {
    phase_ = Phase::kNew;
    AnswerError(request_id, StatusForClient(result.status()));
    if (absl::IsAborted(result.status())) return OnEnded(EndReason::kReplaced);
    if (host_->is_draining->load()) return OnShutdown();
    if (phase_ != Phase::kNew) return;
    deadline_ = After(now(), host_->options.init_timeout);
    return SetDeadline();
  }
  phase_ = Phase::kConnected;
  session_ = result->session;
  deadline_ = nearby::kNever;
  SetDeadline();
  std::string frame;
  host_->codec->encoder.EncodeInitAnswer(format(), request_id,
                                         {result->friends, result->in_sight, result->next}, &frame);
  Send(std::move(frame));
  const absl::Status location = nearby::ToStatus(result->location_outcome);
  if (!location.ok()) AnswerError(0, location);
}

void ClientSession::Take(std::uint64_t request_id, const nearby::ReportCall& call) {
  if (!IsReady(request_id)) return;
  const absl::Status status = host_->runtime->Report({session_, call.location, call.reported_at});
  if (!status.ok()) AnswerError(request_id, status);
}

void ClientSession::Take(std::uint64_t request_id, const nearby::SubscribeCall& call) {
  if (!BeginCall(request_id)) return;
  nearby::ServerEncoder* const encoder = &host_->codec->encoder;
  host_->runtime->Edit(
      {FriendEdit::Kind::kSubscribe, identity_.user, call.friend_id},
      OnLoop<std::optional<NearbyFriend>>(
          request_id, [encoder, request_id](const std::optional<NearbyFriend>& in_sight,
                                            WireFormat format, std::string* frame) {
            encoder->EncodeSubscribeAnswer(format, request_id, in_sight, frame);
          }));
}

void ClientSession::Take(std::uint64_t request_id, const nearby::UnsubscribeCall& call) {
  if (!BeginCall(request_id)) return;
  nearby::ServerEncoder* const encoder = &host_->codec->encoder;
  host_->runtime->Edit(
      {FriendEdit::Kind::kUnsubscribe, identity_.user, call.friend_id},
      OnLoop<std::optional<NearbyFriend>>(
          request_id, [encoder, request_id](const std::optional<NearbyFriend>&, WireFormat format,
                                            std::string* frame) {
            encoder->EncodeUnsubscribeAnswer(format, request_id, frame);
          }));
}

void ClientSession::Take(std::uint64_t request_id, const nearby::NearbyCall& call) {
  if (!BeginCall(request_id)) return;
  nearby::ServerEncoder* const encoder = &host_->codec->encoder;
  host_->runtime->Nearby(
      identity_.user, call.after, call.page_size,
      OnLoop<NearbyPage>(request_id, [encoder, request_id](const NearbyPage& page,
                                                           WireFormat format, std::string* frame) {
        encoder->EncodeNearbyAnswer(format, request_id, page, frame);
      }));
}

// --- from the sink
// ---------------------------------------------------------------------------------

void ClientSession::OnBatch(WireFormat format, std::string frame) {
  if (phase_ != Phase::kConnected) return;
  Push({std::move(frame), format, /*is_batch=*/true});
}

void ClientSession::OnEnded(EndReason reason) {
  switch (reason) {
    case EndReason::kReplaced:
      return Close(CloseCode::kReplaced, "the user has connected again",
                   &host_->stats->closed_for_replacement);
    case EndReason::kNodeLost:
      return Close(CloseCode::kNodeLost, "this server has lost touch with the others",
                   &host_->stats->closed_for_lost_node);
  }
}

void ClientSession::OnReportRefused(Time reported_at, nearby::ReportOutcome outcome) {
  const absl::Status status = nearby::ToStatus(outcome);
  if (status.ok()) return;
  AnswerError(0, absl::Status(status.code(), absl::StrCat("the report of ", reported_at.ms,
                                                          " ms: ", status.message())));
}

void ClientSession::OnMoveAway(absl::Duration after) {
  if (phase_ != Phase::kConnected) return;
  std::string frame;
  host_->codec->encoder.EncodeDrain(format(), after, &frame);
  Send(std::move(frame));
  if (phase_ != Phase::kConnected) return;
  deadline_ = After(now(), after + host_->options.drain_grace);
  SetDeadline();
}

void ClientSession::OnShutdown() {
  Close(CloseCode::kServiceRestart, "service restart", &host_->stats->closed_for_restart);
}

// --- writing and closing
// ---------------------------------------------------------------------------

void ClientSession::AnswerError(std::uint64_t request_id, const absl::Status& status) {
  const bool may_retry = absl::IsResourceExhausted(status) || absl::IsUnavailable(status);
  SendError(request_id, status, may_retry ? kRetryAfter : absl::ZeroDuration());
}

void ClientSession::SendError(std::uint64_t request_id, const absl::Status& status,
                              absl::Duration retry_after) {
  if (phase_ >= Phase::kClosing) return;
  host_->stats->errors_sent.Add();
  std::string frame;
  host_->codec->encoder.EncodeError(format(), request_id, status, retry_after, &frame);
  Send(std::move(frame));
}

void ClientSession::Send(std::string frame) {
  if (phase_ >= Phase::kClosing) return;
  Push({std::move(frame), format(), /*is_batch=*/false});
}

void ClientSession::Push(OutgoingFrame frame) {
  if (outbox_.Push(std::move(frame), host_->options.outbox)) return GoOn();
  // A goodbye would wait behind what the client does not read.
  Close(CloseCode::kPolicyViolation, "too slow", &host_->stats->closed_by_policy);
  channel_->Abort();
}

void ClientSession::GoOn() {
  if (is_writing_) return;
  if (!outbox_.empty()) {
    is_writing_ = true;
    const OutgoingFrame& frame = outbox_.front();
    ServerStats* const stats = host_->stats;
    (frame.format == WireFormat::kJson ? stats->text_frames_sent : stats->binary_frames_sent).Add();
    stats->bytes_sent.Add(frame.bytes.size());
    return channel_->Write(frame.format, frame.bytes);
  }
  if (phase_ == Phase::kClosing) channel_->Close(close_code_, close_reason_);
}

void ClientSession::Close(CloseCode code, absl::string_view reason, ServerStats::Count* count) {
  if (phase_ >= Phase::kClosing) return;
  count->Add();
  EndSession();
  phase_ = Phase::kClosing;
  close_code_ = code;
  close_reason_ = reason;
  deadline_ = After(now(), host_->options.close_timeout);
  SetDeadline();
  GoOn();
}

void ClientSession::EndSession() {
  host_->connections->Remove(cookie_);
  if (phase_ == Phase::kConnected) host_->runtime->Disconnect(session_);
}

void ClientSession::SetDeadline() {
  // The token's end matters only as long as there is something to end.
  const Time due =
      phase_ == Phase::kClosing ? deadline_ : std::min(deadline_, identity_.expires_at);
  if (due == nearby::kNever) return;
  // The timer's clock runs evenly and the tokens' may be set: look again now and then.
  constexpr absl::Duration kAtMost = absl::Hours(1);
  const absl::Duration wait = absl::Milliseconds(std::max<std::int64_t>(due.ms - now().ms, 0));
  channel_->SetDeadline(std::min(wait, kAtMost));
}

}  // namespace echo_server
