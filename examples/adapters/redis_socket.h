#ifndef EXAMPLES_ADAPTERS_REDIS_SOCKET_H_
#define EXAMPLES_ADAPTERS_REDIS_SOCKET_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace adapters {

/// Where a server listens.
struct RedisAddress {
  std::string host;  ///< A name or a numeric address.
  std::string port;

  /// "host:port", or "[address]:port" for IPv6; `InvalidArgument` for anything else.
  static absl::StatusOr<RedisAddress> Parse(absl::string_view server);
};

/// A TCP connection whose reads and writes do not block.
///
/// Thread-compatible. Owns the descriptor. Errors are `Unavailable`.
class RedisSocket {
 public:
  RedisSocket() = default;
  ~RedisSocket() { Close(); }
  RedisSocket(const RedisSocket&) = delete;
  RedisSocket& operator=(const RedisSocket&) = delete;

  /// Begins to connect; the socket becomes writable when that has ended. Looks the name up, which
  /// blocks if it is not a numeric address.
  absl::Status Connect(const RedisAddress& address);
  /// How that ended.
  absl::Status FinishConnect();

  /// The number of bytes taken, 0 for none at this time.
  absl::StatusOr<std::size_t> Send(absl::string_view bytes);
  /// The number of bytes read, 0 for none at this time. That the server has closed is an error.
  absl::StatusOr<std::size_t> Receive(absl::Span<char> bytes);

  void Close();
  /// Negative when closed.
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_ = -1;
};

}  // namespace adapters

#endif  // EXAMPLES_ADAPTERS_REDIS_SOCKET_H_
