#include "examples/echo_server/http_connection.h"

#include <array>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "examples/echo_server/http_message.h"
#include "examples/echo_server/router.h"
#include "examples/echo_server/server_stats.h"
#include "examples/echo_server/websocket_connection.h"

namespace echo_server {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;

using beast::error_code;

// How long a client that has been answered, and that is about to be hung up on, may still send. To
// close earlier could destroy the answer on its way (RFC 7230, section 6.6).
constexpr absl::Duration kLinger = absl::Seconds(1);
constexpr std::size_t kMaxLingerBytes = std::size_t{64} * 1024;

std::string ToString(beast::string_view text) { return std::string(text.data(), text.size()); }

// One HTTP connection. Lives as long as it reads, writes or waits for the router.
class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  HttpConnection(Socket socket, ConnectionSlots::Slot slot, const ConnectionHost* host,
                 bool is_refused)
      : host_(host),
        slot_(std::move(slot)),
        stream_(std::move(socket)),
        answer_timer_(stream_.get_executor()),
        buffer_(host->options.max_header_bytes + host->options.max_body_bytes),
        is_refused_(is_refused) {}

  void Read() {
    parser_.emplace();
    parser_->header_limit(host_->options.max_header_bytes);
    parser_->body_limit(host_->options.max_body_bytes);
    // One span of time for the whole request, however small the pieces in which it comes.
    stream_.expires_after(absl::ToChronoMilliseconds(host_->options.request_timeout));
    http::async_read(
        stream_, buffer_, *parser_,
        [self = shared_from_this()](error_code error, std::size_t) { self->OnRead(error); });
  }

 private:
  using Clock = std::chrono::steady_clock;
  using Timer = asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, LoopExecutor>;

  void OnRead(error_code error) {
    stream_.expires_never();
    request_under_way_.emplace(host_->requests_under_way->Take());
    if (error) return OnBadRequest(error);
    const BeastRequest& beast_request = parser_->get();
    keep_alive_ = beast_request.keep_alive() && !is_refused_;
    is_head_ = beast_request.method() == http::verb::head;
    if (is_refused_) {
      return Write(host_->router->Error(absl::UnavailableError("too many connections")));
    }
    const HttpRequest request{ToString(beast_request.method_string()),
                              ToString(beast_request.target()),
                              ToString(beast_request[http::field::authorization]),
                              ToString(beast_request[http::field::origin])};
    if (websocket::is_upgrade(beast_request) && Router::IsWebSocketPath(request.target)) {
      return Upgrade(request);
    }
    WaitForAnswer();
    host_->router->Handle(request, [weak = weak_from_this()](HttpResponse response) {
      if (const std::shared_ptr<HttpConnection> self = weak.lock()) {
        self->OnAnswer(std::move(response));
      }
    });
  }

  // The store may take its time, and the client may have gone meanwhile. It is the timer that keeps
  // the connection until there is an answer, so that one who is answered late keeps no slot.
  void WaitForAnswer() {
    is_waiting_ = true;
    answer_timer_.expires_after(absl::ToChronoMilliseconds(host_->options.request_timeout));
    answer_timer_.async_wait([self = shared_from_this()](error_code error) {
      if (error || !self->is_waiting_) return;
      // No other request may come to be answered by what is late.
      self->keep_alive_ = false;
      self->OnAnswer(
          self->host_->router->Error(absl::DeadlineExceededError("the request took too long")));
    });
  }

  void OnAnswer(HttpResponse response) {
    if (!is_waiting_) return;  // given up
    is_waiting_ = false;
    answer_timer_.cancel();
    Write(std::move(response));
  }

