// echo_server: phones over WebSocket, friendships over HTTP. See kHelp in flags.cc.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "examples/adapters/sqlite_friend_store.h"
#include "examples/echo_server/authenticator.h"
#include "examples/echo_server/cluster_node.h"
#include "examples/echo_server/event_loop.h"
#include "examples/echo_server/file_limit.h"
#include "examples/echo_server/flags.h"
#include "examples/echo_server/friends_import.h"
#include "examples/echo_server/secret.h"
#include "examples/echo_server/server.h"
#include "examples/echo_server/signals.h"
#include "examples/replay/friends_reader.h"
#include "nearby/friend_store.h"
#include "nearby/in_memory_friend_store.h"

namespace {

using echo_server::Authenticator;
using echo_server::Flags;

constexpr int kCannotStart = 1;
constexpr int kBadCommandLine = 2;

absl::StatusOr<std::unique_ptr<nearby::FriendStore>> OpenFriendStore(const Flags& flags) {
  if (!flags.db.empty()) return adapters::SqliteFriendStore::Open(flags.db);
  auto store = std::make_unique<nearby::InMemoryFriendStore>();
  if (!flags.friends.empty()) {
    absl::Status status = replay::ReadFriends(flags.friends, &store->graph());
    if (!status.ok()) return status;
  }
  return store;
}

absl::StatusOr<Authenticator> MakeAuthenticator(const Flags& flags) {
  if (flags.insecure) return Authenticator::Insecure();
  absl::StatusOr<echo_server::TokenKey> key = echo_server::LoadTokenKey(flags.secret_file);
  if (!key.ok()) return key.status();
  return Authenticator(*std::move(key));
}

std::size_t ThreadCount(const Flags& flags) {
  if (flags.threads != 0) return flags.threads;
  return std::clamp(std::thread::hardware_concurrency(), 1u, 64u);
}

absl::Status Serve(const Flags& flags) {
  absl::StatusOr<Authenticator> authenticator = MakeAuthenticator(flags);
  if (!authenticator.ok()) return authenticator.status();
  echo_server::RaiseFileLimit();
  // In this order, so that they go in the reverse one: answers of the store come by way of the
  // loops.
  echo_server::EventLoops loops(ThreadCount(flags));
  const absl::StatusOr<std::unique_ptr<nearby::FriendStore>> friends = OpenFriendStore(flags);
  if (!friends.ok()) return friends.status();
  echo_server::ServerStores stores{friends->get()};
  std::unique_ptr<echo_server::ClusterNode> node;
  if (flags.cluster.has_value()) {
    absl::StatusOr<std::unique_ptr<echo_server::ClusterNode>> created =
        echo_server::ClusterNode::Create(*flags.cluster);
    if (!created.ok()) return created.status();
    node = *std::move(created);
    stores.locations = node->locations();
    stores.cluster = node->cluster();
  }
  const absl::StatusOr<std::unique_ptr<echo_server::Server>> server =
      echo_server::Server::Create(flags.server, *std::move(authenticator), &loops, stores);
  if (!server.ok()) return server.status();
  const echo_server::StopSignals signals(&loops[0], [&server] { (*server)->Drain(); });

  const bool is_ipv6 = flags.server.address.find(':') != std::string::npos;
  std::printf(is_ipv6 ? "listening on [%s]:%d\n" : "listening on %s:%d\n",
              flags.server.address.c_str(), (*server)->port());
  std::fflush(stdout);
  (*server)->Start();
  loops.Start();
  loops.Join();
  return absl::OkStatus();
}

absl::Status PrintToken(const Flags& flags) {
  const absl::StatusOr<echo_server::TokenKey> key = echo_server::LoadTokenKey(flags.secret_file);
  if (!key.ok()) return key.status();
  const std::int64_t expires_at_s = absl::ToUnixSeconds(absl::Now() + flags.token_ttl);
  std::printf("%s\n", key->Sign({*flags.user, expires_at_s, flags.admin}).c_str());
  return absl::OkStatus();
}

absl::Status Run(const Flags& flags) {
  switch (flags.command) {
    case Flags::Command::kToken:
      return PrintToken(flags);
    case Flags::Command::kImport:
      return echo_server::ImportFriends(flags.friends, flags.db);
    default:
      return Serve(flags);
  }
}

int Fail(const absl::Status& status, int code) {
  std::fprintf(stderr, "echo_server: %s\n", std::string(status.message()).c_str());
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<const char*> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  const absl::StatusOr<Flags> flags = echo_server::ParseFlags(arguments);
  if (!flags.ok()) {
    const int code = Fail(flags.status(), kBadCommandLine);
    std::fputs("Try: echo_server --help\n", stderr);
    return code;
  }
  if (flags->command == Flags::Command::kHelp) {
    std::fputs(echo_server::kHelp, stdout);
    return 0;
  }
  const absl::Status status = Run(*flags);
  return status.ok() ? 0 : Fail(status, kCannotStart);
}
