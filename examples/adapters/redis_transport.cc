#include "examples/adapters/redis_transport.h"

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "examples/adapters/redis_command.h"
#include "examples/adapters/redis_subscriber.h"

namespace adapters {
namespace {

// What a reply has besides the largest payload: names and lengths.
constexpr std::size_t kReplyOverheadBytes = std::size_t{1} << 20;

RedisClient::Options ClientOptions(const RedisTransport::Options& options) {
  RedisClient::Options client;
  client.connect_timeout = options.connect_timeout;
  client.reply_timeout = options.reply_timeout;
  client.min_backoff = options.min_backoff;
  client.max_backoff = options.max_backoff;
  client.max_calls = options.max_calls;
  client.max_call_bytes = options.max_call_bytes;
  client.when_full = absl::StatusCode::kResourceExhausted;
  client.max_reply_bytes = options.max_payload + kReplyOverheadBytes;
  return client;
}

RedisSubscriber::Options SubscriberOptions(const RedisTransport::Options& options) {
  RedisSubscriber::Options subscriber;
  subscriber.channel_prefix = options.channel_prefix;
  subscriber.max_subscriptions = options.max_subscriptions;
  subscriber.client = ClientOptions(options);
  subscriber.client.ping_interval = options.ping_interval;
  return subscriber;
}

}  // namespace

struct RedisTransport::State {
  struct Server {
    RedisAddress address;
    std::unique_ptr<RedisClient> publisher;
    std::shared_ptr<RedisSubscriber> subscriber;
  };

  explicit State(const Options& the_options)
      : options(the_options),
        client_options(ClientOptions(the_options)),
        subscriber_options(SubscriberOptions(the_options)) {}

  // The server, which stays where it is. Requires the lock.
  absl::StatusOr<Server*> Find(absl::string_view name);
  absl::StatusOr<RedisClient*> Publisher(absl::string_view name);
  absl::StatusOr<std::shared_ptr<RedisSubscriber>> Subscriber(absl::string_view name);

  const Options options;
  const RedisClient::Options client_options;
  const RedisSubscriber::Options subscriber_options;

  std::mutex setting;  // held while a receiver is exchanged for another
  std::mutex mutex;
  Receiver* receiver = nullptr;
  absl::flat_hash_map<std::string, std::unique_ptr<Server>> servers;
  // Those of former receivers, whose threads may not have come to their ends yet.
  std::vector<std::shared_ptr<RedisSubscriber>> ended;
};

absl::StatusOr<RedisTransport::State::Server*> RedisTransport::State::Find(absl::string_view name) {
  const auto it = servers.find(name);
  if (it != servers.end()) return it->second.get();
  absl::StatusOr<RedisAddress> address = RedisAddress::Parse(name);
  if (!address.ok()) return address.status();
  if (servers.size() >= options.max_servers) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the maximum of ", options.max_servers, " servers have been named"));
  }
  auto server = std::make_unique<Server>();
  server->address = *std::move(address);
  return servers.emplace(name, std::move(server)).first->second.get();
}

absl::StatusOr<RedisClient*> RedisTransport::State::Publisher(absl::string_view name) {
  const std::lock_guard<std::mutex> lock(mutex);
  const absl::StatusOr<Server*> server = Find(name);
  if (!server.ok()) return server.status();
  std::unique_ptr<RedisClient>& publisher = (*server)->publisher;
  if (publisher == nullptr) {
    publisher = std::make_unique<RedisClient>((*server)->address, client_options);
  }
  return publisher.get();
}

absl::StatusOr<std::shared_ptr<RedisSubscriber>> RedisTransport::State::Subscriber(
    absl::string_view name) {
  const std::lock_guard<std::mutex> lock(mutex);
  if (receiver == nullptr) {
    return absl::FailedPreconditionError("a receiver must be set before the first subscription");
  }
  const absl::StatusOr<Server*> server = Find(name);
  if (!server.ok()) return server.status();
  std::shared_ptr<RedisSubscriber>& subscriber = (*server)->subscriber;
  if (subscriber == nullptr) {
    subscriber = std::make_shared<RedisSubscriber>(std::string(name), (*server)->address,
                                                   subscriber_options, receiver);
  }
  return subscriber;
}

RedisTransport::RedisTransport(const Options& options) : state_(std::make_unique<State>(options)) {}
RedisTransport::~RedisTransport() {
  // Here, and not by whoever lets go of one last: that may be its own thread, amid a call.
  for (const auto& [name, server] : state_->servers) {
    if (server->subscriber != nullptr) server->subscriber->Join();
  }
  for (const std::shared_ptr<RedisSubscriber>& subscriber : state_->ended) subscriber->Join();
}

void RedisTransport::SetReceiver(Receiver* receiver) {
  const std::lock_guard<std::mutex> setting(state_->setting);
  std::vector<std::shared_ptr<RedisSubscriber>> ending;
  {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    state_->receiver = nullptr;
    for (auto& [name, server] : state_->servers) {
      if (server->subscriber != nullptr) ending.push_back(std::move(server->subscriber));
    }
  }
  // Without the lock, which a receiver may want. This may be the thread of one of them, in a
  // `done`: nobody waits for threads here.
  for (const std::shared_ptr<RedisSubscriber>& subscriber : ending) subscriber->End();
  const std::lock_guard<std::mutex> lock(state_->mutex);
  std::vector<std::shared_ptr<RedisSubscriber>>& ended = state_->ended;
  ended.insert(ended.end(), ending.begin(), ending.end());
  const auto first_finished =
      std::partition(ended.begin(), ended.end(),
                     [](const auto& subscriber) { return !subscriber->is_finished(); });
  ended.erase(first_finished, ended.end());
  state_->receiver = receiver;
}

void RedisTransport::Publish(absl::string_view server, nearby::Channel channel,
                             absl::string_view payload, Done done) {
  if (payload.size() > max_payload()) {
    return done(absl::InvalidArgumentError(absl::StrCat(
        "a payload of ", payload.size(), " bytes; at most ", max_payload(), " are allowed")));
  }
  const absl::StatusOr<RedisClient*> publisher = state_->Publisher(server);
  if (!publisher.ok()) return done(publisher.status());
  const std::string name = RedisChannelName(state_->options.channel_prefix, channel);
  (*publisher)
      ->Call(RedisCommand({"PUBLISH", name, payload}).Take(),
             [done = std::move(done)](const absl::StatusOr<RedisReply>& reply) mutable {
               done(reply.status());
             });
}

void RedisTransport::Subscribe(absl::string_view server, nearby::Channel channel, Done done) {
  const absl::StatusOr<std::shared_ptr<RedisSubscriber>> subscriber = state_->Subscriber(server);
  if (!subscriber.ok()) return done(subscriber.status());
  (*subscriber)->Subscribe(channel, std::move(done));
}

void RedisTransport::Unsubscribe(absl::string_view server, nearby::Channel channel, Done done) {
  std::shared_ptr<RedisSubscriber> subscriber;
  {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    const auto it = state_->servers.find(server);
    if (it != state_->servers.end()) subscriber = it->second->subscriber;
  }
  if (subscriber == nullptr) return done(absl::OkStatus());
  subscriber->Unsubscribe(channel, std::move(done));
}

std::size_t RedisTransport::max_payload() const { return state_->options.max_payload; }

}  // namespace adapters
