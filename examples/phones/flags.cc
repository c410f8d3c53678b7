#include "examples/phones/flags.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "examples/replay/fields.h"
#include "nearby/ids.h"
#include "nearby/wire_format.h"

namespace phones {

const char kHelp[] =
    R"(Phones that walk about and report to a running echo_server, and a live table of what one of
them sees. Holds what the server says against the protocol.

  phones --city [--users N] [options]
  phones --friends FILE --trace FILE [options]
  phones --load [--users N] [options]
  phones --city [--users N] --write-friends FILE

The server
  --server HOST:PORT   where it listens (127.0.0.1:8080)
  --servers A,B,...    several that serve users together: each phone takes any, and another one
                       when it is asked to move or loses its connection
  --format F           protobuf (the default) or json
  --secret-file FILE   the server's secret, which tokens are made with; without it the
                       variable NEARBY_TOKEN_SECRET
  --insecure           no tokens: for a server that was started with --insecure
  --patience-s X       give up when nobody has been connected for X seconds, or, before a load,
                       when nobody more has got in for so long (15)

Who walks
  --city               the people of an invented city, numbered from 1; the server needs their
                       friendships
  --users N            how many live there, 1 to 100000 (200; with --load 1000)
  --seed N             another seed makes another city, the same seed the same (1)
  --write-friends FILE write the city's friendships, for echo_server --friends, and end; make_trace
                       --city --users N --seed N --friends FILE writes the same
  --friends FILE       with --trace: two users a line, as for the server
  --trace FILE         recorded lives, as for nearby_replay; "-" is standard input. Phones report,
                       disconnect, subscribe and unsubscribe; other lines that act are passed over
  --connections N      how many have a phone: the first that appear (all)

The live table
  --watch USER         whose phone is shown; auto, the default, is the one with most friends
  --pace X             seconds of life in a second (30): a phone reports every 30 seconds of life
  --minutes X          end after X minutes of life; 0, the default, is never
  --once               show one picture, at the end

What phones see against what they should see, found by measuring every distance
  --sights FILE        write a line ten times a second: Unix time, phones online, pairs in sight
                       that should be, pairs missing, pairs in sight that should not be, pairs
                       whose latest report has not come, pairs left out, phones on each server, one pair of those that are wrong
  --radius-m X         the server's radius (8046.72)
  --grace-s X          what happened in the last X seconds may have come or not (1); pairs of which
                       one is not online, or only since then, are left out

Load: no table; everybody connects, then reports for a while, walking 30 seconds of life each time
  --load               of a city, as above
  --rate X             reports in a second by all phones; 0, the default: each reports anew as soon
                       as all friends who see it have heard of its last report
  --seconds X          how long (10), after a second of warming up
  --threads N          event loops that share the phones, 1 to 64 (1)
The server lets a phone make 20 calls a second: raise --calls-per-second and --call-burst there.

  --json FILE          write figures as one JSON object; "-" is standard output
  --help               this text

Exit status: 0 if all went well; 1 if the server is gone, broke the protocol or answered with
errors, or if a file could not be written; 2 if the command line or the input is wrong.
)";

