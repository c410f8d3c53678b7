#include "examples/adapters/redis_subscriber.h"

#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "examples/adapters/redis_command.h"

namespace adapters {

using nearby::Channel;
using nearby::Transport;

std::string RedisChannelName(absl::string_view prefix, Channel channel) {
  return absl::StrCat(prefix, channel.kind == Channel::Kind::kInbox ? "n" : "u", channel.id);
}

std::optional<Channel> ParseRedisChannelName(absl::string_view prefix, absl::string_view name) {
  Channel channel;
  if (!absl::ConsumePrefix(&name, prefix)) return std::nullopt;
  if (absl::ConsumePrefix(&name, "n")) {
    channel.kind = Channel::Kind::kInbox;
  } else if (!absl::ConsumePrefix(&name, "u")) {
    return std::nullopt;
  }
  if (!absl::SimpleAtoi(name, &channel.id)) return std::nullopt;
  return channel;
}

RedisSubscriber::RedisSubscriber(std::string server, const RedisAddress& address,
                                 const Options& options, Transport::Receiver* receiver)
    : server_(std::move(server)),
      options_(options),
      receiver_(receiver),
      client_(address, options.client, this) {}

void RedisSubscriber::Subscribe(Channel channel, Transport::Done done) {
  RedisClient::Done on_reply =
      [this, channel, done = std::move(done)](const absl::StatusOr<RedisReply>& reply) mutable {
        OnSubscribed(channel, reply.status());
        done(reply.status());
      };
  absl::Status status = TrySubscribe(channel, on_reply);
  if (!status.ok()) on_reply(std::move(status));
}

absl::Status RedisSubscriber::TrySubscribe(Channel channel, RedisClient::Done& done) {
  const std::string name = RedisChannelName(options_.channel_prefix, channel);
  // The lock is held until the command stands in line, so that the lines agree with `channels_`.
  const std::lock_guard<std::mutex> lock(mutex_);
  if (receiver_ == nullptr) return absl::FailedPreconditionError("the receiver has been ended");
  if (channels_.size() >= options_.max_subscriptions && !channels_.contains(channel)) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the maximum of ", options_.max_subscriptions, " subscriptions on ", server_));
  }
  absl::Status status = client_.TryCall(RedisCommand({"SUBSCRIBE", name}).Take(), done);
  if (status.ok()) channels_.try_emplace(channel, false);
  return status;
}

void RedisSubscriber::OnSubscribed(Channel channel, const absl::Status& status) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (status.ok()) {
    const auto it = channels_.find(channel);
    if (it != channels_.end() && !std::exchange(it->second, true)) ++confirmed_;
  } else if (absl::IsInternal(status) || absl::IsPermissionDenied(status)) {
    // The server's own refusal. Otherwise the command was never sent, or the connection has broken,
    // and OnLinkDown has yet to see what it takes with it.
    Forget(channel);
  }
}

void RedisSubscriber::Forget(Channel channel) {
  const auto it = channels_.find(channel);
  if (it == channels_.end()) return;
  if (it->second) --confirmed_;
  channels_.erase(it);
}

void RedisSubscriber::Unsubscribe(Channel channel, Transport::Done done) {
  RedisClient::Done on_reply =
      [done = std::move(done)](const absl::StatusOr<RedisReply>& reply) mutable {
        // With the connection, the subscription has gone, too.
        done(absl::IsUnavailable(reply.status()) ? absl::OkStatus() : reply.status());
      };
  absl::Status status;
  {
    const std::string name = RedisChannelName(options_.channel_prefix, channel);
    const std::lock_guard<std::mutex> lock(mutex_);
    if (channels_.contains(channel)) {
      status = client_.TryCall(RedisCommand({"UNSUBSCRIBE", name}).Take(), on_reply);
      if (status.ok()) {
        Forget(channel);
        return;
      }
    }
  }
  if (status.ok() || absl::IsUnavailable(status)) status = absl::UnavailableError("not subscribed");
  on_reply(std::move(status));
}

void RedisSubscriber::End() {
  client_.Stop();
  std::unique_lock<std::mutex> lock(mutex_);
  receiver_ = nullptr;
  channels_.clear();
  confirmed_ = 0;
  idle_.wait(lock, [this] { return !is_calling_; });
}

Transport::Receiver* RedisSubscriber::BeginCall() {
  const std::lock_guard<std::mutex> lock(mutex_);
  is_calling_ = receiver_ != nullptr;
  return receiver_;
}

void RedisSubscriber::EndCall() {
  const std::lock_guard<std::mutex> lock(mutex_);
  is_calling_ = false;
  idle_.notify_all();
}

bool RedisSubscriber::OnReply(RedisValue reply) {
  if (reply.size() != 3 || reply[0].text() != "message") return false;
  const std::optional<Channel> channel =
      ParseRedisChannelName(options_.channel_prefix, reply[1].text());
  if (!channel.has_value()) return true;
  if (Transport::Receiver* const receiver = BeginCall(); receiver != nullptr) {
    receiver->OnMessage(server_, *channel, reply[2].text());
    EndCall();
  }
  return true;
}

void RedisSubscriber::OnLinkDown(const absl::Status& why) {
  bool is_lost = false;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    is_lost = std::exchange(confirmed_, 0) > 0;
    channels_.clear();
  }
  // From here on, what is subscribed to is subscribed to over the next connection.
  client_.Resume();
  if (!is_lost) return;
  if (Transport::Receiver* const receiver = BeginCall(); receiver != nullptr) {
    receiver->OnLinkLost(server_, why);
    EndCall();
  }
}

}  // namespace adapters
