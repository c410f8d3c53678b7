#ifndef EXAMPLES_ADAPTERS_REDIS_SESSION_SCRIPTS_H_
#define EXAMPLES_ADAPTERS_REDIS_SESSION_SCRIPTS_H_

// The scripts of RedisSessionDirectory, each a call that takes effect at one instant.
//
// What they keep, under a prefix P:
//   P "epoch"         the last epoch given, of all sessions and lives
//   P "leases"        a sorted set: each lease by its deadline, in microseconds of the server's
//                     clock; an ended lease stays until its sessions have been swept
//   P "of:" lease     a set: the users whose sessions live under the lease
//   P "user:" user    the user's holders: lease and epoch of each, 24 bytes, epochs ascending
// A user who is in a lease's set may have no holder under it, and is swept all the same; each
// holder's user is in its lease's set. A lease is node and life; users, nodes and epochs are 8
// bytes, highest first.
//
// KEYS[1] is the prefix. Other keys are made from it, so a cluster would need a prefix with a hash
// tag: everything lies on one server.

namespace adapters {

/// What others begin with: the time, which leases are live, and the sweeper, which removes the
/// holders of ended leases in passing, some at each call.
inline constexpr char kSessionPrelude[] = R"(
  local prefix = KEYS[1]
  local leases = prefix .. 'leases'
  local time = redis.call('TIME')
  local now = time[1] * 1000000 + time[2]
  local known = {}
  local function is_live(lease)
    local live = known[lease]
    if live == nil then
      local deadline = redis.call('ZSCORE', leases, lease)
      live = deadline and tonumber(deadline) > now or false
      known[lease] = live
    end
    return live
  end
  local function holders_of(user)
    return redis.call('GET', prefix .. 'user:' .. user) or ''
  end
  local function keep(user, holders)
    if holders == '' then
      redis.call('DEL', prefix .. 'user:' .. user)
    else
      redis.call('SET', prefix .. 'user:' .. user, holders)
    end
  end
  local function without(holders, lease)
    local rest = {}
    for at = 1, #holders, 24 do
      if string.sub(holders, at, at + 15) ~= lease then
        rest[#rest + 1] = string.sub(holders, at, at + 23)
      end
    end
    return table.concat(rest)
  end
  local function live_among(holders)
    local live = {}
    for at = 1, #holders, 24 do
      if is_live(string.sub(holders, at, at + 15)) then
        live[#live + 1] = string.sub(holders, at, at + 23)
      end
    end
    return table.concat(live)
  end
  local function next_epochs(count)
    local key = prefix .. 'epoch'
    local last = redis.call('INCRBY', key, count)
    if last == count then
      -- A new directory, or one that has lost its memory: above all that may have been given.
      last = now + count
      redis.call('SET', key, string.format('%.0f', last))
    end
    return last - count
  end
  local function sweep(count)
    local ended = redis.call('ZRANGEBYSCORE', leases, '-inf', now, 'LIMIT', 0, 1)[1]
    if not ended then return end
    local users = redis.call('SPOP', prefix .. 'of:' .. ended, count)
    for _, user in ipairs(users) do
      keep(user, without(holders_of(user), ended))
    end
    if #users < count then redis.call('ZREM', leases, ended) end
  end
)";

/// ARGV: node, duration in microseconds, most leases. Answers the life, or -1 if there are too
/// many.
inline constexpr char kBeginLease[] = R"(
  sweep(16)
  if redis.call('ZCOUNT', leases, '(' .. string.format('%.0f', now), '+inf') >= tonumber(ARGV[3]) then
    return -1
  end
  local life = next_epochs(1) + 1
  redis.call('ZADD', leases, now + ARGV[2], ARGV[1] .. struct.pack('>I8', life))
  return life
)";

/// ARGV: lease, duration in microseconds. Answers 1, or 0 if the lease has ended.
inline constexpr char kRenewLease[] = R"(
  sweep(16)
  if not is_live(ARGV[1]) then return 0 end
  redis.call('ZADD', leases, now + ARGV[2], ARGV[1])
  return 1
)";

/// ARGV: lease. An ended lease is one whose deadline has passed: the sweeper does the rest.
inline constexpr char kEndLease[] = R"(
  if is_live(ARGV[1]) then redis.call('ZADD', leases, 0, ARGV[1]) end
  sweep(16)
  return 1
)";

/// ARGV: lease, most holders, then users. Answers the first epoch, the users having consecutive
/// ones, and for each the other holders; or -1 if the lease has ended; or -2 and the user who has
/// too many holders.
inline constexpr char kClaim[] = R"(
  local lease = ARGV[1]
  if not is_live(lease) then return {-1} end
  local answer = {0}
  for i = 3, #ARGV do
    local others = live_among(without(holders_of(ARGV[i]), lease))
    if #others >= 24 * tonumber(ARGV[2]) then return {-2, ARGV[i]} end
    answer[i - 1] = others
  end
  local before = next_epochs(#ARGV - 2)
  answer[1] = before + 1
  for i = 3, #ARGV do
    local epoch = struct.pack('>I8', before + i - 2)
    redis.call('SET', prefix .. 'user:' .. ARGV[i], answer[i - 1] .. lease .. epoch)
    redis.call('SADD', prefix .. 'of:' .. lease, ARGV[i])
  end
  sweep(16 + 2 * #ARGV)
  return answer
)";

/// ARGV: lease, then a user and an epoch for each session.
inline constexpr char kRelease[] = R"(
  for i = 2, #ARGV, 2 do
    local holders = holders_of(ARGV[i])
    for at = 1, #holders, 24 do
      if string.sub(holders, at, at + 23) == ARGV[1] .. ARGV[i + 1] then
        keep(ARGV[i], without(holders, ARGV[1]))
        redis.call('SREM', prefix .. 'of:' .. ARGV[1], ARGV[i])
      end
    end
  end
  sweep(16 + #ARGV)
  return 1
)";

/// ARGV: users. Answers the holders of each.
inline constexpr char kLookup[] = R"(
  local answer = {}
  for i = 1, #ARGV do answer[i] = live_among(holders_of(ARGV[i])) end
  return answer
)";

/// ARGV: leases. Answers a 1 for each that has ended, and a 0 for each other.
inline constexpr char kFindEnded[] = R"(
  local answer = {}
  for i = 1, #ARGV do answer[i] = is_live(ARGV[i]) and 0 or 1 end
  return answer
)";

}  // namespace adapters

#endif  // EXAMPLES_ADAPTERS_REDIS_SESSION_SCRIPTS_H_
