// The conformance suites of what the adapters implement, on servers of the tests' own.

#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "examples/adapters/redis_location_store.h"
#include "examples/adapters/redis_session_directory.h"
#include "examples/adapters/redis_transport.h"
#include "examples/adapters/sqlite_history_store.h"
#include "gtest/gtest.h"
#include "nearby/testing/conformance_gtest.h"
#include "nearby/testing/history_store_conformance.h"
#include "nearby/testing/location_store_conformance.h"
#include "nearby/testing/session_directory_conformance.h"
#include "nearby/testing/transport_conformance.h"
#include "tests/adapters/redis_server.h"

namespace adapters {
namespace {

using test::RedisServer;

// Time that passes in earnest: long enough for a dozen calls on a busy machine.
constexpr absl::Duration kBrief = absl::Seconds(1);

void Pass(absl::Duration time) { std::this_thread::sleep_for(absl::ToChronoNanoseconds(time)); }

struct TwoServers {
  RedisServer& Named(absl::string_view name) { return name == first.name() ? first : second; }
  void Stall(bool is_stalled) {
    for (RedisServer* const server : {&first, &second}) {
      is_stalled ? server->Pause() : server->Resume();
    }
  }

  RedisServer first;
  RedisServer second;
};

nearby::TransportUnderTest MakeTransport() {
  nearby::TransportUnderTest test;
  const auto servers = std::make_shared<TwoServers>();
  test.keeps = servers;
  test.adapter = std::make_unique<RedisTransport>();
  test.other = std::make_unique<RedisTransport>();
  test.first_server = servers->first.name();
  test.second_server = servers->second.name();
  test.take_down = [servers](absl::string_view name) { servers->Named(name).Kill(); };
  test.bring_up = [servers](absl::string_view name) { servers->Named(name).Start(); };
  test.stall_server = [servers](absl::string_view name, bool is_stalled) {
    RedisServer& server = servers->Named(name);
    is_stalled ? server.Pause() : server.Resume();
  };
  test.stall = [servers](bool is_stalled) { servers->Stall(is_stalled); };
  return test;
}

nearby::LocationStoreUnderTest MakeLocationStore() {
  nearby::LocationStoreUnderTest test;
  const auto servers = std::make_shared<TwoServers>();
  test.keeps = servers;
  test.adapter =
      RedisLocationStore::Create({servers->first.name(), servers->second.name()}).value();
  test.stall = [servers](bool is_stalled) { servers->Stall(is_stalled); };
  test.pass = Pass;
  test.ttl = kBrief;
  return test;
}

nearby::SessionDirectoryUnderTest MakeSessionDirectory() {
  nearby::SessionDirectoryUnderTest test;
  const auto server = std::make_shared<RedisServer>();
  test.keeps = server;
  test.adapter = RedisSessionDirectory::Create(server->name()).value();
  test.stall = [server](bool is_stalled) { is_stalled ? server->Pause() : server->Resume(); };
  test.pass = Pass;
  test.lease = kBrief;
  return test;
}

// A file that goes with whoever holds this.
std::shared_ptr<std::string> MakePath() {
  static std::atomic<int> number{0};
  auto* const path = new std::string(
      absl::StrCat(::testing::TempDir(), "/history_conformance_", getpid(), "_", ++number));
  return {path, [](std::string* held) {
            for (const char* const suffix : {"", "-wal", "-shm"}) {
              std::remove((*held + suffix).c_str());
            }
            delete held;
          }};
}

nearby::HistoryStoreUnderTest MakeHistoryStore() {
  nearby::HistoryStoreUnderTest test;
  const std::shared_ptr<std::string> path = MakePath();
  test.keeps = path;
  test.adapter = SqliteHistoryStore::Open(*path).value();
  return test;
}

bool RegisterAll() {
  nearby::RegisterConformance("SqliteHistoryStore",
                              nearby::HistoryStoreConformance(MakeHistoryStore));
  if (!RedisServer::IsInstalled()) return false;
  nearby::RegisterConformance("RedisTransport", nearby::TransportConformance(MakeTransport));
  nearby::RegisterConformance("RedisLocationStore",
                              nearby::LocationStoreConformance(MakeLocationStore));
  nearby::RegisterConformance("RedisSessionDirectory",
                              nearby::SessionDirectoryConformance(MakeSessionDirectory));
  return true;
}

const bool kHasRedis = RegisterAll();

TEST(AdaptersConformanceTest, HasARedisServer) {
  if (!kHasRedis) GTEST_SKIP() << "redis-server is not installed";
}

}  // namespace
}  // namespace adapters
