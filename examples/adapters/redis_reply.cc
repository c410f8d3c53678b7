#include "examples/adapters/redis_reply.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace adapters {
namespace {

// What the reader keeps of a buffer that is empty, rather than ask for it anew with the next bytes.
constexpr std::size_t kIdleBufferBytes = 1u << 20;

// What a server says while it starts, changes its role, or is kept busy.
constexpr absl::string_view kNotNow[] = {"LOADING",  "BUSY ",      "MASTERDOWN",
                                         "READONLY", "NOREPLICAS", "CLUSTERDOWN",
                                         "TRYAGAIN", "MISCONF",    "ERR max number of clients"};
constexpr absl::string_view kNotAllowed[] = {"NOAUTH", "WRONGPASS", "NOPERM", "DENIED"};

template <std::size_t size>
bool StartsWithAny(absl::string_view text, const absl::string_view (&prefixes)[size]) {
  for (const absl::string_view prefix : prefixes) {
    if (absl::StartsWith(text, prefix)) return true;
  }
  return false;
}

}  // namespace

absl::Status ToStatus(RedisValue value) {
  if (!value.is_error()) return absl::OkStatus();
  const absl::string_view text = value.text();
  const std::string message = absl::StrCat("Redis: ", text);
  // A script's error names the script first; what the command said comes with it.
  if (absl::StartsWith(text, "OOM") || absl::StrContains(text, "-OOM")) {
    return absl::ResourceExhaustedError(message);
  }
  if (StartsWithAny(text, kNotNow)) return absl::UnavailableError(message);
  if (StartsWithAny(text, kNotAllowed)) return absl::PermissionDeniedError(message);
  return absl::InternalError(message);
}

RedisReader::RedisReader(std::size_t max_bytes)
    : max_bytes_(max_bytes), reader_(redisReaderCreate()) {
  reader_->maxbuf = kIdleBufferBytes;
}

absl::Status RedisReader::Feed(absl::string_view bytes) {
  if (reader_->len - reader_->pos + bytes.size() > max_bytes_) {
    return absl::DataLossError(absl::StrCat("a reply of more than ", max_bytes_, " bytes"));
  }
  if (redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) != REDIS_OK) {
    return absl::DataLossError(reader_->errstr);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<RedisReply>> RedisReader::Next() {
  void* raw = nullptr;
  if (redisReaderGetReply(reader_.get(), &raw) != REDIS_OK) {
    return absl::DataLossError(reader_->errstr);
  }
  if (raw == nullptr) return std::nullopt;
  return RedisReply(static_cast<redisReply*>(raw));
}

}  // namespace adapters
