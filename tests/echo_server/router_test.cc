#include "examples/echo_server/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "examples/echo_server/http_errors.h"
#include "examples/echo_server/token.h"
#include "nearby/cluster.h"
#include "nearby/in_memory_location_store.h"
#include "nearby/in_memory_ring_source.h"
#include "nearby/in_memory_session_directory.h"
#include "nearby/in_memory_transport.h"
#include "nearby/runtime.h"
#include "nearby/testing/recording_client_sink.h"
#include "tests/echo_server/echo_world.h"

namespace echo_server {
namespace {

using nearby::FriendEdit;
using nearby::LatLng;
using nearby::UserId;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;
using ::testing::StartsWith;

constexpr char kSecret[] = "0123456789abcdef0123456789abcdef";
constexpr LatLng kHere{48.137, 11.575};

class RouterTest : public ::testing::Test {
 protected:
  Router MakeRouter(const Authenticator* authenticator) {
    Router::Parts parts;
    parts.api = {world_.runtime.get(), &world_.store, &requests_, &world_.codec, &world_.loop};
    parts.authenticator = authenticator;
    parts.metrics = &metrics_;
    parts.requests = &request_limit_;
    parts.clock = &world_.clock;
    parts.is_draining = &world_.is_draining;
    parts.cluster = cluster_;
    return Router(parts);
  }

  static std::string Token(std::uint64_t user, bool is_admin = false) {
    return TokenKey::Create(kSecret)->Sign({UserId{user}, 1'800'000'000, is_admin});
  }

  // As the bearer of a token; of none if it is empty.
  HttpResponse Ask(const std::string& method, const std::string& target, const std::string& token) {
    HttpRequest request{method, target, ""};
    if (!token.empty()) request.authorization = absl::StrCat("Bearer ", token);
    return Ask(&router_, request);
  }
  HttpResponse Ask(Router* router, const HttpRequest& request) {
    std::optional<HttpResponse> response;
    router->Handle(request, [&response](HttpResponse answer) {
      EXPECT_FALSE(response.has_value()) << "answered twice";
      response = std::move(answer);
    });
    world_.Settle();
    EXPECT_TRUE(response.has_value()) << "not answered";
    return response.value_or(HttpResponse());
  }

  bool AreFriends(std::uint64_t a, std::uint64_t b) {
    return world_.friends.graph().Get(UserId{a}, UserId{b}).friends;
  }

  EchoWorld world_;
  FriendRequests requests_{FriendRequests::Options()};
  UserRateLimit request_limit_{{{/*per_second=*/0.5, /*burst=*/20}, /*max_users=*/100}};
  ConnectionSlots slots_{10};
  ConnectionSlots requests_under_way_{10};
  MetricsPage metrics_{&world_.stats, &requests_, &slots_, &requests_under_way_};
  const nearby::Cluster* cluster_ = nullptr;
  Authenticator secure_{TokenKey::Create(kSecret).value()};
  Authenticator insecure_ = Authenticator::Insecure();
  Router router_ = MakeRouter(&secure_);
};

TEST_F(RouterTest, BefriendingNeedsBoth) {
  HttpResponse response = Ask("PUT", "/v1/users/1/friends/2", Token(1));
  EXPECT_EQ(response.status, 202);
  EXPECT_EQ(response.body, R"({"state": "requested"})");
  EXPECT_EQ(Ask("PUT", "/v1/users/1/friends/2", Token(1)).status, 202);
  EXPECT_FALSE(AreFriends(1, 2));

  response = Ask("PUT", "/v1/users/2/friends/1", Token(2));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, R"({"state": "friends"})");
  EXPECT_TRUE(AreFriends(1, 2));
  EXPECT_EQ(requests_.size(), 0u);
  EXPECT_EQ(Ask("PUT", "/v1/users/1/friends/2", Token(1)).status, 200);
  EXPECT_EQ(requests_.size(), 0u);
}

TEST_F(RouterTest, AFriendshipThatCouldNotBeMadeIsStillAskedFor) {
  Ask("PUT", "/v1/users/1/friends/2", Token(1));
  world_.store.edits().FailNext(1, absl::UnavailableError("down"));
  const HttpResponse response = Ask("PUT", "/v1/users/2/friends/1", Token(2));
  EXPECT_EQ(response.status, 503);
  EXPECT_THAT(response.headers, Contains(Key("Retry-After")));
  EXPECT_EQ(Ask("PUT", "/v1/users/2/friends/1", Token(2)).status, 200);
}

// A friend store that a befriending takes a while to come to: something else happens first.
class SlowlyBefriendingStore : public nearby::FriendStore {
 public:
  explicit SlowlyBefriendingStore(nearby::FriendStore* store) : store_(store) {}

