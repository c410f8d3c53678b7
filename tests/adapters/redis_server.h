#ifndef NEARBY_TESTS_ADAPTERS_REDIS_SERVER_H_
#define NEARBY_TESTS_ADAPTERS_REDIS_SERVER_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "examples/adapters/redis_reply.h"

namespace adapters::test {

/// A redis-server of the test's own: on a free port of 127.0.0.1, in a directory of its own,
/// without persistence. It ends with this object, or with the test's process, however that ends.
///
/// Thread-compatible.
class RedisServer {
 public:
  static bool IsInstalled();

  /// With these options besides, such as {"--maxmemory", "1mb"}. Answers calls when it returns;
  /// fails the test, and ends it, if it does not come to that.
  explicit RedisServer(std::vector<std::string> options = {});
  ~RedisServer();
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  /// "127.0.0.1:port".
  const std::string& name() const { return name_; }

  /// Kills the process, which forgets everything.
  void Kill();
  /// After Kill: starts it on the same port.
  void Start();
  /// The process stands still: its connections do, too.
  void Pause();
  void Resume();

  /// What it answers to a command over a connection of its own.
  RedisReply Call(std::vector<std::string> words) const;
  std::string CallForText(std::vector<std::string> words) const;
  std::int64_t CallForInteger(std::vector<std::string> words) const;

 private:
  bool TryStart();

  const std::vector<std::string> options_;
  std::string directory_;
  int port_ = 0;
  std::string name_;
  pid_t pid_ = -1;
};

}  // namespace adapters::test

#endif  // NEARBY_TESTS_ADAPTERS_REDIS_SERVER_H_
