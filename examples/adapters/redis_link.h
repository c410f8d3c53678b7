#ifndef EXAMPLES_ADAPTERS_REDIS_LINK_H_
#define EXAMPLES_ADAPTERS_REDIS_LINK_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "examples/adapters/redis_reply.h"
#include "examples/adapters/redis_socket.h"

namespace adapters {

/// One connection to a server, from its beginning until it breaks: bytes out, replies in. Who asked
/// for what, and when to give up, is the caller's.
///
/// Thread-compatible; no call blocks, but Begin on a name that has to be looked up. After an error
/// the link is of no use until the next Begin.
class RedisLink {
 public:
  explicit RedisLink(std::size_t max_reply_bytes) : max_reply_bytes_(max_reply_bytes) {}

  absl::Status Begin(const RedisAddress& address);
  void Close();

  bool is_closed() const { return socket_.descriptor() < 0; }
  bool is_connecting() const { return is_connecting_; }
  bool is_up() const { return !is_closed() && !is_connecting_; }

  /// What poll() is to wait for.
  int descriptor() const { return socket_.descriptor(); }
  short events() const;

  /// Bytes to be sent by and by; the string is left empty.
  void Write(std::string* bytes);
  bool has_unsent() const { return sent_ < out_.size(); }

  /// After poll() has named the socket writable: finishes connecting, and sends what it takes.
  absl::Status OnWritable();
  /// After poll() has named it readable: hands over the replies that have come.
  absl::Status OnReadable(absl::FunctionRef<absl::Status(RedisReply)> take);

 private:
  absl::Status HandOver(absl::FunctionRef<absl::Status(RedisReply)> take);

  const std::size_t max_reply_bytes_;
  RedisSocket socket_;
  bool is_connecting_ = false;
  std::string out_;
  std::size_t sent_ = 0;
  std::vector<char> in_;
  std::optional<RedisReader> reader_;
};

}  // namespace adapters

#endif  // EXAMPLES_ADAPTERS_REDIS_LINK_H_
