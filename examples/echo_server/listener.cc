#include "examples/echo_server/listener.h"

#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "examples/echo_server/http_connection.h"
#include "examples/echo_server/server_stats.h"

namespace echo_server {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = boost::asio::ip::tcp;

// When there are no more file descriptors, trying again at once would spin.
constexpr std::chrono::milliseconds kPauseAfterError(100);

absl::Status CannotListen(const std::string& address, std::uint16_t port, const error_code& error) {
  return absl::UnavailableError(
      absl::StrCat("cannot listen on ", address, " port ", port, ": ", error.message()));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> Listener::Open(const std::string& address,
                                                         std::uint16_t port, const Parts& parts) {
  error_code error;
  const asio::ip::address parsed = asio::ip::make_address(address, error);
  if (error) return absl::InvalidArgumentError(absl::StrCat("not an IP address: ", address));
  const tcp::endpoint endpoint(parsed, port);
  tcp::acceptor acceptor(parts.loop->context());
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return CannotListen(address, port, error);
  const tcp::endpoint bound = acceptor.local_endpoint(error);
  if (error) return CannotListen(address, port, error);
  return std::unique_ptr<Listener>(new Listener(parts, std::move(acceptor), bound.port()));
}

Listener::Listener(const Parts& parts, tcp::acceptor acceptor, std::uint16_t port)
    : parts_(parts), acceptor_(std::move(acceptor)), pause_(parts.loop->context()), port_(port) {}

void Listener::Stop() {
  error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel(ignored);
}

void Listener::Accept() {
  acceptor_.async_accept(
      parts_.hosts[next_host_]->loop->context(),
      [this](const error_code& error, Socket socket) { OnAccept(error, std::move(socket)); });
}

void Listener::OnAccept(const error_code& error, Socket socket) {
  if (!acceptor_.is_open()) return;
  if (error == asio::error::connection_aborted) return Accept();
  if (error) {
    parts_.stats->accept_errors.Add();
    pause_.expires_after(kPauseAfterError);
    pause_.async_wait([this](const error_code& cancelled) {
      if (!cancelled) Accept();
    });
    return;
  }

  const ConnectionHost* const host = parts_.hosts[next_host_];
  next_host_ = (next_host_ + 1) % parts_.hosts.size();
  Configure(&socket);
  if (ConnectionSlots::Slot slot = parts_.slots->Take()) {
    parts_.stats->connections_accepted.Add();
    host->loop->Post([socket = std::move(socket), slot = std::move(slot), host]() mutable {
      ServeHttp(std::move(socket), std::move(slot), host);
    });
  } else {
    parts_.stats->connections_refused.Add();
    Refuse(std::move(socket), host);
  }
  Accept();
}

void Listener::Refuse(Socket socket, const ConnectionHost* host) {
  ConnectionSlots::Slot slot = parts_.refusal_slots->Take();
  // Beyond even that, hanging up is all that is left.
  if (!slot) return;
  host->loop->Post([socket = std::move(socket), slot = std::move(slot), host]() mutable {
    RefuseHttp(std::move(socket), std::move(slot), host);
  });
}

void Listener::Configure(Socket* socket) const {
  // Best effort: a connection without them is slower, not wrong.
  error_code ignored;
  socket->set_option(tcp::no_delay(true), ignored);
  const int send_buffer_bytes = parts_.hosts[0]->options.send_buffer_bytes;
  if (send_buffer_bytes > 0) {
    socket->set_option(asio::socket_base::send_buffer_size(send_buffer_bytes), ignored);
  }
}

}  // namespace echo_server
