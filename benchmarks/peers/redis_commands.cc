#include "benchmarks/peers/redis_commands.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "examples/adapters/redis_command.h"

namespace peers {
namespace {

using adapters::RedisCommand;

// What nodes send: a location on a channel, and in the location store.
constexpr std::size_t kPayloadBytes = 51;
constexpr std::size_t kValueBytes = 36;
constexpr std::size_t kKeysAtOnce = 40;
// Commands under way while everything is made ready.
constexpr std::uint32_t kMadeAtOnce = 4'096;

constexpr absl::string_view kHeard = "heard:";
constexpr absl::string_view kUnheard = "unheard:";

std::string KeyOf(absl::string_view user) { return absl::StrCat("key:", user); }

// For so long that nothing runs out while anything is measured.
RedisCommand SetOf(const std::string& user) {
  return RedisCommand({"SET", KeyOf(user), std::string(kValueBytes, 'v'), "EX", "36000"});
}

}  // namespace

RedisCommands::RedisCommands(const RedisLoad& load)
    : load_(load), senders_(load.connections), listeners_(load.connections) {}

std::string RedisCommands::AnyUser() { return absl::StrCat(random_.Below(load_.users)); }

absl::Status RedisCommands::SetAll() {
  for (std::uint32_t user = 0; user < load_.users;) {
    const std::uint32_t count = std::min(kMadeAtOnce, load_.users - user);
    for (std::uint32_t i = 0; i < count; ++i, ++user) {
      senders_.Add(user % load_.connections, SetOf(absl::StrCat(user)));
    }
    if (absl::Status status = senders_.Exchange(count); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status RedisCommands::SubscribeToAll() {
  std::uint64_t count = 0;
  for (std::uint32_t user = 0; user < load_.users; ++user) {
    const std::string channel = absl::StrCat(kHeard, user);
    for (std::uint32_t i = 0; i < load_.listeners; ++i, ++count) {
      listeners_.Add((user + i) % load_.connections, RedisCommand({"SUBSCRIBE", channel}));
    }
    if (count < kMadeAtOnce && user + 1 < load_.users) continue;
    if (absl::Status status = listeners_.Exchange(count); !status.ok()) return status;
    count = 0;
  }
  return absl::OkStatus();
}

absl::Status RedisCommands::Begin() {
  absl::Status status = senders_.Open(load_.port);
  if (status.ok()) status = listeners_.Open(load_.port);
  if (status.ok()) status = SetAll();
  if (status.ok()) status = SubscribeToAll();
  return status;
}

absl::StatusOr<std::uint64_t> RedisCommands::Send(std::uint32_t depth,
                                                  const CommandOf& command_of) {
  const std::uint64_t count = std::uint64_t{depth} * load_.connections;
  for (std::uint64_t i = 0; i < count; ++i) {
    senders_.Add(i % load_.connections, command_of(AnyUser()));
  }
  if (absl::Status status = senders_.Exchange(count); !status.ok()) return status;
  return count;
}

absl::StatusOr<std::uint64_t> RedisCommands::PublishTo(absl::string_view channel_prefix,
                                                       std::uint32_t depth) {
  return Send(depth, [channel_prefix](const std::string& user) {
    return RedisCommand(
        {"PUBLISH", absl::StrCat(channel_prefix, user), std::string(kPayloadBytes, 'p')});
  });
}

absl::StatusOr<std::uint64_t> RedisCommands::PublishUnheard(std::uint32_t depth) {
  return PublishTo(kUnheard, depth);
}

absl::StatusOr<std::uint64_t> RedisCommands::PublishHeard(std::uint32_t depth) {
  const absl::StatusOr<std::uint64_t> sent = PublishTo(kHeard, depth);
  if (!sent.ok()) return sent.status();
  if (absl::Status status = listeners_.Exchange(*sent * load_.listeners); !status.ok()) {
    return status;
  }
  return *sent;
}

absl::StatusOr<std::uint64_t> RedisCommands::Set(std::uint32_t depth) { return Send(depth, SetOf); }

absl::StatusOr<std::uint64_t> RedisCommands::Get(std::uint32_t depth) {
  return Send(depth, [](const std::string& user) { return RedisCommand({"GET", KeyOf(user)}); });
}

absl::StatusOr<std::uint64_t> RedisCommands::GetMany(std::uint32_t depth) {
  const absl::StatusOr<std::uint64_t> sent = Send(depth, [this](const std::string& /*user*/) {
    RedisCommand command(1 + kKeysAtOnce);
    command.Add("MGET");
    for (std::size_t i = 0; i < kKeysAtOnce; ++i) command.Add(KeyOf(AnyUser()));
    return command;
  });
  if (!sent.ok()) return sent.status();
  return *sent * kKeysAtOnce;
}

}  // namespace peers
