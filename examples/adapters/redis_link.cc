#include "examples/adapters/redis_link.h"

#include <poll.h>

#include <utility>

#include "absl/status/statusor.h"

namespace adapters {
namespace {

// The reader moves what it has left after every kilobyte of replies: not much should be left.
constexpr std::size_t kReadBytes = std::size_t{16} << 10;

// Reads before the caller's turn comes: to send, and to see that it is to stop.
constexpr int kReadsPerTurn = 16;

}  // namespace

absl::Status RedisLink::Begin(const RedisAddress& address) {
  Close();
  if (absl::Status status = socket_.Connect(address); !status.ok()) return status;
  is_connecting_ = true;
  reader_.emplace(max_reply_bytes_);
  return absl::OkStatus();
}

void RedisLink::Close() {
  socket_.Close();
  is_connecting_ = false;
  out_.clear();
  sent_ = 0;
  reader_.reset();
}

short RedisLink::events() const {
  if (is_connecting_) return POLLOUT;
  return static_cast<short>(has_unsent() ? POLLIN | POLLOUT : POLLIN);
}

void RedisLink::Write(std::string* bytes) {
  if (!has_unsent()) {
    out_.clear();
    sent_ = 0;
    out_.swap(*bytes);
  } else {
    out_.erase(0, std::exchange(sent_, 0));
    out_.append(*bytes);
    bytes->clear();
  }
}

absl::Status RedisLink::OnWritable() {
  if (is_connecting_) {
    if (absl::Status status = socket_.FinishConnect(); !status.ok()) return status;
    is_connecting_ = false;
  }
  while (has_unsent()) {
    const absl::StatusOr<std::size_t> sent = socket_.Send(absl::string_view(out_).substr(sent_));
    if (!sent.ok()) return sent.status();
    if (*sent == 0) return absl::OkStatus();
    sent_ += *sent;
  }
  return absl::OkStatus();
}

absl::Status RedisLink::OnReadable(absl::FunctionRef<absl::Status(RedisReply)> take) {
  in_.resize(kReadBytes);
  for (int i = 0; i < kReadsPerTurn; ++i) {
    const absl::StatusOr<std::size_t> read = socket_.Receive(absl::MakeSpan(in_));
    if (!read.ok()) return read.status();
    if (*read == 0) return absl::OkStatus();
    absl::Status status = reader_->Feed({in_.data(), *read});
    if (status.ok()) status = HandOver(take);
    if (!status.ok() || *read < in_.size()) return status;
  }
  return absl::OkStatus();
}

absl::Status RedisLink::HandOver(absl::FunctionRef<absl::Status(RedisReply)> take) {
  while (true) {
    absl::StatusOr<std::optional<RedisReply>> reply = reader_->Next();
    if (!reply.ok()) return reply.status();
    if (!reply->has_value()) return absl::OkStatus();
    if (absl::Status status = take(**std::move(reply)); !status.ok()) return status;
  }
}

}  // namespace adapters
