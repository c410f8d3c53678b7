#ifndef EXAMPLES_ADAPTERS_REDIS_REPLY_H_
#define EXAMPLES_ADAPTERS_REDIS_REPLY_H_

#include <hiredis/hiredis.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace adapters {

/// A value in a reply, to look at. Borrows the reply.
class RedisValue {
 public:
  explicit RedisValue(const redisReply* reply) : reply_(reply) {}

  bool is_nil() const { return reply_->type == REDIS_REPLY_NIL; }
  bool is_error() const { return reply_->type == REDIS_REPLY_ERROR; }
  std::optional<std::int64_t> integer() const {
    if (reply_->type != REDIS_REPLY_INTEGER) return std::nullopt;
    return reply_->integer;
  }
  /// Of a string, a status or an error; empty for others.
  absl::string_view text() const {
    return reply_->str == nullptr ? absl::string_view()
                                  : absl::string_view(reply_->str, reply_->len);
  }
  bool is_string() const { return reply_->type == REDIS_REPLY_STRING; }
  bool is_array() const { return reply_->type == REDIS_REPLY_ARRAY; }
  /// Of an array; 0 for others.
  std::size_t size() const { return is_array() ? reply_->elements : 0; }
  RedisValue operator[](std::size_t i) const { return RedisValue(reply_->element[i]); }

 private:
  const redisReply* reply_;
};

/// A reply of the server's. Owns its memory.
class RedisReply {
 public:
  explicit RedisReply(redisReply* reply) : reply_(reply) {}
  RedisValue value() const { return RedisValue(reply_.get()); }

 private:
  struct Deleter {
    void operator()(redisReply* reply) const { freeReplyObject(reply); }
  };
  std::unique_ptr<redisReply, Deleter> reply_;
};

/// What an error reply means: `ResourceExhausted` if the server's memory is full, `Unavailable` if
/// it cannot do it now, `PermissionDenied`, `Internal` otherwise. Ok for all other replies.
absl::Status ToStatus(RedisValue value);

/// Bytes in, replies out.
///
/// Thread-compatible.
class RedisReader {
 public:
  /// A reply that takes more than about `max_bytes` is an error.
  explicit RedisReader(std::size_t max_bytes);

  absl::Status Feed(absl::string_view bytes);
  /// The next reply if it is there as a whole. `DataLoss` if the bytes mean nothing; the reader is
  /// of no use any more.
  absl::StatusOr<std::optional<RedisReply>> Next();

 private:
  struct Deleter {
    void operator()(redisReader* reader) const { redisReaderFree(reader); }
  };
  std::size_t max_bytes_;
  std::unique_ptr<redisReader, Deleter> reader_;
};

}  // namespace adapters

#endif  // EXAMPLES_ADAPTERS_REDIS_REPLY_H_
