#include "benchmarks/peers/redis_pipeline.h"

#include <poll.h>

#include <cerrno>

#include "absl/strings/str_cat.h"

namespace peers {
namespace {

constexpr int kPatienceMs = 20'000;
constexpr std::size_t kMaxReplyBytes = std::size_t{1} << 20;

}  // namespace

RedisPipeline::RedisPipeline(std::size_t connections) : out_(connections) {
  for (std::size_t i = 0; i < connections; ++i) links_.emplace_back(kMaxReplyBytes);
}

absl::Status RedisPipeline::Open(std::uint16_t port) {
  for (adapters::RedisLink& link : links_) {
    absl::Status status = link.Begin({"127.0.0.1", absl::StrCat(port)});
    while (status.ok() && link.is_connecting()) status = Turn();
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

void RedisPipeline::Add(std::size_t connection, adapters::RedisCommand command) {
  out_[connection] += command.Take();
}

absl::Status RedisPipeline::Exchange(std::uint64_t replies) {
  for (std::size_t i = 0; i < links_.size(); ++i) {
    if (!out_[i].empty()) links_[i].Write(&out_[i]);
  }
  for (const std::uint64_t wanted = received_ + replies; received_ < wanted;) {
    if (absl::Status status = Turn(); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status RedisPipeline::Turn() {
  std::vector<pollfd> waits;
  for (const adapters::RedisLink& link : links_) {
    waits.push_back({link.descriptor(), link.events(), 0});
  }
  const int count = poll(waits.data(), waits.size(), kPatienceMs);
  if (count == 0) return absl::DeadlineExceededError("the server is silent");
  if (count < 0) return errno == EINTR ? absl::OkStatus() : absl::InternalError("poll");
  for (std::size_t i = 0; i < links_.size(); ++i) {
    absl::Status status;
    if ((waits[i].revents & POLLOUT) != 0) status = links_[i].OnWritable();
    if (status.ok() && (waits[i].revents & ~POLLOUT) != 0) {
      status = links_[i].OnReadable(
          [this](const adapters::RedisReply& reply) { return Take(reply.value()); });
    }
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status RedisPipeline::Take(adapters::RedisValue reply) {
  ++received_;
  return ToStatus(reply);
}

}  // namespace peers
