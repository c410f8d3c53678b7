#include "examples/echo_server/flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace echo_server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Error(const std::vector<const char*>& arguments) {
  const absl::StatusOr<Flags> flags = ParseFlags(arguments);
  EXPECT_TRUE(absl::IsInvalidArgument(flags.status())) << flags.status();
  return std::string(flags.status().message());
}

TEST(EchoServerFlags, HasTheDefaultsThatHelpNames) {
  const Flags flags = ParseFlags({}).value();
  EXPECT_EQ(flags.command, Flags::Command::kServe);
  EXPECT_EQ(flags.server.address, "127.0.0.1");
  EXPECT_EQ(flags.server.port, 8080);
  EXPECT_EQ(flags.server.max_connections, 10'000u);
  EXPECT_EQ(flags.server.session.calls.per_second, 20);
  EXPECT_EQ(flags.server.session.calls.burst, 100);
  EXPECT_EQ(flags.server.connection.max_message_bytes, 4096u);
  EXPECT_EQ(flags.server.connection.send_buffer_bytes, 32768);
  EXPECT_EQ(flags.server.connection.request_timeout, absl::Seconds(10));
  EXPECT_EQ(flags.server.session.init_timeout, absl::Seconds(30));
  EXPECT_EQ(flags.server.connection.idle_timeout, absl::Seconds(60));
  EXPECT_EQ(flags.server.drain_timeout, absl::Seconds(30));
  EXPECT_EQ(flags.server.runtime.drain_clients_per_second, 1000);
  EXPECT_EQ(flags.server.runtime.drain_spread, absl::Seconds(5));
  EXPECT_EQ(flags.server.runtime.engine.radius_m, 8046.72);
  EXPECT_EQ(flags.server.runtime.engine.ttl, absl::Minutes(10));
  EXPECT_FALSE(flags.insecure);
}

TEST(EchoServerFlags, TakesEveryFlag) {
  const absl::StatusOr<Flags> flags = ParseFlags({"--listen",
                                                  "127.0.0.2:0",
                                                  "--threads=3",
                                                  "--db",
                                                  "d",
                                                  "--secret-file=s",
                                                  "--insecure",
                                                  "--radius-m",
                                                  "1000",
                                                  "--ttl-s=0.5",
                                                  "--max-connections",
                                                  "7",
                                                  "--calls-per-second=0.5",
                                                  "--call-burst",
                                                  "2",
                                                  "--max-message-bytes=128",
                                                  "--send-buffer-bytes",
                                                  "0",
                                                  "--request-timeout=1",
                                                  "--init-timeout",
                                                  "2",
                                                  "--idle-timeout=3",
                                                  "--drain-timeout",
                                                  "4",
                                                  "--drain-rate=5",
                                                  "--drain-spread",
                                                  "6"});
  ASSERT_TRUE(flags.ok()) << flags.status();
  EXPECT_EQ(flags->server.address, "127.0.0.2");
  EXPECT_EQ(flags->server.port, 0);
  EXPECT_EQ(flags->threads, 3u);
  EXPECT_EQ(flags->db, "d");
  EXPECT_EQ(flags->secret_file, "s");
  EXPECT_TRUE(flags->insecure);
  EXPECT_EQ(flags->server.runtime.engine.radius_m, 1000);
  EXPECT_EQ(flags->server.runtime.engine.ttl, absl::Milliseconds(500));
  EXPECT_EQ(flags->server.max_connections, 7u);
  EXPECT_EQ(flags->server.session.calls.per_second, 0.5);
  EXPECT_EQ(flags->server.session.calls.burst, 2);
  EXPECT_EQ(flags->server.connection.max_message_bytes, 128u);
  EXPECT_EQ(flags->server.connection.send_buffer_bytes, 0);
  EXPECT_EQ(flags->server.connection.request_timeout, absl::Seconds(1));
  EXPECT_EQ(flags->server.session.init_timeout, absl::Seconds(2));
  EXPECT_EQ(flags->server.connection.idle_timeout, absl::Seconds(3));
  EXPECT_EQ(flags->server.drain_timeout, absl::Seconds(4));
  EXPECT_EQ(flags->server.runtime.drain_clients_per_second, 5);
  EXPECT_EQ(flags->server.runtime.drain_spread, absl::Seconds(6));
}

TEST(EchoServerFlags, IsANodeOfSeveral) {
  EXPECT_FALSE(ParseFlags({"--db", "d"})->cluster.has_value());
  const absl::StatusOr<Flags> flags =
      ParseFlags({"--db", "d", "--node", "18446744073709551615", "--redis-ring=ring",
                  "--redis-directory", "10.0.0.1:6379", "--redis-locations",
                  "10.0.0.2:6379,10.0.0.3:6379", "--lease-s=5", "--report-interval-s", "2"});
  ASSERT_TRUE(flags.ok()) << flags.status();
  ASSERT_TRUE(flags->cluster.has_value());
  EXPECT_EQ(ToInt(flags->cluster->cluster.node), 18446744073709551615u);
  EXPECT_EQ(flags->cluster->ring_file, "ring");
  EXPECT_EQ(flags->cluster->directory, "10.0.0.1:6379");
  EXPECT_THAT(flags->cluster->locations, ElementsAre("10.0.0.2:6379", "10.0.0.3:6379"));
  EXPECT_EQ(flags->cluster->cluster.lease_duration, absl::Seconds(5));
  EXPECT_EQ(flags->cluster->cluster.lease_margin, absl::Seconds(1));
  EXPECT_EQ(flags->cluster->cluster.probe_interval, absl::Seconds(3));
  EXPECT_EQ(flags->cluster->cluster.ring_settle, absl::Seconds(4));
}

TEST(EchoServerFlags, SaysWhatANodeOfSeveralLacks) {
  EXPECT_THAT(Error({"--node", "1"}), HasSubstr("go together"));
  EXPECT_THAT(Error({"--lease-s", "1"}), HasSubstr("go together"));
  EXPECT_THAT(Error({"--node", "1", "--redis-ring", "r", "--redis-directory", "h:1",
                     "--redis-locations", "h:1"}),
              HasSubstr("takes --db"));
  EXPECT_THAT(Error({"--node", "x"}), HasSubstr("64-bit"));
  EXPECT_THAT(Error({"--redis-locations", ","}), HasSubstr("HOST:PORT"));
}

TEST(EchoServerFlags, Imports) {
  const Flags flags = ParseFlags({"import", "--friends", "-", "--db=d"}).value();
  EXPECT_EQ(flags.command, Flags::Command::kImport);
  EXPECT_EQ(flags.friends, "-");
  EXPECT_EQ(flags.db, "d");
  EXPECT_THAT(Error({"import", "--db", "d"}), HasSubstr("are required"));
  EXPECT_THAT(Error({"import", "--node", "1"}), HasSubstr("no such flag"));
}

TEST(EchoServerFlags, ListensOnIpv6) {
  const Flags flags = ParseFlags({"--listen=[::1]:443", "--insecure"}).value();
  EXPECT_EQ(flags.server.address, "::1");
  EXPECT_EQ(flags.server.port, 443);
}

TEST(EchoServerFlags, IsInsecureOnLoopbackAlone) {
  EXPECT_THAT(Error({"--insecure", "--listen", "0.0.0.0:80"}), HasSubstr("loopback"));
  EXPECT_THAT(Error({"--insecure", "--listen", "[::]:80"}), HasSubstr("loopback"));
  EXPECT_THAT(Error({"--insecure", "--listen", "192.168.0.1:80"}), HasSubstr("loopback"));
  EXPECT_TRUE(ParseFlags({"--listen", "0.0.0.0:80"}).ok());
}

TEST(EchoServerFlags, SaysWhatIsWrong) {
  EXPECT_THAT(Error({"--frob"}), HasSubstr("no such flag"));
  EXPECT_THAT(Error({"frob"}), HasSubstr("unexpected argument"));
  EXPECT_THAT(Error({"--threads"}), HasSubstr("needs a value"));
  EXPECT_THAT(Error({"--threads", "0"}), HasSubstr("1 to 64"));
  EXPECT_THAT(Error({"--threads", "65"}), HasSubstr("1 to 64"));
  EXPECT_THAT(Error({"--insecure=yes"}), HasSubstr("takes no value"));
  EXPECT_THAT(Error({"--idle-timeout", "0"}), HasSubstr("seconds"));
  EXPECT_THAT(Error({"--idle-timeout", "nan"}), HasSubstr("seconds"));
  EXPECT_THAT(Error({"--radius-m", "-1"}), HasSubstr("not negative"));
  EXPECT_THAT(Error({"--radius-m", "1e9"}), HasSubstr("radius_m"));
  EXPECT_THAT(Error({"--db", "a", "--friends", "b"}), HasSubstr("one place"));
  EXPECT_THAT(Error({"--user", "7"}), HasSubstr("no such flag"));
  for (const char* const listen : {"8080", ":8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
                                   "::1:80", "localhost:80", "[127.0.0.1]:80", "127.0.0.1:-1"}) {
    EXPECT_THAT(Error({"--listen", listen}), HasSubstr("as in 127.0.0.1:8080")) << listen;
  }
}

TEST(EchoServerFlags, MakesTokens) {
  const Flags flags =
      ParseFlags({"token", "--user", "7", "--ttl-s=60", "--admin", "--secret-file", "s"}).value();
  EXPECT_EQ(flags.command, Flags::Command::kToken);
  EXPECT_EQ(flags.user, nearby::UserId{7});
  EXPECT_EQ(flags.token_ttl, absl::Minutes(1));
  EXPECT_TRUE(flags.admin);
  EXPECT_EQ(flags.secret_file, "s");
  EXPECT_EQ(ParseFlags({"token", "--user", "7"})->token_ttl, absl::Hours(1));
  EXPECT_THAT(Error({"token"}), HasSubstr("--user"));
  EXPECT_THAT(Error({"token", "--user", "x"}), HasSubstr("64-bit"));
  EXPECT_THAT(Error({"token", "--user="}), HasSubstr("64-bit"));
  EXPECT_THAT(Error({"token", "--user", "7", "--listen", "127.0.0.1:0"}),
              HasSubstr("no such flag"));
}

TEST(EchoServerFlags, AsksForHelp) {
  EXPECT_EQ(ParseFlags({"--frob", "--help"})->command, Flags::Command::kHelp);
  EXPECT_EQ(ParseFlags({"token", "-h"})->command, Flags::Command::kHelp);
}

}  // namespace
}  // namespace echo_server
