#include "examples/echo_server/flags.h"

#include <arpa/inet.h>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "examples/echo_server/authenticator.h"
#include "examples/echo_server/flag_table.h"

namespace echo_server {

const char kHelp[] =
    R"(A server for phones: friends nearby over WebSocket, friendships over HTTP.

  echo_server [options]                      serves until SIGTERM or SIGINT
  echo_server token --user ID [options]      prints a token
  echo_server import --friends FILE --db FILE
                                             adds friendships to a SQLite file

Who may come in
  --secret-file FILE       the secret that tokens are made with, at least 32 bytes; without it
                           the variable NEARBY_TOKEN_SECRET
  --insecure               no tokens: everybody is whom they say they are; on loopback
                           addresses only, and not for web pages of other hosts

Serving
  --listen ADDRESS:PORT    127.0.0.1:8080; port 0 takes any that is free
  --threads N              event loops, and shards of the runtime; one for each core
  --friends FILE           friendships to begin with, kept in memory: two users a line, "a b"
  --db FILE                friendships in a SQLite file instead, made if it is not there
  --radius-m X             friends within X metres see each other (8046.72: 5 miles)
  --ttl-s X                a user without a report for X seconds is inactive (600)

One of several servers, whose users see each other; they share the secret and --db
  --node N                 this server's number, which no other has; without it the server is alone
  --redis-ring FILE        which Redis server carries what the servers tell each other: a line
                           "version N", and for each a line "seat NAME WEIGHT HOST:PORT"; replace
                           the file by one with a higher version to change that
  --redis-directory HOST:PORT
                           the Redis server that knows who is connected where
  --redis-locations HOST:PORT[,HOST:PORT...]
                           those that know where everybody was last
  --lease-s X              how long the others count on a server that has died (10)
  --report-interval-s X    how often phones report: what the servers have not heard of for half as
                           long again they ask about (30)

Limits
  --max-connections N      further ones are answered with 503 (10000)
  --calls-per-second X     of one client, on average: over its WebSocket, and as much again over
                           HTTP, where admins have no limit (20)
  --call-burst N           the same, at once (100)
  --max-message-bytes N    of a frame from a client; longer ones close the connection (4096)
  --send-buffer-bytes N    SO_SNDBUF of each connection (32768); 0: the system's default
  --request-timeout X      seconds in which an HTTP request must have arrived, and again in which
                           it is answered, with 504 if need be (10)
  --init-timeout X         seconds in which a WebSocket's first call must have come (30)
  --idle-timeout X         seconds after which a WebSocket that does not answer a ping is
                           closed (60)

Leaving: at SIGTERM or SIGINT clients are asked to move, and the server ends when they have;
a second signal ends it at once
  --drain-timeout X        seconds after which who is still there is closed (30)
  --drain-rate X           clients asked in one second (1000)
  --drain-spread X         seconds over which they are asked to spread their next connect (5)

Of token
  --user ID                whose token it is, an unsigned 64-bit number
  --ttl-s X                seconds for which it is good (3600)
  --admin                  it may act for every user

  --help                   this text

Exit status: 0 after a drain; 1 if the server could not start; 2 if the command line is wrong.
)";

