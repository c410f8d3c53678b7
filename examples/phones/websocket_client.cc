#include "examples/phones/websocket_client.h"

#include <array>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/websocket/error.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "nearby/wire_format.h"

namespace phones {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;

using asio::ip::tcp;
using beast::error_code;
using nearby::WireFormat;

// By its own type: the default executor, which takes every kind, costs an indirection each time.
using Executor = asio::io_context::executor_type;
using Socket = asio::basic_stream_socket<tcp, Executor>;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, Executor>;

constexpr std::chrono::seconds kConnectTimeout{5};
// Of the handshake, and of the goodbye.
constexpr std::chrono::seconds kHandshakeTimeout{5};
constexpr std::chrono::seconds kIdleTimeout{60};
constexpr std::size_t kMaxMessageBytes = std::size_t{1} << 21;
// A server that has left so many of a phone's messages unread takes none any more.
constexpr std::size_t kMaxWaiting = 256;

struct Frame {
  WireFormat format = WireFormat::kProtobuf;
  std::string bytes;
};

// Lives as long as something is under way.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(asio::io_context& context, WebSocketListener* listener)
      : listener_(listener), stream_(context.get_executor()), timer_(context.get_executor()) {}

  void Connect(const tcp::endpoint& server, const std::string& host, const DialRequest& request) {
    timer_.expires_after(kConnectTimeout);
    timer_.async_wait([self = shared_from_this()](error_code error) {
      if (!error) self->CloseSocket();
    });
    stream_.next_layer().async_connect(
        server, [self = shared_from_this(), host, request](error_code error) {
          self->timer_.cancel();
          if (error) return self->Finish(absl::StrCat("connect: ", error.message()));
          self->Shake(host, request);
        });
  }

  bool Send(WireFormat format, absl::string_view bytes) {
    if (is_closing_) return true;  // Nobody would read it.
    if (!is_writing_) {
      writing_.format = format;
      writing_.bytes.assign(bytes.data(), bytes.size());
      Write();
      return true;
    }
    if (waiting_.size() >= kMaxWaiting) return false;
    waiting_.push_back({format, std::string(bytes)});
    return true;
  }

  void Close() {
    if (!is_open_) return CloseSocket();
    if (std::exchange(is_closing_, true)) return;
    stream_.async_close(websocket::close_code::normal,
                        [self = shared_from_this()](error_code) { self->CloseSocket(); });
  }

  void Abandon() {
    listener_ = nullptr;
    CloseSocket();
  }

 private:
  void Shake(const std::string& host, const DialRequest& request) {
    error_code ignored;
    stream_.next_layer().set_option(tcp::no_delay(true), ignored);
    websocket::stream_base::timeout timeout;
    timeout.handshake_timeout = kHandshakeTimeout;
    timeout.idle_timeout = kIdleTimeout;
    timeout.keep_alive_pings = true;
    stream_.set_option(timeout);
    stream_.auto_fragment(false);
    stream_.read_message_max(kMaxMessageBytes);
    if (!request.authorization.empty()) {
      stream_.set_option(websocket::stream_base::decorator(
          [authorization = request.authorization](websocket::request_type& handshake) {
            handshake.set(beast::http::field::authorization, authorization);
          }));
    }
    stream_.async_handshake(response_, host, request.target,
                            [self = shared_from_this()](error_code error) { self->Open(error); });
  }

  void Open(error_code error) {
    if (error) {
      if (error == websocket::error::upgrade_declined) {
        closure_.http_status = static_cast<int>(response_.result_int());
      }
      return Finish(absl::StrCat("handshake: ", error.message()));
    }
    response_ = {};
    is_open_ = true;
    closure_.was_open = true;
    if (listener_ != nullptr) listener_->OnOpen();
    Read();
  }

  void Read() {
    if (listener_ == nullptr) return;
    stream_.async_read_some(asio::buffer(chunk_),
                            [self = shared_from_this()](error_code error, std::size_t size) {
                              if (error) return self->FinishReading(error);
                              self->TakeChunk(absl::string_view(self->chunk_.data(), size));
                              self->Read();
                            });
  }

