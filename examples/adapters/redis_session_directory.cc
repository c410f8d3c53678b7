#include "examples/adapters/redis_session_directory.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "examples/adapters/big_endian.h"
#include "examples/adapters/partial_answers.h"
#include "examples/adapters/redis_command.h"
#include "examples/adapters/redis_reply.h"
#include "examples/adapters/redis_session_scripts.h"

namespace adapters {
namespace {

using nearby::Epoch;
using nearby::NodeId;
using nearby::NodeLease;
using nearby::SessionHolder;
using nearby::ToInt;
using nearby::UserId;

constexpr std::size_t kHolderBytes = 24;

// 200 years: a deadline stays within what is exact in Lua.
const std::int64_t kMaxDurationUs = absl::ToInt64Microseconds(absl::Hours(24 * 365 * 200));

std::string Bytes(std::uint64_t value) {
  std::string bytes;
  AppendBigEndian(value, &bytes);
  return bytes;
}

std::string Bytes(const NodeLease& lease) {
  std::string bytes = Bytes(ToInt(lease.node));
  AppendBigEndian(ToInt(lease.life), &bytes);
  return bytes;
}

// Rounded up: the node counts from before it asked.
std::string ToMicros(absl::Duration duration) {
  const absl::Duration whole = absl::Ceil(duration, absl::Microseconds(1));
  return absl::StrCat(std::min(absl::ToInt64Microseconds(whole), kMaxDurationUs));
}

absl::Status MustLast() {
  return absl::InvalidArgumentError("a lease must last longer than nothing");
}

absl::Status TooMany(std::size_t users) {
  return absl::InvalidArgumentError(absl::StrCat("a call about ", users, " users; at most ",
                                                 nearby::SessionDirectory::kMaxBatch,
                                                 " are allowed"));
}

absl::Status Unexpected() {
  return absl::InternalError("Redis: a script has answered something else");
}

std::string HasEnded(const NodeLease& lease) {
  return absl::StrCat("life ", ToInt(lease.life), " of node ", ToInt(lease.node),
                      " has no lease any more");
}

RedisCommand BeginScript(absl::string_view script, absl::string_view prefix,
                         std::size_t arguments) {
  RedisCommand command(4 + arguments);
  command.Add("EVAL");
  command.Add(absl::StrCat(kSessionPrelude, script));
  command.Add("1");
  command.Add(prefix);
  return command;
}

// A script that answers an integer; this is what it is asked.
absl::StatusOr<std::int64_t> ToInteger(const absl::StatusOr<RedisReply>& reply) {
  if (!reply.ok()) return reply.status();
  const std::optional<std::int64_t> integer = reply->value().integer();
  if (!integer.has_value()) return Unexpected();
  return *integer;
}

std::vector<SessionHolder> DecodeHolders(absl::string_view bytes) {
  std::vector<SessionHolder> holders;
  for (; bytes.size() >= kHolderBytes; bytes.remove_prefix(kHolderBytes)) {
    const auto number = [&](std::size_t i) {
      return ReadBigEndian<std::uint64_t>(bytes.data() + 8 * i);
    };
    holders.push_back({{NodeId{number(0)}, Epoch{number(1)}}, Epoch{number(2)}});
  }
  return holders;
}

absl::StatusOr<std::vector<nearby::SessionDirectory::Claimed>> DecodeClaimed(
    const NodeLease& lease, std::size_t users, std::size_t max_holders, RedisValue reply) {
  const std::optional<std::int64_t> first = reply.size() == 0 ? std::nullopt : reply[0].integer();
  if (!first.has_value()) return Unexpected();
  if (*first == -1) return absl::FailedPreconditionError(HasEnded(lease));
  if (*first == -2 && reply.size() == 2 && reply[1].text().size() == 8) {
    const auto user = ReadBigEndian<std::uint64_t>(reply[1].text().data());
    return absl::ResourceExhaustedError(
        absl::StrCat("user ", user, " has the maximum of ", max_holders, " sessions"));
  }
  if (*first < 0 || reply.size() != 1 + users) return Unexpected();
  std::vector<nearby::SessionDirectory::Claimed> claimed(users);
  for (std::size_t i = 0; i < users; ++i) {
    claimed[i].epoch = Epoch{static_cast<std::uint64_t>(*first) + i};
    claimed[i].others = DecodeHolders(reply[1 + i].text());
  }
  return claimed;
}

// Calls `ask(first, count)` for each command that so many questions take.
template <typename Ask>
void ForEachPart(std::size_t questions, std::size_t most, Ask ask) {
  for (std::size_t first = 0; first < questions; first += most) {
    ask(first, std::min(most, questions - first));
  }
}

std::size_t PartCount(std::size_t questions, std::size_t most) {
  return (questions + most - 1) / most;
}

}  // namespace

absl::StatusOr<std::unique_ptr<RedisSessionDirectory>> RedisSessionDirectory::Create(
    absl::string_view server, const Options& options) {
  if (options.max_holders < 4 || options.max_lookups_per_command < 1) {
    return absl::InvalidArgumentError("max_holders is below 4, or max_lookups_per_command is 0");
  }
  absl::StatusOr<RedisAddress> address = RedisAddress::Parse(server);
  if (!address.ok()) return address.status();
  return std::unique_ptr<RedisSessionDirectory>(
      new RedisSessionDirectory(*std::move(address), options));
}

void RedisSessionDirectory::BeginLease(NodeId node, absl::Duration duration, LeaseDone done) {
  if (duration <= absl::ZeroDuration()) return done(MustLast());
  RedisCommand command = BeginScript(kBeginLease, options_.key_prefix, 3);
  command.Add(Bytes(ToInt(node)));
  command.Add(ToMicros(duration));
  command.Add(absl::StrCat(options_.max_leases));
  client_.Call(command.Take(), [most = options_.max_leases, done = std::move(done)](
                                   const absl::StatusOr<RedisReply>& reply) mutable {
    const absl::StatusOr<std::int64_t> life = ToInteger(reply);
    if (!life.ok()) return done(life.status());
    if (*life < 0) {
      return done(absl::ResourceExhaustedError(
          absl::StrCat("the session directory holds its maximum of ", most, " leases")));
    }
    done(Epoch{static_cast<std::uint64_t>(*life)});
  });
}

void RedisSessionDirectory::RenewLease(const NodeLease& lease, absl::Duration duration, Done done) {
  if (duration <= absl::ZeroDuration()) return done(MustLast());
  RedisCommand command = BeginScript(kRenewLease, options_.key_prefix, 2);
  command.Add(Bytes(lease));
  command.Add(ToMicros(duration));
  client_.Call(command.Take(),
               [lease, done = std::move(done)](const absl::StatusOr<RedisReply>& reply) mutable {
                 const absl::StatusOr<std::int64_t> renewed = ToInteger(reply);
                 if (!renewed.ok()) return done(renewed.status());
                 done(*renewed == 1 ? absl::OkStatus() : absl::NotFoundError(HasEnded(lease)));
               });
}

void RedisSessionDirectory::EndLease(const NodeLease& lease, Done done) {
  RedisCommand command = BeginScript(kEndLease, options_.key_prefix, 1);
  command.Add(Bytes(lease));
  client_.Call(command.Take(),
               [done = std::move(done)](const absl::StatusOr<RedisReply>& reply) mutable {
                 done(reply.status());
               });
}

void RedisSessionDirectory::Claim(const NodeLease& lease, absl::Span<const UserId> users,
                                  ClaimDone done) {
  if (users.size() > kMaxBatch) return done(TooMany(users.size()));
  RedisCommand command = BeginScript(kClaim, options_.key_prefix, 2 + users.size());
  command.Add(Bytes(lease));
  command.Add(absl::StrCat(options_.max_holders));
  for (const UserId user : users) command.Add(Bytes(ToInt(user)));
  client_.Call(command.Take(),
               [lease, count = users.size(), most = options_.max_holders,
                done = std::move(done)](const absl::StatusOr<RedisReply>& reply) mutable {
                 if (!reply.ok()) return done(reply.status());
                 done(DecodeClaimed(lease, count, most, reply->value()));
               });
}

void RedisSessionDirectory::Release(const NodeLease& lease, absl::Span<const Session> sessions,
                                    Done done) {
  if (sessions.size() > kMaxBatch) return done(TooMany(sessions.size()));
  RedisCommand command = BeginScript(kRelease, options_.key_prefix, 1 + 2 * sessions.size());
  command.Add(Bytes(lease));
  for (const Session& session : sessions) {
    command.Add(Bytes(ToInt(session.user)));
    command.Add(Bytes(ToInt(session.epoch)));
  }
  client_.Call(command.Take(),
               [done = std::move(done)](const absl::StatusOr<RedisReply>& reply) mutable {
                 done(reply.status());
               });
}

void RedisSessionDirectory::Lookup(absl::Span<const UserId> users, LookupDone done) {
  if (users.size() > kMaxBatch) return done(TooMany(users.size()));
  using Found = std::vector<std::vector<SessionHolder>>;
  const std::size_t most = options_.max_lookups_per_command;
  const auto answers = PartialAnswers<Found>::Make(PartCount(users.size(), most),
                                                   Found(users.size()), std::move(done));
  ForEachPart(users.size(), most, [&](std::size_t first, std::size_t count) {
    RedisCommand command = BeginScript(kLookup, options_.key_prefix, count);
    for (const UserId user : users.subspan(first, count)) command.Add(Bytes(ToInt(user)));
    client_.Call(command.Take(), [answers, first, count](const absl::StatusOr<RedisReply>& reply) {
      absl::Status status = reply.status();
      if (status.ok() && reply->value().size() != count) status = Unexpected();
      answers->Add(status, [&](Found* found) {
        for (std::size_t i = 0; i < count; ++i) {
          (*found)[first + i] = DecodeHolders(reply->value()[i].text());
        }
      });
    });
  });
}

void RedisSessionDirectory::FindEnded(absl::Span<const NodeLease> leases, EndedDone done) {
  // Whether each has ended; which ones is for the end to say.
  using Ended = std::vector<bool>;
  const std::size_t most = options_.max_lookups_per_command;
  auto finish = [asked = std::vector<NodeLease>(leases.begin(), leases.end()),
                 done = std::move(done)](const absl::StatusOr<Ended>& has_ended) mutable {
    if (!has_ended.ok()) return done(has_ended.status());
    std::vector<NodeLease> ended;
    for (std::size_t i = 0; i < asked.size(); ++i) {
      if ((*has_ended)[i]) ended.push_back(asked[i]);
    }
    done(std::move(ended));
  };
  const auto answers = PartialAnswers<Ended>::Make(PartCount(leases.size(), most),
                                                   Ended(leases.size()), std::move(finish));
  ForEachPart(leases.size(), most, [&](std::size_t first, std::size_t count) {
    RedisCommand command = BeginScript(kFindEnded, options_.key_prefix, count);
    for (const NodeLease& lease : leases.subspan(first, count)) command.Add(Bytes(lease));
    client_.Call(command.Take(), [answers, first, count](const absl::StatusOr<RedisReply>& reply) {
      absl::Status status = reply.status();
      if (status.ok() && reply->value().size() != count) status = Unexpected();
      answers->Add(status, [&](Ended* has_ended) {
        for (std::size_t i = 0; i < count; ++i) {
          (*has_ended)[first + i] = reply->value()[i].integer() == 1;
        }
      });
    });
  });
}

}  // namespace adapters
