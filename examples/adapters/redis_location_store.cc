#include "examples/adapters/redis_location_store.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "examples/adapters/big_endian.h"
#include "examples/adapters/partial_answers.h"
#include "examples/adapters/redis_command.h"
#include "examples/adapters/redis_reply.h"
#include "nearby/geo.h"
#include "nearby/time.h"

namespace adapters {
namespace {

using nearby::AcceptedLocation;
using nearby::Epoch;
using nearby::Position;
using nearby::Time;
using nearby::UserId;

using Locations = std::vector<std::optional<AcceptedLocation>>;

// The scripts' text goes with each batch: some hundred bytes, and nobody has to know what the
// server remembers. A value begins with its session and time. Lua has no exact numbers as large as
// sessions, so that these are compared by halves; all valid times are exact.
constexpr char kIsOlder[] = R"(
  local function is_older(a, b)
    local high_a, low_a, time_a = struct.unpack('>I4I4i8', a)
    local high_b, low_b, time_b = struct.unpack('>I4I4i8', b)
    if high_a ~= high_b then return high_a < high_b end
    if low_a ~= low_b then return low_a < low_b end
    return time_a < time_b
  end
)";

// ARGV: the time to live in milliseconds, the length of values without a speed, then a value for
// each key. What is not a value is none.
constexpr char kWrite[] = R"(
  for i, key in ipairs(KEYS) do
    local value = ARGV[i + 2]
    local held = redis.call('GET', key)
    local is_value = held and (#held == #value or #held == tonumber(ARGV[2]))
    if not is_value or not is_older(value, held) then
      redis.call('SET', key, value, 'PX', ARGV[1])
    end
  end
  return #KEYS
)";

// ARGV: the length of a value, that of one without a speed, then a session and time for each key.
constexpr char kErase[] = R"(
  for i, key in ipairs(KEYS) do
    local held = redis.call('GET', key)
    local is_value = held and (#held == tonumber(ARGV[1]) or #held == tonumber(ARGV[2]))
    if is_value and not is_older(ARGV[i + 2], held) then
      redis.call('DEL', key)
    end
  end
  return #KEYS
)";

constexpr std::size_t kValueBytes = 36;
// As nodes of a version without speeds write it.
constexpr std::size_t kSpeedlessBytes = 32;

void AppendTime(Time time, std::string* out) {
  AppendBigEndian(static_cast<std::uint64_t>(time.ms), out);
}

void AppendAge(Epoch session, Time accepted_at, std::string* out) {
  AppendBigEndian(nearby::ToInt(session), out);
  AppendTime(accepted_at, out);
}

Time ReadTime(const char* bytes) {
  return Time::Millis(static_cast<std::int64_t>(ReadBigEndian<std::uint64_t>(bytes)));
}

std::string Encode(const AcceptedLocation& location) {
  std::string value;
  value.reserve(kValueBytes);
  AppendAge(location.session, location.accepted_at, &value);
  AppendTime(location.reported_at, &value);
  AppendBigEndian(static_cast<std::uint32_t>(location.position.lat_units()), &value);
  AppendBigEndian(static_cast<std::uint32_t>(location.position.lng_units()), &value);
  AppendBigEndian(location.speed_bound_mm_s, &value);
  return value;
}

// What is not a location's value is none.
std::optional<AcceptedLocation> Decode(UserId user, absl::string_view value) {
  if (value.size() != kValueBytes && value.size() != kSpeedlessBytes) return std::nullopt;
  const char* const bytes = value.data();
  return AcceptedLocation{
      user,
      Position::FromUnits(static_cast<std::int32_t>(ReadBigEndian<std::uint32_t>(bytes + 24)),
                          static_cast<std::int32_t>(ReadBigEndian<std::uint32_t>(bytes + 28))),
      ReadTime(bytes + 8),
      ReadTime(bytes + 16),
      Epoch{ReadBigEndian<std::uint64_t>(bytes)},
      value.size() == kValueBytes ? ReadBigEndian<std::uint32_t>(bytes + 32)
                                  : AcceptedLocation::kUnknownSpeed};
}

// At least one, which is the least that the server takes.
std::int64_t ToMillis(absl::Duration ttl) {
  const std::int64_t ms = absl::ToInt64Milliseconds(absl::Ceil(ttl, absl::Milliseconds(1)));
  return std::clamp<std::int64_t>(ms, 1, nearby::kMaxTimeMs);
}

// Answers that say no more than that a part has succeeded.
struct Nothing {};
using Successes = PartialAnswers<Nothing>;

std::shared_ptr<Successes> MakeSuccesses(std::size_t parts, nearby::LocationStore::Done done) {
  return Successes::Make(parts, Nothing(),
                         [done = std::move(done)](const absl::StatusOr<Nothing>& result) mutable {
                           done(result.status());
                         });
}

RedisClient::Done AddTo(std::shared_ptr<Successes> successes) {
  return [successes = std::move(successes)](const absl::StatusOr<RedisReply>& reply) {
    successes->Add(reply.status(), [](Nothing*) {});
  };
}

// A script about so many keys, which are to follow, and arguments after them.
RedisCommand BeginScript(absl::string_view script, std::size_t keys, std::size_t arguments) {
  RedisCommand command(3 + keys + arguments);
  command.Add("EVAL");
  command.Add(absl::StrCat(kIsOlder, script));
  command.Add(absl::StrCat(keys));
  return command;
}

}  // namespace

