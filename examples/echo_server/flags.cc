#include "examples/echo_server/flags.h"

#include <arpa/inet.h>

#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "examples/echo_server/authenticator.h"
#include "examples/replay/fields.h"

namespace echo_server {

const char kHelp[] =
    R"(A server for phones: friends nearby over WebSocket, friendships over HTTP.

  echo_server [options]                      serves until SIGTERM or SIGINT
  echo_server token --user ID [options]      prints a token

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

using replay::Quoted;

using SetFunction = std::function<bool(absl::string_view value)>;

// A flag, and what it does with its value.
struct Flag {
  absl::string_view name;
  absl::string_view wanted;  // "a number", for the message about a wrong value; empty: takes none
  SetFunction set;           // false if the value is wrong
};

SetFunction SetTrue(bool* flag) {
  return [flag](absl::string_view) { return *flag = true; };
}

SetFunction SetText(std::string* text) {
  return [text](absl::string_view value) {
    *text = std::string(value);
    return !value.empty();
  };
}

template <typename Integer>
SetFunction SetInteger(Integer* number, Integer min, Integer max) {
  return [=](absl::string_view value) {
    std::uint64_t parsed = 0;
    if (!absl::SimpleAtoi(value, &parsed) || parsed < static_cast<std::uint64_t>(min) ||
        parsed > static_cast<std::uint64_t>(max)) {
      return false;
    }
    *number = static_cast<Integer>(parsed);
    return true;
  };
}

SetFunction SetNumber(double* number, double min) {
  return
      [=](absl::string_view value) { return replay::ParseNumber(value, number) && *number >= min; };
}

SetFunction SetSeconds(absl::Duration* duration) {
  return [duration](absl::string_view value) {
    constexpr double kYear = 366.0 * 86400;
    double seconds = 0;
    if (!replay::ParseNumber(value, &seconds) || seconds < 0.001 || seconds > kYear) return false;
    *duration = absl::Milliseconds(std::llround(seconds * 1000));
    return true;
  };
}

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

// Takes the flag at arguments[*i], and its value.
absl::Status TakeFlag(absl::Span<const char* const> arguments, const std::vector<Flag>& flags,
                      std::size_t* i) {
  absl::string_view name = arguments[*i];
  if (!absl::ConsumePrefix(&name, "--")) {
    return absl::InvalidArgumentError(absl::StrCat("unexpected argument ", Quoted(name)));
  }
  const std::size_t equals = name.find('=');
  const bool has_value = equals != absl::string_view::npos;
  absl::string_view value = has_value ? name.substr(equals + 1) : absl::string_view();
  name = name.substr(0, equals);
  for (const Flag& flag : flags) {
    if (flag.name != name) continue;
    if (flag.wanted.empty()) {
      if (has_value) return absl::InvalidArgumentError(absl::StrCat("--", name, " takes no value"));
    } else if (!has_value) {
      if (++*i == arguments.size()) {
        return absl::InvalidArgumentError(absl::StrCat("--", name, " needs a value"));
      }
      value = arguments[*i];
    }
    if (flag.set(value)) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("--", name, " ", Quoted(value), ": ", flag.wanted, " expected"));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("no such flag: ", Quoted(absl::StrCat("--", name))));
}

absl::Status Check(const Flags& flags) {
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
  if (!arguments.empty() && absl::string_view(arguments[0]) == "token") {
    flags.command = Flags::Command::kToken;
    arguments.remove_prefix(1);
  }
  const std::vector<Flag> known =
      flags.command == Flags::Command::kToken ? TokenFlags(&flags) : ServeFlags(&flags);
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (absl::Status status = TakeFlag(arguments, known, &i); !status.ok()) return status;
  }
  if (absl::Status status = Check(flags); !status.ok()) return status;
  return flags;
}

}  // namespace echo_server
