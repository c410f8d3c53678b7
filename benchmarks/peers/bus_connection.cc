#include "benchmarks/peers/bus_connection.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace peers {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{256} * 1024;

absl::Status Unavailable(absl::string_view what) {
  return absl::UnavailableError(absl::StrCat(what, ": ", std::strerror(errno)));
}

}  // namespace

BusConnection::~BusConnection() {
  if (descriptor_ >= 0) close(descriptor_);
}

absl::Status BusConnection::Open(std::uint16_t port) {
  descriptor_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor_ < 0) return Unavailable("socket");
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return Unavailable("connect");
  }
  const int on = 1;
  setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  fcntl(descriptor_, F_SETFL, O_NONBLOCK);
  return absl::OkStatus();
}

absl::Status BusConnection::Send() {
  while (has_unsent()) {
    const ssize_t sent = send(descriptor_, out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EAGAIN || errno == EINTR) return absl::OkStatus();
      return Unavailable("send");
    }
    sent_ += static_cast<std::size_t>(sent);
  }
  out_.clear();
  sent_ = 0;
  return absl::OkStatus();
}

absl::Status BusConnection::Receive() {
  if (begin_ == end_) begin_ = end_ = 0;
  // Memory for those that need it: of a thousand connections few have more than a message waiting.
  if (in_.empty()) in_.resize(4096);
  if (end_ == in_.size()) {
    std::memmove(in_.data(), in_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    if (in_.size() < kBufferBytes) in_.resize(2 * in_.size());
  }
  const ssize_t read = recv(descriptor_, in_.data() + end_, in_.size() - end_, 0);
  if (read == 0) return absl::UnavailableError("the server has closed the connection");
  if (read < 0) {
    if (errno == EAGAIN || errno == EINTR) return absl::OkStatus();
    return Unavailable("recv");
  }
  end_ += static_cast<std::size_t>(read);
  received_ += static_cast<std::size_t>(read);
  return absl::OkStatus();
}

}  // namespace peers
