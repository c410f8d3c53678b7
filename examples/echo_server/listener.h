#ifndef EXAMPLES_ECHO_SERVER_LISTENER_H_
#define EXAMPLES_ECHO_SERVER_LISTENER_H_

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "examples/echo_server/connection_host.h"
#include "examples/echo_server/connection_slots.h"
#include "examples/echo_server/event_loop.h"
#include "examples/echo_server/socket.h"

namespace echo_server {

/// Accepts connections on one loop and deals them out to all in turn.
///
/// Thread-compatible: after Start, on its loop alone. Borrows everything.
class Listener {
 public:
  struct Parts {
    EventLoop* loop = nullptr;
    std::vector<const ConnectionHost*> hosts;  ///< One for each loop; at least one.
    ConnectionSlots* slots = nullptr;
    /// For those who are told that there are too many.
    ConnectionSlots* refusal_slots = nullptr;
    ServerStats* stats = nullptr;
  };

  /// Binds to the address; port 0 takes any that is free. `InvalidArgument`: no such address;
  /// `Unavailable`: it cannot be had.
  static absl::StatusOr<std::unique_ptr<Listener>> Open(const std::string& address,
                                                        std::uint16_t port, const Parts& parts);

  std::uint16_t port() const { return port_; }

  /// Before the loop runs, or on it.
  void Start() { Accept(); }
  void Stop();

 private:
  Listener(const Parts& parts, boost::asio::ip::tcp::acceptor acceptor, std::uint16_t port);

  void Accept();
  void OnAccept(const boost::system::error_code& error, Socket socket);
  void Refuse(Socket socket, const ConnectionHost* host);
  void Configure(Socket* socket) const;

  const Parts parts_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer pause_;
  const std::uint16_t port_;
  std::size_t next_host_ = 0;
};

}  // namespace echo_server

#endif  // EXAMPLES_ECHO_SERVER_LISTENER_H_