  void List(UserId user, ListDone done) override { store_->List(user, std::move(done)); }
  void Edit(const FriendEdit& edit, EditDone done) override {
    if (edit.kind == FriendEdit::Kind::kBefriend && meanwhile) std::exchange(meanwhile, nullptr)();
    store_->Edit(edit, std::move(done));
  }

  std::function<void()> meanwhile;

 private:
  nearby::FriendStore* const store_;
};

TEST_F(RouterTest, ARequestThatWasWithdrawnMakesNoFriends) {
  SlowlyBefriendingStore store(&world_.friends);
  nearby::RuntimeHost host;
  host.sink = &world_.connections;
  host.friends = &store;
  host.clock = &world_.clock;
  world_.runtime = nearby::Runtime::Create({}, std::move(host)).value();
  Router first = MakeRouter(&secure_);
  Router second = MakeRouter(&secure_);
  const auto ask = [&](Router* router, const char* method, std::uint64_t user,
                       std::uint64_t other) {
    const std::string target = absl::StrCat("/v1/users/", user, "/friends/", other);
    return Ask(router, {method, target, absl::StrCat("Bearer ", Token(user))}).status;
  };

  EXPECT_EQ(ask(&first, "PUT", 1, 2), 202);
  // In the middle of the other side's consent, on another loop.
  int withdrawal = 0;
  store.meanwhile = [&] { withdrawal = ask(&first, "DELETE", 1, 2); };
  EXPECT_EQ(ask(&second, "PUT", 2, 1), 200);
  EXPECT_EQ(withdrawal, 409) << "204 would promise what is not so: " << AreFriends(1, 2);
  EXPECT_TRUE(AreFriends(1, 2));
  EXPECT_EQ(ask(&first, "DELETE", 1, 2), 204);
  EXPECT_FALSE(AreFriends(1, 2));
  EXPECT_EQ(requests_.size(), 0u);
}

TEST_F(RouterTest, AdminsMakeFriendsAtOnce) {
  EXPECT_EQ(Ask("PUT", "/v1/users/1/friends/2", Token(9, true)).status, 200);
  EXPECT_TRUE(AreFriends(1, 2));
}

TEST_F(RouterTest, EitherSideEndsOrTurnsDown) {
  Ask("PUT", "/v1/users/1/friends/2", Token(1));
  const HttpResponse response = Ask("DELETE", "/v1/users/2/friends/1", Token(2));
  EXPECT_EQ(response.status, 204);
  EXPECT_EQ(response.body, "");
  EXPECT_EQ(Ask("PUT", "/v1/users/2/friends/1", Token(2)).status, 202) << "turned down";
  Ask("PUT", "/v1/users/1/friends/2", Token(1));
  EXPECT_TRUE(AreFriends(1, 2));
  EXPECT_EQ(Ask("DELETE", "/v1/users/2/friends/1", Token(2)).status, 204);
  EXPECT_FALSE(AreFriends(1, 2));
  EXPECT_EQ(Ask("DELETE", "/v1/users/2/friends/1", Token(2)).status, 204) << "again";
}

TEST_F(RouterTest, NobodyActsForAnother) {
  for (const char* const target : {"/v1/users/1/friends/2", "/v1/users/1/hidden/2"}) {
    for (const char* const method : {"PUT", "DELETE"}) {
      EXPECT_EQ(Ask(method, target, Token(2)).status, 403) << method << target;
      EXPECT_EQ(Ask(method, target, "").status, 401) << method << target;
      EXPECT_EQ(Ask(method, target, "v1.a.b").status, 401) << method << target;
    }
  }
  EXPECT_EQ(Ask("GET", "/v1/users/1/nearby", Token(2)).status, 403);
  const HttpResponse response = Ask("GET", "/v1/users/1/nearby", "");
  EXPECT_EQ(response.status, 401);
  EXPECT_THAT(response.headers, Contains(Pair("WWW-Authenticate", "Bearer")));
  EXPECT_THAT(response.body, HasSubstr("UNAUTHENTICATED"));
  EXPECT_EQ(world_.friends.graph().user_count(), 0u);
}

TEST_F(RouterTest, TooManyRequestsOfOneUserAreRefused) {
  const auto hide = [this](std::uint64_t user, const std::string& token) {
    return Ask("PUT", absl::StrCat("/v1/users/", user, "/hidden/9"), token);
  };
  for (int i = 0; i < 20; ++i) EXPECT_EQ(hide(1, Token(1)).status, 204);
  const HttpResponse response = hide(1, Token(1));
  EXPECT_EQ(response.status, 429);
  EXPECT_THAT(response.headers, Contains(Pair("Retry-After", "2")));
  EXPECT_THAT(response.body, HasSubstr("RESOURCE_EXHAUSTED"));
  // On each loop, and whatever they ask for.
  Router other = MakeRouter(&secure_);
  EXPECT_EQ(Ask(&other, {"GET", "/v1/users/1/nearby", "Bearer " + Token(1)}).status, 429);
  // Neither others are concerned, nor admins, nor can others use up what a user has.
  EXPECT_EQ(hide(2, Token(2)).status, 204);
  for (int i = 0; i < 30; ++i) EXPECT_EQ(hide(1, Token(8, true)).status, 204);
  for (int i = 0; i < 30; ++i) EXPECT_EQ(hide(3, Token(2)).status, 403);
  EXPECT_EQ(hide(3, Token(3)).status, 204);
  world_.Pass(absl::Seconds(2));
  EXPECT_EQ(hide(1, Token(1)).status, 204);
}

TEST_F(RouterTest, HidingIsDoneWhenItIsAnswered) {
  world_.Befriend(1, 2);
  Phone one(&world_, {UserId{1}});
  Phone two(&world_, {UserId{2}});
  one.Init(kHere);
  two.Init(kHere);
  one.Hear();
  EXPECT_EQ(Ask("PUT", "/v1/users/2/hidden/1", Token(2)).status, 204);
  const auto update = one.HearOne<nearby::ClientUpdate>();
  ASSERT_EQ(update.events.size(), 1u);
  EXPECT_EQ(update.events[0].reason, nearby::LeaveReason::kOffline);
  EXPECT_EQ(Ask("DELETE", "/v1/users/2/hidden/1", Token(2)).status, 204);
  EXPECT_EQ(one.HearOne<nearby::ClientUpdate>().events[0].kind, nearby::DeliveryKind::kEnter);
}

TEST_F(RouterTest, ListsWhoIsNearby) {
  EXPECT_EQ(Ask("GET", "/v1/users/1/nearby", Token(1)).status, 404) << "not connected";
  world_.Befriend(1, 2);
  world_.Befriend(1, 3);
  Phone one(&world_, {UserId{1}});
  Phone two(&world_, {UserId{2}});
  Phone three(&world_, {UserId{3}});
  for (Phone* const phone : {&one, &two, &three}) phone->Init(kHere);

  HttpResponse response = Ask("GET", "/v1/users/1/nearby?page_size=1", Token(1));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, kJsonType);
  nearby::ServerDecoder decoder;
  const auto first = decoder.Decode(nearby::WireFormat::kJson, response.body).value();
  const auto& page = std::get<nearby::NearbyAnswer>(first.message).page;
  ASSERT_EQ(page.friends.size(), 1u);
  EXPECT_EQ(page.in_sight, 2u);
  ASSERT_TRUE(page.next.has_value());

