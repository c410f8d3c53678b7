#include "examples/adapters/redis_socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace adapters {
namespace {

absl::Status Failed(absl::string_view what, int error) {
  return absl::UnavailableError(absl::StrCat(what, ": ", std::generic_category().message(error)));
}

bool IsTransient(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

}  // namespace

absl::StatusOr<RedisAddress> RedisAddress::Parse(absl::string_view server) {
  const std::size_t colon = server.rfind(':');
  std::uint32_t port = 0;
  if (colon == absl::string_view::npos || colon == 0 ||
      !absl::SimpleAtoi(server.substr(colon + 1), &port) || port == 0 || port > 65535) {
    return absl::InvalidArgumentError(absl::StrCat("'", server, "' is not of the form host:port"));
  }
  absl::string_view host = server.substr(0, colon);
  if (absl::ConsumePrefix(&host, "[")) absl::ConsumeSuffix(&host, "]");
  return RedisAddress{std::string(host), absl::StrCat(port)};
}

absl::Status RedisSocket::Connect(const RedisAddress& address) {
  Close();
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* raw = nullptr;
  const int error = getaddrinfo(address.host.c_str(), address.port.c_str(), &hints, &raw);
  if (error != 0)
    return absl::UnavailableError(absl::StrCat(address.host, ": ", gai_strerror(error)));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> found(raw, &freeaddrinfo);
  descriptor_ = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor_ < 0) return Failed("socket", errno);
  // Commands that wait together are sent together already; what is left should not wait for more.
  const int on = 1;
  setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (connect(descriptor_, found->ai_addr, found->ai_addrlen) != 0 && errno != EINPROGRESS) {
    const int reason = errno;
    Close();
    return Failed("connect", reason);
  }
  return absl::OkStatus();
}

absl::Status RedisSocket::FinishConnect() {
  int error = 0;
  socklen_t size = sizeof(error);
  if (getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  return error == 0 ? absl::OkStatus() : Failed("connect", error);
}

absl::StatusOr<std::size_t> RedisSocket::Send(absl::string_view bytes) {
  const ssize_t sent = send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent >= 0) return static_cast<std::size_t>(sent);
  if (IsTransient(errno)) return std::size_t{0};
  return Failed("send", errno);
}

absl::StatusOr<std::size_t> RedisSocket::Receive(absl::Span<char> bytes) {
  const ssize_t read = recv(descriptor_, bytes.data(), bytes.size(), 0);
  if (read > 0) return static_cast<std::size_t>(read);
  if (read == 0) return absl::UnavailableError("the server has closed the connection");
  if (IsTransient(errno)) return std::size_t{0};
  return Failed("recv", errno);
}

void RedisSocket::Close() {
  if (descriptor_ >= 0) close(descriptor_);
  descriptor_ = -1;
}

}  // namespace adapters
