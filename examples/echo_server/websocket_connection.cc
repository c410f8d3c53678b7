#include "examples/echo_server/websocket_connection.h"

#include <algorithm>
#include <array>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "examples/echo_server/client_session.h"
#include "examples/echo_server/frame_channel.h"
#include "examples/echo_server/server_stats.h"
#include "nearby/wire_format.h"

namespace echo_server {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;

using beast::error_code;
using nearby::WireFormat;

// The frames of one client. Lives as long as it reads or writes.
//
// Beast has timeouts of its own. They are left off: when one strikes while Beast waits for the peer
// to hang up, an assertion of Beast fails (boostorg/beast, issue 2264), so that a peer could end
// the process. Here one timer serves the handshake, the idle connection and the session's
// deadlines.
class WebSocketConnection : public FrameChannel,
                            public std::enable_shared_from_this<WebSocketConnection> {
 public:
  WebSocketConnection(Socket socket, ConnectionSlots::Slot slot, const ConnectionHost* host)
      : host_(host),
        slot_(std::move(slot)),
        stream_(std::move(socket)),
        timer_(stream_.get_executor()) {}

  void Accept(const Identity& identity, const BeastRequest& request) {
    stream_.read_message_max(host_->options.max_message_bytes);
    // A message is one frame: cutting it up would need a buffer, and gains a server nothing.
    stream_.auto_fragment(false);
    stream_.control_callback(
        [this](websocket::frame_type, beast::string_view) { active_at_ = Clock::now(); });
    idle_check_at_ = Clock::now() + absl::ToChronoMilliseconds(host_->options.request_timeout);
    SetTimer();
    stream_.async_accept(request, [self = shared_from_this(), identity](error_code error) {
      if (error) return self->Finish();
      self->Start(identity);
    });
  }

  // --- FrameChannel ---

  void Write(WireFormat format, absl::string_view frame) override {
    stream_.text(format == WireFormat::kJson);
    stream_.async_write(asio::buffer(frame.data(), frame.size()),
                        [self = shared_from_this()](error_code error, std::size_t) {
                          if (error) return self->Abort();
                          self->session_->OnWritten();
                        });
  }

  void Close(CloseCode code, absl::string_view reason) override {
    const websocket::close_reason close_reason(static_cast<websocket::close_code>(code),
                                               beast::string_view(reason.data(), reason.size()));
    // While there is a callback, Beast puts off what it does with a close frame that was read along
    // with another frame. If the write of ours ends in between, the two wait for each other, until
    // the session's deadline.
    stream_.control_callback();
    // Reading ends with it, one way or the other.
    stream_.async_close(close_reason, [self = shared_from_this()](error_code) { self->Abort(); });
  }

  void Abort() override {
    error_code ignored;
    stream_.next_layer().close(ignored);
  }

  void SetDeadline(absl::Duration after) override {
    session_due_at_ = Clock::now() + absl::ToChronoMilliseconds(after);
    SetTimer();
  }

 private:
  using Clock = std::chrono::steady_clock;
  using Timer = asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, LoopExecutor>;

  void Start(const Identity& identity) {
    host_->stats->upgrades.Add();
    active_at_ = Clock::now();
    idle_check_at_ = active_at_ + absl::ToChronoMilliseconds(host_->options.idle_timeout) / 2;
    session_ = std::make_shared<ClientSession>(host_->sessions, this, identity);
    session_->Start();
    Read();
  }

  // --- reading ---

  void Read() {
    stream_.async_read_some(asio::buffer(chunk_),
                            [self = shared_from_this()](error_code error, std::size_t size) {
                              self->OnRead(error, size);
                            });
  }

  void OnRead(error_code error, std::size_t size) {
    if (error) return Finish();
    active_at_ = Clock::now();
    const absl::string_view chunk(chunk_.data(), size);
    if (!stream_.is_message_done()) {
      message_.append(chunk.data(), chunk.size());
    } else if (message_.empty()) {
      TakeFrame(chunk);
    } else {
      message_.append(chunk.data(), chunk.size());
      TakeFrame(message_);
      std::string().swap(message_);
    }
    Read();
  }

  void TakeFrame(absl::string_view frame) {
    session_->OnFrame(stream_.got_text() ? WireFormat::kJson : WireFormat::kProtobuf, frame);
  }

  void Finish() {
    Abort();
    is_finished_ = true;
    timer_.cancel();
    if (session_ != nullptr) session_->OnClosed();
  }

  // --- time ---

  void SetTimer() {
    timer_.expires_at(std::min(idle_check_at_, session_due_at_));
    timer_.async_wait([self = shared_from_this()](error_code error) {
      if (!error) self->OnTimer();
    });
  }

  void OnTimer() {
    if (is_finished_) return;
    if (session_ == nullptr) return Abort();  // the handshake took too long
    const Clock::time_point now = Clock::now();
    if (now >= session_due_at_) {
      session_due_at_ = Clock::time_point::max();
      session_->OnDeadline();
    }
    if (now >= idle_check_at_) CheckIdle(now);
    SetTimer();
  }

  void CheckIdle(Clock::time_point now) {
    const Clock::duration timeout = absl::ToChronoMilliseconds(host_->options.idle_timeout);
    const Clock::duration silence = now - active_at_;
    if (silence >= timeout) {
      Abort();
      idle_check_at_ = Clock::time_point::max();
    } else if (silence >= timeout / 2) {
      Ping();
      idle_check_at_ = active_at_ + timeout;
    } else {
      idle_check_at_ = active_at_ + timeout / 2;
    }
  }

  void Ping() {
    // Beast takes one at a time; one that is stuck says as much as two.
    if (is_pinging_) return;
    is_pinging_ = true;
    stream_.async_ping({}, [self = shared_from_this()](error_code) { self->is_pinging_ = false; });
  }

  const ConnectionHost* const host_;
  const ConnectionSlots::Slot slot_;
  websocket::stream<Socket, /*deflateSupported=*/false> stream_;
  Timer timer_;
  std::shared_ptr<ClientSession> session_;  // null during the handshake
  Clock::time_point active_at_;             // something came
  Clock::time_point idle_check_at_;
  Clock::time_point session_due_at_ = Clock::time_point::max();
  bool is_pinging_ = false;
  bool is_finished_ = false;
  // Most calls fit; a connection that is idle holds no more than this.
  std::array<char, 256> chunk_;
  std::string message_;  // what has come of a longer one
};

}  // namespace

void ServeWebSocket(Socket socket, ConnectionSlots::Slot slot, const ConnectionHost* host,
                    const Identity& identity, const BeastRequest& request) {
  std::make_shared<WebSocketConnection>(std::move(socket), std::move(slot), host)
      ->Accept(identity, request);
}

}  // namespace echo_server