  // The token as a client finds it in the body.
  const std::size_t begin = response.body.find("nextPageToken") + 16;
  const std::string token = response.body.substr(begin, response.body.find('"', begin) - begin);
  response = Ask("GET", "/v1/users/1/nearby?page_size=1&page_token=" + token, Token(1));
  EXPECT_EQ(response.status, 200) << response.body;
  const auto second = decoder.Decode(nearby::WireFormat::kJson, response.body).value();
  EXPECT_NE(std::get<nearby::NearbyAnswer>(second.message).page.friends[0].friend_id,
            page.friends[0].friend_id);

  for (const char* const query :
       {"page_size=x", "page_size=-1", "page_size=100000", "page_token=%22", "page_token=AAAA",
        "page_token=\\", "page_token=x%22%7D"}) {
    EXPECT_EQ(Ask("GET", absl::StrCat("/v1/users/1/nearby?", query), Token(1)).status, 400)
        << query;
  }
}

TEST_F(RouterTest, SaysWhatIsNotThere) {
  for (const char* const target :
       {"/", "/v1", "/v1/users", "/v1/users/1", "/v1/users/1/friends", "/v1/users/1/friends/2/3",
        "/v1/users/1/frobs/2", "/v2/users/1/friends/2", "/healthz/", "/metrics/x"}) {
    const HttpResponse response = Ask("GET", target, Token(1));
    EXPECT_EQ(response.status, 404) << target;
    EXPECT_THAT(response.body, HasSubstr("NOT_FOUND"));
    EXPECT_THAT(response.body, StartsWith("{\"error\":"));
  }
  EXPECT_EQ(Ask("PUT", "/v1/users/x/friends/2", Token(1)).status, 400);
  EXPECT_EQ(Ask("PUT", "/v1/users/1/friends/x", Token(1)).status, 400);
  EXPECT_EQ(Ask("PUT", "/v1/users/1/friends/1", Token(1)).status, 400);
  EXPECT_EQ(Ask("PUT", "/v1/users/1/hidden/1", Token(1)).status, 400);
  EXPECT_EQ(Ask("GET", "/%", Token(1)).status, 400);
}

TEST_F(RouterTest, SaysWhichMethodsThereAre) {
  const std::pair<const char*, const char*> targets[] = {
      {"/healthz", "GET, HEAD"},
      {"/metrics", "GET, HEAD"},
      {"/ws", "GET"},
      {"/v1/users/1/nearby", "GET, HEAD"},
      {"/v1/users/1/friends/2", "PUT, DELETE"},
      {"/v1/users/1/hidden/2", "PUT, DELETE"},
  };
  for (const auto& [target, allowed] : targets) {
    const HttpResponse response = Ask("POST", target, Token(1));
    EXPECT_EQ(response.status, 405) << target;
    EXPECT_THAT(response.headers, Contains(Pair("Allow", allowed))) << target;
  }
  EXPECT_EQ(Ask("GET", "/ws", Token(1)).status, 426);
}

TEST_F(RouterTest, TellsWhetherItIsHealthy) {
  HttpResponse response = Ask("GET", "/healthz", "");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "ok");
  world_.is_draining = true;
  response = Ask("GET", "/healthz", "");
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.body, "draining");
  EXPECT_THAT(Ask("GET", "/metrics", "").body, HasSubstr("nearby_server_websockets 0"));
}

