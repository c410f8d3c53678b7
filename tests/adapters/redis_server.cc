#include "tests/adapters/redis_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "examples/adapters/redis_client.h"
#include "examples/adapters/redis_command.h"
#include "gtest/gtest.h"
#include "tests/host/patience.h"

namespace adapters::test {
namespace {

constexpr char kProgram[] = "redis-server";

// Others may take it before the server does: then the server does not start, and another is tried.
int FreePort() {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (bind(descriptor, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    std::abort();
  }
  close(descriptor);
  return ntohs(address.sin_port);
}

absl::StatusOr<RedisReply> TryCall(const std::string& name, const std::vector<std::string>& words) {
  RedisCommand command(words.size());
  for (const std::string& word : words) command.Add(word);
  std::promise<absl::StatusOr<RedisReply>> reply;
  RedisClient client(RedisAddress::Parse(name).value(), {});
  client.Call(command.Take(),
              [&reply](absl::StatusOr<RedisReply> answer) { reply.set_value(std::move(answer)); });
  return reply.get_future().get();
}

}  // namespace

bool RedisServer::IsInstalled() {
  const char* const path = std::getenv("PATH");
  if (path == nullptr) return false;
  for (const absl::string_view directory : absl::StrSplit(path, ':')) {
    if (access(absl::StrCat(directory, "/", kProgram).c_str(), X_OK) == 0) return true;
  }
  return false;
}

RedisServer::RedisServer(std::vector<std::string> options) : options_(std::move(options)) {
  std::string pattern = ::testing::TempDir() + "/nearby_redis_XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) std::abort();
  directory_ = pattern;
  for (int attempt = 0; attempt < 10; ++attempt) {
    port_ = FreePort();
    name_ = absl::StrCat("127.0.0.1:", port_);
    if (TryStart()) return;
  }
  ADD_FAILURE() << kProgram << " does not start";
  std::abort();
}

RedisServer::~RedisServer() {
  Kill();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void RedisServer::Start() {
  // Its port may be somebody's for a moment: that of a connection on its way out.
  if (!nearby::test::Eventually([this] { return TryStart(); })) std::abort();
}

bool RedisServer::TryStart() {
  std::vector<std::string> words = {
      kProgram, "--bind",     "127.0.0.1",    "--port", absl::StrCat(port_), "--dir", directory_,
      "--save", "",           "--appendonly", "no",     "--daemonize",       "no",    "--logfile",
      "log",    "--loglevel", "warning"};
  words.insert(words.end(), options_.begin(), options_.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execvp(kProgram, arguments.data());
    _exit(127);
  }
  bool is_up = false;
  const bool is_known = nearby::test::Eventually([&] {
    if (waitpid(pid_, nullptr, WNOHANG) == pid_) {
      pid_ = -1;
      return true;
    }
    // Only this process's own server knows this directory.
    const absl::StatusOr<RedisReply> reply = TryCall(name_, {"CONFIG", "GET", "dir"});
    is_up = reply.ok() && reply->value().size() == 2 &&
            std::filesystem::path(std::string(reply->value()[1].text())).filename() ==
                std::filesystem::path(directory_).filename();
    return is_up;
  });
  return is_known && is_up;
}

void RedisServer::Kill() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void RedisServer::Pause() { kill(pid_, SIGSTOP); }
void RedisServer::Resume() { kill(pid_, SIGCONT); }

RedisReply RedisServer::Call(std::vector<std::string> words) const {
  return TryCall(name_, words).value();
}

std::string RedisServer::CallForText(std::vector<std::string> words) const {
  return std::string(Call(std::move(words)).value().text());
}

std::int64_t RedisServer::CallForInteger(std::vector<std::string> words) const {
  return Call(std::move(words)).value().integer().value();
}

}  // namespace adapters::test