absl::StatusOr<std::unique_ptr<RedisLocationStore>> RedisLocationStore::Create(
    absl::Span<const std::string> servers, const Options& options) {
  if (servers.empty()) return absl::InvalidArgumentError("a location store needs a server");
  std::unique_ptr<RedisLocationStore> store(new RedisLocationStore(options));
  for (const std::string& server : servers) {
    absl::StatusOr<RedisAddress> address = RedisAddress::Parse(server);
    if (!address.ok()) return address.status();
    store->clients_.push_back(std::make_unique<RedisClient>(*std::move(address), options.client));
  }
  return store;
}

std::string RedisLocationStore::Key(UserId user) const {
  std::string key = options_.key_prefix;
  AppendBigEndian(nearby::ToInt(user), &key);
  return key;
}

template <typename UserAt>
std::vector<RedisLocationStore::Part> RedisLocationStore::Divide(std::size_t count,
                                                                 UserAt user_at) const {
  std::vector<Part> parts;
  const auto servers = static_cast<std::uint32_t>(clients_.size());
  constexpr std::size_t kNone = ~std::size_t{0};
  std::vector<std::size_t> open(servers, kNone);  // the part that is being filled, by server
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t server = nearby::ToInt(nearby::HomeShard(user_at(i), servers));
    std::size_t& part = open[server];
    if (part == kNone || parts[part].indices.size() >= options_.max_users_per_command) {
      part = parts.size();
      parts.push_back({server, {}});
    }
    parts[part].indices.push_back(i);
  }
  return parts;
}

void RedisLocationStore::Write(absl::Span<const AcceptedLocation> locations, absl::Duration ttl,
                               Done done) {
  const std::vector<Part> parts =
      Divide(locations.size(), [&](std::size_t i) { return locations[i].user; });
  const std::shared_ptr<Successes> successes = MakeSuccesses(parts.size(), std::move(done));
  for (const Part& part : parts) {
    RedisCommand command = BeginScript(kWrite, part.indices.size(), 2 + part.indices.size());
    for (const std::size_t i : part.indices) command.Add(Key(locations[i].user));
    command.Add(absl::StrCat(ToMillis(ttl)));
    command.Add(absl::StrCat(kSpeedlessBytes));
    for (const std::size_t i : part.indices) command.Add(Encode(locations[i]));
    clients_[part.server]->Call(command.Take(), AddTo(successes));
  }
}

void RedisLocationStore::Read(absl::Span<const UserId> users, ReadDone done) {
  std::vector<Part> parts = Divide(users.size(), [&](std::size_t i) { return users[i]; });
  Locations locations(users.size());
  // The users are kept in their places, for the parts to be read by.
  for (std::size_t i = 0; i < users.size(); ++i)
    locations[i] = AcceptedLocation{users[i], {}, {}, {}, {}, {}};
  const auto answers =
      PartialAnswers<Locations>::Make(parts.size(), std::move(locations), std::move(done));
  for (Part& part : parts) {
    RedisCommand command(1 + part.indices.size());
    command.Add("MGET");
    for (const std::size_t i : part.indices) command.Add(Key(users[i]));
    clients_[part.server]->Call(command.Take(), [answers, indices = std::move(part.indices)](
                                                    const absl::StatusOr<RedisReply>& reply) {
      absl::Status status = reply.status();
      if (status.ok() && reply->value().size() != indices.size()) {
        status = absl::InternalError("Redis: MGET has answered something else");
      }
      answers->Add(status, [&](Locations* found) {
        for (std::size_t k = 0; k < indices.size(); ++k) {
          std::optional<AcceptedLocation>& place = (*found)[indices[k]];
          place = Decode(place->user, reply->value()[k].text());
        }
      });
    });
  }
}

void RedisLocationStore::Erase(absl::Span<const Erasure> erasures, Done done) {
  const std::vector<Part> parts =
      Divide(erasures.size(), [&](std::size_t i) { return erasures[i].user; });
  const std::shared_ptr<Successes> successes = MakeSuccesses(parts.size(), std::move(done));
  for (const Part& part : parts) {
    RedisCommand command = BeginScript(kErase, part.indices.size(), 2 + part.indices.size());
    for (const std::size_t i : part.indices) command.Add(Key(erasures[i].user));
    command.Add(absl::StrCat(kValueBytes));
    command.Add(absl::StrCat(kSpeedlessBytes));
    for (const std::size_t i : part.indices) {
      std::string age;
      AppendAge(erasures[i].session, erasures[i].accepted_at, &age);
      command.Add(age);
    }
    clients_[part.server]->Call(command.Take(), AddTo(successes));
  }
}

}  // namespace adapters