namespace {

// "127.0.0.1:8080" or "[::1]:8080".
SetFunction SetListen(ServerOptions* options) {
  return [options](absl::string_view value) {
    const std::size_t colon = value.rfind(':');
    if (colon == absl::string_view::npos) return false;
    std::uint32_t port = 0;
    if (!absl::SimpleAtoi(value.substr(colon + 1), &port) || port > 65535) return false;
    absl::string_view address = value.substr(0, colon);
    const bool has_brackets =
        absl::ConsumePrefix(&address, "[") && absl::ConsumeSuffix(&address, "]");
    options->address = std::string(address);
    options->port = static_cast<std::uint16_t>(port);
    in6_addr parsed = {};
    return inet_pton(has_brackets ? AF_INET6 : AF_INET, options->address.c_str(), &parsed) == 1;
  };
}

bool IsLoopback(const std::string& address) {
  return address == "::1" || absl::StartsWith(address, "127.");
}

SetFunction SetUser(Flags* flags) {
  return [flags](absl::string_view value) {
    const absl::StatusOr<nearby::UserId> user = ParseUser(value);
    if (user.ok() && !value.empty()) flags->user = *user;
    return flags->user.has_value();
  };
}

std::vector<Flag> TokenFlags(Flags* flags) {
  return {
      {"secret-file", "a file name", SetText(&flags->secret_file)},
      {"user", "an unsigned 64-bit number", SetUser(flags)},
      {"ttl-s", "a positive number of seconds", SetSeconds(&flags->token_ttl)},
      {"admin", "", SetTrue(&flags->admin)},
  };
}

std::vector<Flag> ServeFlags(Flags* flags) {
  constexpr absl::string_view kSeconds = "a positive number of seconds";
  ServerOptions* const server = &flags->server;
  ConnectionOptions* const connection = &server->connection;
  ClientSessionOptions* const session = &server->session;
  nearby::RuntimeOptions* const runtime = &server->runtime;
  return {
      {"secret-file", "a file name", SetText(&flags->secret_file)},
      {"insecure", "", SetTrue(&flags->insecure)},
      {"listen", "an IP address and a port, as in 127.0.0.1:8080 or [::1]:8080,",
       SetListen(server)},
      {"threads", "1 to 64", SetInteger<std::uint32_t>(&flags->threads, 1, 64)},
      {"friends", "a file name or \"-\"", SetText(&flags->friends)},
      {"db", "a file name", SetText(&flags->db)},
      {"radius-m", "a number that is not negative", SetNumber(&runtime->engine.radius_m, 0)},
      {"ttl-s", kSeconds, SetSeconds(&runtime->engine.ttl)},
      {"max-connections", "a positive whole number",
       SetInteger<std::size_t>(&server->max_connections, 1, 10'000'000)},
      {"calls-per-second", "a number of at least 0.001",
       SetNumber(&session->calls.per_second, 0.001)},
      {"call-burst", "a number of at least 1", SetNumber(&session->calls.burst, 1)},
      {"max-message-bytes", "64 to 1048576",
       SetInteger<std::size_t>(&connection->max_message_bytes, 64, 1u << 20)},
      {"send-buffer-bytes", "0 to 16777216",
       SetInteger<int>(&connection->send_buffer_bytes, 0, 1 << 24)},
      {"request-timeout", kSeconds, SetSeconds(&connection->request_timeout)},
      {"init-timeout", kSeconds, SetSeconds(&session->init_timeout)},
      {"idle-timeout", kSeconds, SetSeconds(&connection->idle_timeout)},
      {"drain-timeout", kSeconds, SetSeconds(&server->drain_timeout)},
      {"drain-rate", "a number of at least 0.001",
       SetNumber(&runtime->drain_clients_per_second, 0.001)},
      {"drain-spread", kSeconds, SetSeconds(&runtime->drain_spread)},
  };
}

std::vector<Flag> ImportFlags(Flags* flags) {
  return {
      {"friends", "a file name or \"-\"", SetText(&flags->friends)},
      {"db", "a file name", SetText(&flags->db)},
  };
}

// What the command line says of the other servers, before it is known whether there are any.
struct ClusterFlags {
  std::optional<std::uint64_t> node;
  ClusterNodeOptions options;
  absl::Duration report_interval = absl::Seconds(30);
  absl::Duration lease = absl::Seconds(10);
  bool is_used = false;
};

std::vector<Flag> FlagsOfCluster(ClusterFlags* cluster) {
  constexpr absl::string_view kSeconds = "a positive number of seconds";
  std::vector<Flag> flags = {
      {"node", "an unsigned 64-bit number",
       [cluster](absl::string_view value) {
         return absl::SimpleAtoi(value, &cluster->node.emplace());
       }},
      {"redis-ring", "a file name", SetText(&cluster->options.ring_file)},
      {"redis-directory", "HOST:PORT", SetText(&cluster->options.directory)},
      {"redis-locations", "HOST:PORT, or several with commas between them,",
       SetTexts(&cluster->options.locations)},
      {"lease-s", kSeconds, SetSeconds(&cluster->lease)},
      {"report-interval-s", kSeconds, SetSeconds(&cluster->report_interval)},
  };
  for (Flag& flag : flags) {
    flag.set = [cluster, set = std::move(flag.set)](absl::string_view value) {
      cluster->is_used = true;
      return set(value);
    };
  }
  return flags;
}

absl::Status FinishCluster(ClusterFlags* cluster, Flags* flags) {
  if (!cluster->is_used) return absl::OkStatus();
  ClusterNodeOptions& options = cluster->options;
  if (!cluster->node.has_value() || options.ring_file.empty() || options.directory.empty() ||
      options.locations.empty()) {
    return absl::InvalidArgumentError(
        "--node, --redis-ring, --redis-directory and --redis-locations go together");
  }
  if (flags->db.empty()) {
    return absl::InvalidArgumentError("--node: friendships are shared, which takes --db");
  }
  options.cluster.node = nearby::NodeId{*cluster->node};
  options.cluster.lease_duration = cluster->lease;
  options.cluster.lease_margin = cluster->lease / 5;
  options.cluster.probe_interval = cluster->report_interval * 3 / 2;
  options.cluster.ring_settle = cluster->report_interval * 2;
  flags->cluster = std::move(options);
  return flags->cluster->cluster.Validate();
}

std::vector<Flag> FlagsOf(Flags* flags, ClusterFlags* cluster) {
  switch (flags->command) {
    case Flags::Command::kToken:
      return TokenFlags(flags);
    case Flags::Command::kImport:
      return ImportFlags(flags);
    default:
      break;
  }
  std::vector<Flag> known = ServeFlags(flags);
  for (Flag& flag : FlagsOfCluster(cluster)) known.push_back(std::move(flag));
  return known;
}

absl::Status Check(const Flags& flags) {
  if (flags.command == Flags::Command::kImport) {
    return flags.friends.empty() || flags.db.empty()
               ? absl::InvalidArgumentError("import: --friends and --db are required")
               : absl::OkStatus();
  }
  if (flags.command == Flags::Command::kToken) {
    return flags.user.has_value() ? absl::OkStatus()
                                  : absl::InvalidArgumentError("token: --user is required");
  }
  if (!flags.friends.empty() && !flags.db.empty()) {
    return absl::InvalidArgumentError("--friends and --db: friendships are kept in one place");
  }
  if (flags.insecure && !IsLoopback(flags.server.address)) {
    return absl::InvalidArgumentError(absl::StrCat("--insecure is for loopback addresses, which ",
                                                   flags.server.address, " is not"));
  }
  return flags.server.runtime.Validate();
}

}  // namespace

absl::StatusOr<Flags> ParseFlags(absl::Span<const char* const> arguments) {
  Flags flags;
  for (const char* const argument : arguments) {
    const absl::string_view text = argument;
    if (text == "-h" || text == "--help") {
      flags.command = Flags::Command::kHelp;
      return flags;
    }
  }
  const absl::string_view command = arguments.empty() ? absl::string_view() : arguments[0];
  if (command == "token") flags.command = Flags::Command::kToken;
  if (command == "import") flags.command = Flags::Command::kImport;
  if (flags.command != Flags::Command::kServe) arguments.remove_prefix(1);
  ClusterFlags cluster;
  const std::vector<Flag> known = FlagsOf(&flags, &cluster);
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (absl::Status status = TakeFlag(arguments, known, &i); !status.ok()) return status;
  }
  if (absl::Status status = FinishCluster(&cluster, &flags); !status.ok()) return status;
  if (absl::Status status = Check(flags); !status.ok()) return status;
  return flags;
}

}  // namespace echo_server