namespace {

constexpr std::size_t kMaxUsers = 100'000;
constexpr std::size_t kLoadUsers = 1000;
constexpr std::size_t kMaxThreads = 64;
constexpr double kMaxSeconds = 1e9;

// What the command line says before defaults that depend on each other are filled in.
struct Parsed {
  Flags flags;
  bool has_users = false;
  bool has_life = false;  // a flag that --load makes no sense of
  bool has_load = false;  // a flag of --load
};

absl::Status BadValue(absl::string_view name, absl::string_view value, absl::string_view wanted) {
  return absl::InvalidArgumentError(
      absl::StrCat("--", name, " ", replay::Quoted(value), ": ", wanted, " expected"));
}

absl::Status SetText(absl::string_view name, absl::string_view value, std::string* text) {
  if (value.empty()) return BadValue(name, value, "a name");
  *text = std::string(value);
  return absl::OkStatus();
}

absl::Status SetCount(absl::string_view name, absl::string_view value, std::size_t most,
                      std::size_t* count) {
  if (absl::SimpleAtoi(value, count) && *count >= 1 && *count <= most) return absl::OkStatus();
  return BadValue(name, value, absl::StrCat("a number from 1 to ", most));
}

absl::Status SetPositive(absl::string_view name, absl::string_view value, double* number) {
  if (replay::ParseNumber(value, number) && *number > 0 && *number <= kMaxSeconds) {
    return absl::OkStatus();
  }
  return BadValue(name, value, "a positive number");
}

absl::Status SetSeconds(absl::string_view name, absl::string_view value, absl::Duration* duration) {
  double seconds = 0;
  if (absl::Status status = SetPositive(name, value, &seconds); !status.ok()) return status;
  *duration = absl::Seconds(seconds);
  return absl::OkStatus();
}

absl::Status SetServer(absl::string_view value, ServerName* server) {
  const std::size_t colon = value.rfind(':');
  std::uint32_t port = 0;
  if (colon == absl::string_view::npos || colon == 0 ||
      !absl::SimpleAtoi(value.substr(colon + 1), &port) || port == 0 || port > 65535) {
    return BadValue("server", value, "HOST:PORT");
  }
  absl::string_view host = value.substr(0, colon);
  // An IPv6 address is written in brackets.
  if (absl::ConsumePrefix(&host, "[")) absl::ConsumeSuffix(&host, "]");
  *server = {std::string(host), absl::StrCat(port)};
  return absl::OkStatus();
}

absl::Status SetServers(absl::string_view value, std::vector<ServerName>* servers) {
  servers->clear();
  for (const absl::string_view server : absl::StrSplit(value, ',')) {
    absl::Status status = SetServer(server, &servers->emplace_back());
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status SetFormat(absl::string_view value, nearby::WireFormat* format) {
  if (value != "protobuf" && value != "json") {
    return BadValue("format", value, "\"protobuf\" or \"json\"");
  }
  *format = value == "json" ? nearby::WireFormat::kJson : nearby::WireFormat::kProtobuf;
  return absl::OkStatus();
}

absl::Status SetWatch(absl::string_view value, std::optional<nearby::UserId>* watch) {
  watch->reset();
  nearby::UserId user{};
  if (value == "auto") return absl::OkStatus();
  if (!replay::ParseUser(value, &user)) return BadValue("watch", value, "a user or \"auto\"");
  *watch = user;
  return absl::OkStatus();
}

absl::Status SetMinutes(absl::string_view value, absl::Duration* duration) {
  double minutes = 0;
  if (!replay::ParseNumber(value, &minutes) || minutes < 0 || minutes > kMaxSeconds) {
    return BadValue("minutes", value, "a number of minutes");
  }
  *duration = minutes == 0 ? absl::InfiniteDuration() : absl::Minutes(minutes);
  return absl::OkStatus();
}

absl::Status SetRate(absl::string_view value, double* rate) {
  if (replay::ParseNumber(value, rate) && *rate >= 0 && *rate <= kMaxSeconds) {
    return absl::OkStatus();
  }
  return BadValue("rate", value, "a number of reports");
}

absl::Status SetSeed(absl::string_view value, std::uint64_t* seed) {
  if (absl::SimpleAtoi(value, seed)) return absl::OkStatus();
  return BadValue("seed", value, "an unsigned 64-bit number");
}

absl::Status SetConnections(absl::string_view value, std::optional<std::size_t>* connections) {
  return SetCount("connections", value, kMaxUsers, &connections->emplace());
}

using Setter = absl::Status (*)(absl::string_view name, absl::string_view value, Parsed* parsed);

// Whether a flag is for one of the two modes alone.
enum class For : std::uint8_t { kBoth, kLife, kLoad };

struct Flag {
  absl::string_view name;
  For mode;
  Setter set;
};

using Name = absl::string_view;
using Value = absl::string_view;

constexpr std::array<Flag, 21> kFlags = {{
    {"server", For::kBoth,
     [](Name, Value value, Parsed* p) {
       p->flags.servers.resize(1);
       return SetServer(value, &p->flags.servers[0]);
     }},
    {"servers", For::kBoth,
     [](Name, Value value, Parsed* p) { return SetServers(value, &p->flags.servers); }},
    {"format", For::kBoth,
     [](Name, Value value, Parsed* p) { return SetFormat(value, &p->flags.format); }},
    {"secret-file", For::kBoth,
     [](Name name, Value value, Parsed* p) { return SetText(name, value, &p->flags.secret_file); }},
    {"patience-s", For::kBoth,
     [](Name name, Value value, Parsed* p) { return SetSeconds(name, value, &p->flags.patience); }},
    {"users", For::kBoth,
     [](Name name, Value value, Parsed* p) {
       p->has_users = true;
       return SetCount(name, value, kMaxUsers, &p->flags.users);
     }},
    {"seed", For::kBoth,
     [](Name, Value value, Parsed* p) { return SetSeed(value, &p->flags.seed); }},
    {"write-friends", For::kLife,
     [](Name name, Value value, Parsed* p) {
       return SetText(name, value, &p->flags.write_friends);
     }},
    {"friends", For::kLife,
     [](Name name, Value value, Parsed* p) { return SetText(name, value, &p->flags.friends); }},
    {"trace", For::kLife,
     [](Name name, Value value, Parsed* p) { return SetText(name, value, &p->flags.trace); }},
    {"connections", For::kBoth,
     [](Name, Value value, Parsed* p) { return SetConnections(value, &p->flags.connections); }},
    {"watch", For::kLife,
     [](Name, Value value, Parsed* p) { return SetWatch(value, &p->flags.watch); }},
    {"pace", For::kLife,
     [](Name name, Value value, Parsed* p) { return SetPositive(name, value, &p->flags.pace); }},
    {"minutes", For::kLife,
     [](Name, Value value, Parsed* p) { return SetMinutes(value, &p->flags.duration); }},
    {"sights", For::kLife,
     [](Name name, Value value, Parsed* p) { return SetText(name, value, &p->flags.sights); }},
    {"radius-m", For::kLife,
     [](Name name, Value value, Parsed* p) {
       return SetPositive(name, value, &p->flags.radius_m);
     }},
    {"grace-s", For::kLife,
     [](Name name, Value value, Parsed* p) { return SetSeconds(name, value, &p->flags.grace); }},
    {"rate", For::kLoad,
     [](Name, Value value, Parsed* p) { return SetRate(value, &p->flags.rate); }},
    {"seconds", For::kLoad,
     [](Name name, Value value, Parsed* p) {
       return SetSeconds(name, value, &p->flags.load_duration);
     }},
    {"threads", For::kLoad,
     [](Name name, Value value, Parsed* p) {
       return SetCount(name, value, kMaxThreads, &p->flags.threads);
     }},
    {"json", For::kBoth,
     [](Name name, Value value, Parsed* p) { return SetText(name, value, &p->flags.json); }},
}};

// True if the argument is a flag without a value.
bool SetSwitch(absl::string_view argument, Parsed* parsed) {
  Flags& flags = parsed->flags;
  if (argument == "--city") {
    flags.city = true;
  } else if (argument == "--insecure") {
    flags.insecure = true;
  } else if (argument == "--once") {
    flags.once = parsed->has_life = true;
  } else if (argument == "--load") {
    flags.load = true;
  } else if (argument == "--help" || argument == "-h") {
    flags.help = true;
  } else {
    return false;
  }
  return true;
}

absl::Status SetFlag(absl::string_view name, absl::string_view value, Parsed* parsed) {
  for (const Flag& flag : kFlags) {
    if (flag.name != name) continue;
    if (flag.mode == For::kLife) parsed->has_life = true;
    if (flag.mode == For::kLoad) parsed->has_load = true;
    return flag.set(name, value, parsed);
  }
  return absl::InvalidArgumentError(absl::StrCat("no such flag: --", name));
}

bool TakesValue(absl::string_view name) {
  for (const Flag& flag : kFlags) {
    if (flag.name == name) return true;
  }
  return false;
}

absl::Status CheckWalkers(const Parsed& parsed) {
  const Flags& flags = parsed.flags;
  const bool has_trace = !flags.trace.empty() || !flags.friends.empty();
  if (flags.load) {
    return parsed.has_life
               ? absl::InvalidArgumentError("--load has no table, no trace and no other people")
               : absl::OkStatus();
  }
  if (parsed.has_load) {
    return absl::InvalidArgumentError("--rate, --seconds and --threads are for --load");
  }
  if (flags.city == has_trace || flags.trace.empty() != flags.friends.empty()) {
    return absl::InvalidArgumentError(
        "--city is required, or --friends and --trace, or --load; one of these");
  }
  if (!flags.city && (parsed.has_users || !flags.write_friends.empty())) {
    return absl::InvalidArgumentError("--users and --write-friends are for --city");
  }
  return absl::OkStatus();
}

absl::Status CheckFiles(const Flags& flags) {
  if (flags.friends == "-" && flags.trace == "-") {
    return absl::InvalidArgumentError("--friends and --trace cannot both be standard input");
  }
  if (!flags.json.empty() && flags.json != "-" &&
      (flags.json == flags.friends || flags.json == flags.trace)) {
    return absl::InvalidArgumentError("--json would replace the input");
  }
  if (flags.insecure && !flags.secret_file.empty()) {
    return absl::InvalidArgumentError("--insecure takes no --secret-file");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Flags> ParseFlags(absl::Span<const char* const> arguments) {
  Parsed parsed;
  Flags& flags = parsed.flags;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    absl::string_view name = arguments[i];
    if (SetSwitch(name, &parsed)) {
      if (flags.help) return flags;
      continue;
    }
    if (!absl::ConsumePrefix(&name, "--")) {
      return absl::InvalidArgumentError(absl::StrCat("unexpected argument ", replay::Quoted(name)));
    }
    const std::size_t equals = name.find('=');
    const bool has_value = equals != absl::string_view::npos;
    absl::string_view value = has_value ? name.substr(equals + 1) : absl::string_view();
    name = name.substr(0, equals);
    if (!has_value && TakesValue(name)) {
      if (++i == arguments.size()) {
        return absl::InvalidArgumentError(absl::StrCat("--", name, " needs a value"));
      }
      value = arguments[i];
    }
    if (absl::Status status = SetFlag(name, value, &parsed); !status.ok()) return status;
  }
  if (absl::Status status = CheckWalkers(parsed); !status.ok()) return status;
  if (absl::Status status = CheckFiles(flags); !status.ok()) return status;
  if (flags.load && !parsed.has_users) flags.users = kLoadUsers;
  return flags;
}

}  // namespace phones