TEST_F(RouterTest, ANodeAmongOthersIsHealthyWhileItHasALease) {
  nearby::InMemoryBroker broker;
  nearby::InMemoryTransport transport(&broker);
  nearby::InMemoryRingSource ring;
  nearby::InMemorySessionDirectory directory(&world_.clock);
  nearby::InMemoryLocationStore locations(&world_.clock);
  const auto cluster =
      nearby::Cluster::Create({}, {&transport, &ring, &directory, &locations}).value();
  cluster_ = cluster.get();
  Router router = MakeRouter(&secure_);
  HttpResponse response = Ask(&router, {"GET", "/healthz", ""});
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.body, "no lease");

  nearby::RecordingClientSink sink;
  nearby::RuntimeHost host{&sink, &world_.store, &world_.clock};
  host.locations = &locations;
  host.cluster = cluster.get();
  const auto runtime = nearby::Runtime::Create({}, std::move(host)).value();
  runtime->PollAll();
  response = Ask(&router, {"GET", "/healthz", ""});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "ok");
  world_.clock.Advance(nearby::ClusterOptions().lease_duration / 2);
  EXPECT_EQ(Ask(&router, {"GET", "/healthz", ""}).status, 200) << "overdue: it serves whom it has";
  world_.clock.Advance(nearby::ClusterOptions().lease_duration / 2);
  EXPECT_EQ(Ask(&router, {"GET", "/healthz", ""}).status, 503);
}

