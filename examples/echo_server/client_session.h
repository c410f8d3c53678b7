#ifndef EXAMPLES_ECHO_SERVER_CLIENT_SESSION_H_
#define EXAMPLES_ECHO_SERVER_CLIENT_SESSION_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "examples/echo_server/authenticator.h"
#include "examples/echo_server/codec.h"
#include "examples/echo_server/connections.h"
#include "examples/echo_server/frame_channel.h"
#include "examples/echo_server/outbox.h"
#include "examples/echo_server/rate_limit.h"
#include "examples/echo_server/server_stats.h"
#include "examples/echo_server/task_queue.h"
#include "nearby/clock.h"
#include "nearby/runtime.h"

namespace echo_server {

/// What clients may do, and how long they may take.
struct ClientSessionOptions {
  // Behaviour.

  /// A connection without an init after this long is closed.
  absl::Duration init_timeout = absl::Seconds(30);
  /// A client that was asked to move is closed this long after the time it was told.
  absl::Duration drain_grace = absl::Seconds(1);
  /// What is still to be written when a session ends may take this long.
  absl::Duration close_timeout = absl::Seconds(5);

  // Limits.

  /// Calls of one client. The first beyond it is answered with an error, further ones are ignored.
  /// One user's requests over HTTP are held to the same.
  RateLimit calls;
  /// After so many frames in a row that are no calls the connection is closed.
  std::uint32_t max_malformed_in_a_row = 16;
  /// Calls of one client that wait for the runtime; further ones are answered with an error.
  std::uint32_t max_calls_in_flight = 16;
  /// Answers that wait to be written; beyond it the connection is closed.
  Outbox::Limits outbox;
};

/// What the sessions of one event loop share. All of it outlives them.
struct ClientSessionHost {
  nearby::Runtime* runtime = nullptr;
  Connections* connections = nullptr;
  TaskQueue* loop = nullptr;
  Codec* codec = nullptr;
  ServerStats* stats = nullptr;
  const nearby::Clock* clock = nearby::SystemClock::Get();
  const std::atomic<bool>* is_draining = nullptr;
  ClientSessionOptions options;
};

/// What one phone and this server say to each other: frames in, calls on the runtime, frames out.
/// Knows nothing of sockets.
///
///   auto session = std::make_shared<ClientSession>(&host, &channel, identity);
///   session->Start();
///   session->OnFrame(WireFormat::kJson, R"({"request_id": 1, "init": {}})");
///   ...
///   session->OnClosed();
///
/// The first call must be init. Reports are answered only when they are refused; every other call
/// is answered, in the format of the client's last frame. A frame that is no call is answered with
/// an error, and the connection goes on.
///
/// Thread-compatible: everything but `loop` and `format` on the loop. What the runtime completes
/// comes back by way of the loop.
/// Ownership: shared by the connection, the sink and the calls under way. Borrows the channel until
/// OnClosed.
class ClientSession : public ConnectedClient, public std::enable_shared_from_this<ClientSession> {
 public:
  ClientSession(const ClientSessionHost* host, FrameChannel* channel, const Identity& identity);

  // --- from the connection ---

  /// The connection is open.
  void Start();
  void OnFrame(nearby::WireFormat format, absl::string_view frame);
  /// What `FrameChannel::Write` was given has been written.
  void OnWritten();
  void OnDeadline();
  /// The connection has gone, for whatever reason; nothing comes after it.
  void OnClosed();

  // --- from the sink ---

  TaskQueue* loop() const override { return host_->loop; }
  nearby::WireFormat format() const override { return format_.load(std::memory_order_relaxed); }
  void OnBatch(nearby::WireFormat format, std::string frame) override;
  void OnEnded(nearby::ClientSink::EndReason reason) override;
  void OnReportRefused(nearby::Time reported_at, nearby::ReportOutcome outcome) override;
  void OnMoveAway(absl::Duration after) override;
  void OnShutdown() override;

 private:
  enum class Phase : std::uint8_t {
    kNew,         // waits for init
    kConnecting,  // init waits for the runtime
    kConnected,
    kClosing,  // what is left is written, then the connection is closed
    kClosed,
  };

  // Whether the rate limit lets another call in.
  bool Admit();
  void RefuseFrame(const absl::Status& status);
  bool IsReady(std::uint64_t request_id);
  // Of each answered call: whether it may begin. If so, FinishCall ends it.
  bool BeginCall(std::uint64_t request_id);

  void Take(std::uint64_t request_id, const nearby::InitCall& call);
  void Take(std::uint64_t request_id, const nearby::ReportCall& call);
  void Take(std::uint64_t request_id, const nearby::SubscribeCall& call);
  void Take(std::uint64_t request_id, const nearby::UnsubscribeCall& call);
  void Take(std::uint64_t request_id, const nearby::NearbyCall& call);

  void FinishInit(std::uint64_t request_id, absl::StatusOr<nearby::ConnectResult> result);
  // Runs `answer`, which gets the result if all went well and appends to a frame, on the loop.
  template <typename Result, typename Answer>
  auto OnLoop(std::uint64_t request_id, Answer answer);

  void AnswerError(std::uint64_t request_id, const absl::Status& status);
  void SendError(std::uint64_t request_id, const absl::Status& status, absl::Duration retry_after);
  void Send(std::string frame);
  void Push(OutgoingFrame frame);
  // Writes the next frame, or closes when there is none left to write.
  void GoOn();

  // Ends the session, writes what is left, and closes.
  void Close(CloseCode code, absl::string_view reason, ServerStats::Count* count);
  void EndSession();
  // Has the channel call OnDeadline when next something is due.
  void SetDeadline();

  nearby::Time now() const { return host_->clock->Now(); }

  const ClientSessionHost* const host_;
  FrameChannel* channel_;  // null once closed
  const Identity identity_;
  std::uint64_t cookie_ = 0;
  nearby::SessionId session_;
  Outbox outbox_;
  RateBucket calls_;
  // By then: kNew, the init must have come; kConnected, the client that was asked to move must have
  // gone; kClosing, the rest must have been written.
  nearby::Time deadline_ = nearby::kNever;
  absl::string_view close_reason_;  // static
  CloseCode close_code_ = CloseCode::kPolicyViolation;
  std::uint32_t malformed_in_a_row_ = 0;
  std::uint32_t calls_in_flight_ = 0;
  std::atomic<nearby::WireFormat> format_{nearby::WireFormat::kJson};
  Phase phase_ = Phase::kNew;
  bool is_writing_ = false;
  bool is_throttled_ = false;
};

}  // namespace echo_server

#endif  // EXAMPLES_ECHO_SERVER_CLIENT_SESSION_H_