  void TakeChunk(absl::string_view chunk) {
    if (!stream_.is_message_done()) {
      message_.append(chunk.data(), chunk.size());
    } else if (message_.empty()) {
      TakeFrame(chunk);
    } else {
      message_.append(chunk.data(), chunk.size());
      TakeFrame(message_);
      message_.clear();
    }
  }

  void TakeFrame(absl::string_view frame) {
    if (listener_ == nullptr) return;
    listener_->OnFrame(stream_.got_text() ? WireFormat::kJson : WireFormat::kProtobuf, frame);
  }

  void FinishReading(error_code error) {
    if (error == websocket::error::closed) {
      closure_.close_code = stream_.reason().code;
      return Finish(std::string(stream_.reason().reason.data(), stream_.reason().reason.size()));
    }
    Finish(error.message());
  }

  void Write() {
    is_writing_ = true;
    stream_.text(writing_.format == WireFormat::kJson);
    stream_.async_write(
        asio::buffer(writing_.bytes.data(), writing_.bytes.size()),
        [self = shared_from_this()](error_code error, std::size_t) { self->FinishWriting(error); });
  }

  void FinishWriting(error_code error) {
    is_writing_ = false;
    // Reading fails as well, and tells.
    if (error || is_closing_) return;
    if (waiting_.empty()) return;
    writing_ = std::move(waiting_.front());
    waiting_.erase(waiting_.begin());
    Write();
  }

  void CloseSocket() {
    error_code ignored;
    stream_.next_layer().close(ignored);
  }

  void Finish(std::string reason) {
    CloseSocket();
    if (listener_ == nullptr) return;
    closure_.reason = std::move(reason);
    std::exchange(listener_, nullptr)->OnClosed(closure_);
  }

  WebSocketListener* listener_;  // null once it must not be called any more
  websocket::stream<Socket, /*deflateSupported=*/false> stream_;
  Timer timer_;
  websocket::response_type response_;
  Closure closure_;
  bool is_open_ = false;
  bool is_closing_ = false;
  bool is_writing_ = false;
  Frame writing_;
  std::vector<Frame> waiting_;
  std::array<char, 4096> chunk_;
  std::string message_;  // what has come of one that is longer than a chunk
};

class BeastWebSocket : public WebSocket {
 public:
  explicit BeastWebSocket(std::shared_ptr<Connection> connection)
      : connection_(std::move(connection)) {}
  ~BeastWebSocket() override { connection_->Abandon(); }
  BeastWebSocket(const BeastWebSocket&) = delete;
  BeastWebSocket& operator=(const BeastWebSocket&) = delete;

  bool Send(WireFormat format, absl::string_view frame) override {
    return connection_->Send(format, frame);
  }
  void Close() override { connection_->Close(); }

 private:
  const std::shared_ptr<Connection> connection_;
};

class BeastDialer : public Dialer {
 public:
  struct Server {
    tcp::endpoint endpoint;
    std::string host;
  };

  BeastDialer(asio::io_context& context, std::vector<Server> servers)
      : context_(&context), servers_(std::move(servers)) {}

  std::unique_ptr<WebSocket> Dial(const DialRequest& request,
                                  WebSocketListener* listener) override {
    auto connection = std::make_shared<Connection>(*context_, listener);
    const Server& server = servers_[request.server];
    connection->Connect(server.endpoint, server.host, request);
    return std::make_unique<BeastWebSocket>(std::move(connection));
  }

 private:
  asio::io_context* const context_;
  const std::vector<Server> servers_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Dialer>> MakeDialer(absl::Span<const ServerName> servers,
                                                   Loop* loop) {
  tcp::resolver resolver(loop->context());
  std::vector<BeastDialer::Server> found;
  for (const ServerName& server : servers) {
    error_code error;
    const tcp::resolver::results_type results = resolver.resolve(server.host, server.port, error);
    if (error || results.empty()) {
      return absl::UnavailableError(absl::StrCat(server.host, ": ", error.message()));
    }
    found.push_back({results.begin()->endpoint(), absl::StrCat(server.host, ":", server.port)});
  }
  return std::make_unique<BeastDialer>(loop->context(), std::move(found));
}

}  // namespace phones