TEST_F(RouterTest, AdmitsWebSockets) {
  const auto admit = [this](const std::string& target, const std::string& authorization) {
    return router_.AdmitWebSocket({"GET", target, authorization});
  };
  EXPECT_TRUE(Router::IsWebSocketPath("/ws"));
  EXPECT_TRUE(Router::IsWebSocketPath("/ws?token=a"));
  EXPECT_FALSE(Router::IsWebSocketPath("/wsx"));
  EXPECT_FALSE(Router::IsWebSocketPath("/ws/"));
  EXPECT_EQ(admit("/ws?token=" + Token(7), "")->user, UserId{7});
  EXPECT_EQ(admit("/ws", "Bearer " + Token(7))->user, UserId{7});
  EXPECT_TRUE(absl::IsUnauthenticated(admit("/ws?user=7", "").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(admit("/ws?%", "").status()));
  world_.is_draining = true;
  EXPECT_TRUE(absl::IsUnavailable(admit("/ws", "Bearer " + Token(7)).status()));
}

TEST_F(RouterTest, InsecurelyEverybodyIsWhomTheySayTheyAre) {
  Router router = MakeRouter(&insecure_);
  EXPECT_EQ(Ask(&router, {"PUT", "/v1/users/1/friends/2", ""}).status, 202) << "not an admin";
  EXPECT_EQ(Ask(&router, {"PUT", "/v1/users/2/friends/1", ""}).status, 200);
  EXPECT_EQ(router.AdmitWebSocket({"GET", "/ws?user=7", ""})->user, UserId{7});
}

TEST_F(RouterTest, InsecurelyPagesOfOtherHostsAreRefused) {
  Router router = MakeRouter(&insecure_);
  for (const char* const target : {"/v1/users/1/friends/2", "/healthz", "/ws?user=7"}) {
    const HttpResponse response = Ask(&router, {"PUT", target, "", "https://example.com"});
    EXPECT_EQ(response.status, 403) << target;
    EXPECT_THAT(response.body, HasSubstr("PERMISSION_DENIED"));
  }
  EXPECT_TRUE(absl::IsPermissionDenied(
      router.AdmitWebSocket({"GET", "/ws?user=7", "", "https://example.com"}).status()));
  EXPECT_TRUE(router.AdmitWebSocket({"GET", "/ws?user=7", "", "http://localhost:80"}).ok());
  EXPECT_EQ(Ask(&router, {"PUT", "/v1/users/1/friends/2", "", "http://127.0.0.1"}).status, 202);
  EXPECT_EQ(Ask(&router_, {"GET", "/healthz", "", "https://example.com"}).status, 200);
}

TEST_F(RouterTest, SaysNothingOfWhatWentWrongInside) {
  world_.store.edits().FailNext(1, absl::InternalError("disk /dev/sda1 is on fire"));
  const HttpResponse response = Ask("PUT", "/v1/users/1/hidden/2", Token(1));
  EXPECT_EQ(response.status, 500);
  EXPECT_THAT(response.body, Not(HasSubstr("sda1")));
  EXPECT_THAT(response.body, HasSubstr("INTERNAL"));
}

}  // namespace
}  // namespace echo_server