  void OnBadRequest(error_code error) {
    keep_alive_ = false;
    if (error == http::error::header_limit || error == http::error::buffer_overflow) {
      return Write(host_->router->Error(431, absl::InvalidArgumentError("the header is too long")));
    }
    if (error == http::error::body_limit) {
      return Write(host_->router->Error(413, absl::InvalidArgumentError("the body is too long")));
    }
    // Of the others, Beast's own category is the parser's; the rest say that the client has gone or
    // keeps us waiting.
    if (error.category() == http::make_error_code(http::error::bad_method).category() &&
        error != http::error::end_of_stream && error != http::error::partial_message) {
      return Write(host_->router->Error(absl::InvalidArgumentError("the request is malformed")));
    }
  }

  void Upgrade(const HttpRequest& request) {
    const absl::StatusOr<Identity> identity = host_->router->AdmitWebSocket(request);
    if (!identity.ok()) return Write(host_->router->Error(identity.status()));
    if (buffer_.size() > 0) {
      // Nobody may speak WebSocket before the handshake has been answered.
      keep_alive_ = false;
      return Write(host_->router->Error(absl::InvalidArgumentError("too early")));
    }
    ServeWebSocket(stream_.release_socket(), std::move(slot_), host_, *identity, parser_->get());
  }

  void Write(HttpResponse response) {
    ServerStats* const stats = host_->stats;
    (response.status < 400   ? stats->requests_succeeded
     : response.status < 500 ? stats->requests_refused
                             : stats->requests_failed)
        .Add();
    if (is_head_) return WriteAs<http::empty_body>(response);
    WriteAs<http::string_body>(response);
  }

  template <typename Body>
  void WriteAs(const HttpResponse& response) {
    auto message = std::make_shared<http::response<Body>>();
    message->result(static_cast<unsigned>(response.status));
    message->keep_alive(keep_alive_);
    // Where somebody is stays between us and the client.
    message->set(http::field::cache_control, "no-store");
    for (const auto& [name, value] : response.headers) message->set(name, value);
    if (!response.content_type.empty()) {
      message->set(http::field::content_type, response.content_type);
      message->content_length(response.body.size());
    }
    if constexpr (std::is_same_v<Body, http::string_body>) message->body() = response.body;
    stream_.expires_after(absl::ToChronoMilliseconds(host_->options.request_timeout));
    http::async_write(stream_, *message,
                      [self = shared_from_this(), message](error_code error, std::size_t) {
                        self->request_under_way_.reset();
                        if (error) return;
                        if (self->keep_alive_) return self->Read();
                        self->HangUp();
                      });
  }

  void HangUp() {
    error_code ignored;
    stream_.socket().shutdown(asio::socket_base::shutdown_send, ignored);
    stream_.expires_after(absl::ToChronoMilliseconds(kLinger));
    Linger();
  }

  void Linger() {
    stream_.async_read_some(asio::buffer(discarded_),
                            [self = shared_from_this()](error_code error, std::size_t size) {
                              self->lingered_bytes_ += size;
                              if (error || self->lingered_bytes_ > kMaxLingerBytes) return;
                              self->Linger();
                            });
  }

  const ConnectionHost* const host_;
  ConnectionSlots::Slot slot_;
  // From a request's arrival until its answer has been written.
  std::optional<ConnectionSlots::Slot> request_under_way_;
  beast::basic_stream<asio::ip::tcp, LoopExecutor> stream_;
  Timer answer_timer_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::array<char, 512> discarded_;
  std::size_t lingered_bytes_ = 0;
  const bool is_refused_;
  bool keep_alive_ = false;
  bool is_head_ = false;
  bool is_waiting_ = false;  // for the router's answer
};

}  // namespace

void ServeHttp(Socket socket, ConnectionSlots::Slot slot, const ConnectionHost* host) {
  std::make_shared<HttpConnection>(std::move(socket), std::move(slot), host, false)->Read();
}

void RefuseHttp(Socket socket, ConnectionSlots::Slot slot, const ConnectionHost* host) {
  std::make_shared<HttpConnection>(std::move(socket), std::move(slot), host, true)->Read();
}

}  // namespace echo_server
