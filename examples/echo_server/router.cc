#include "examples/echo_server/router.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "examples/echo_server/http_errors.h"
#include "examples/echo_server/prometheus_text.h"

namespace echo_server {
namespace {

using nearby::UserId;

constexpr char kWebSocketPath[] = "/ws";

bool IsGet(const HttpRequest& request) {
  return request.method == "GET" || request.method == "HEAD";
}
bool IsPutOrDelete(const HttpRequest& request) {
  return request.method == "PUT" || request.method == "DELETE";
}

}  // namespace

bool Router::IsWebSocketPath(absl::string_view target) {
  return target.substr(0, target.find('?')) == kWebSocketPath;
}

absl::StatusOr<Identity> Router::AdmitWebSocket(const HttpRequest& request) {
  const absl::Status origin = parts_.authenticator->CheckOrigin(request.origin);
  if (!origin.ok()) return origin;
  if (parts_.is_draining->load()) return absl::UnavailableError("the server is going away");
  const absl::StatusOr<HttpTarget> target = ParseTarget(request.target);
  if (!target.ok()) return target.status();
  return parts_.authenticator->Identify(request.authorization, *target, parts_.clock->Now());
}

void Router::Handle(const HttpRequest& request, Done done) {
  const absl::Status origin = parts_.authenticator->CheckOrigin(request.origin);
  if (!origin.ok()) return done(Error(origin));
  const absl::StatusOr<HttpTarget> target = ParseTarget(request.target);
  if (!target.ok()) return done(Error(target.status()));
  const std::vector<std::string>& path = target->segments;
  if (path.size() >= 4 && path[0] == "v1" && path[1] == "users") {
    return HandleUser(request, *target, std::move(done));
  }
  if (path.size() != 1) return done(NotFound());
  if (path[0] == "healthz") return done(IsGet(request) ? Health() : NotAllowed("GET, HEAD"));
  if (path[0] == "metrics") {
    if (!IsGet(request)) return done(NotAllowed("GET, HEAD"));
    return done({200, kPrometheusType, parts_.metrics->Render(), {}});
  }
  if (path[0] == "ws") {
    // A WebSocket is opened before a request comes here.
    if (!IsGet(request)) return done(NotAllowed("GET"));
    HttpResponse response =
        Error(426, absl::FailedPreconditionError("this is where WebSockets are opened"));
    response.headers.emplace_back("Upgrade", "websocket");
    return done(std::move(response));
  }
  done(NotFound());
}

void Router::HandleUser(const HttpRequest& request, const HttpTarget& target, Done done) {
  const std::vector<std::string>& path = target.segments;
  const bool is_nearby = path.size() == 4 && path[3] == "nearby";
  const bool is_friends = path.size() == 5 && path[3] == "friends";
  const bool is_hidden = path.size() == 5 && path[3] == "hidden";
  if (!is_nearby && !is_friends && !is_hidden) return done(NotFound());
  if (is_nearby && !IsGet(request)) return done(NotAllowed("GET, HEAD"));
  if (!is_nearby && !IsPutOrDelete(request)) return done(NotAllowed("PUT, DELETE"));

  const absl::StatusOr<UserId> user = ParseUser(path[2]);
  if (!user.ok()) return done(Error(user.status()));
  const absl::StatusOr<Identity> caller =
      parts_.authenticator->Authorize(request.authorization, *user, parts_.clock->Now());
  if (!caller.ok()) return done(Error(caller.status()));
  if (!caller->is_admin) {
    const absl::Duration wait = parts_.requests->Take(caller->user, parts_.clock->Now());
    if (wait > absl::ZeroDuration()) return done(TooManyRequests(wait));
  }
  if (is_nearby) return api_.Nearby(*user, target, std::move(done));

  const absl::StatusOr<UserId> other = ParseUser(path[4]);
  if (!other.ok()) return done(Error(other.status()));
  if (is_friends) return HandleFriend(request, *caller, *user, *other, std::move(done));
  api_.SetHidden(*user, *other, request.method == "PUT", std::move(done));
}

void Router::HandleFriend(const HttpRequest& request, const Identity& caller, UserId user,
                          UserId other, Done done) {
  if (request.method == "DELETE") return api_.EndFriendship(user, other, std::move(done));
  if (caller.is_admin) return api_.MakeFriends(user, other, std::move(done));
  api_.RequestFriend(user, other, std::move(done));
}

HttpResponse Router::Health() {
  if (parts_.is_draining->load()) return {503, "text/plain", "draining", {}};
  // One whose lease is overdue serves whom it has, and the others may be no better off.
  const bool is_ready =
      parts_.cluster == nullptr || parts_.cluster->health() != nearby::NodeHealth::kUnready;
  return {is_ready ? 200 : 503, "text/plain", is_ready ? "ok" : "no lease", {}};
}

HttpResponse Router::NotFound() { return Error(absl::NotFoundError("there is nothing here")); }

HttpResponse Router::NotAllowed(const char* allowed) {
  HttpResponse response =
      Error(405, absl::UnimplementedError(absl::StrCat("the methods here are: ", allowed)));
  response.headers.emplace_back("Allow", allowed);
  return response;
}

HttpResponse Router::TooManyRequests(absl::Duration wait) {
  return ErrorResponse(&parts_.api.codec->encoder, 429,
                       absl::ResourceExhaustedError("too many requests"), wait);
}

HttpResponse Router::Error(const absl::Status& status) {
  return ErrorResponse(&parts_.api.codec->encoder, status);
}

HttpResponse Router::Error(int http_status, const absl::Status& status) {
  return ErrorResponse(&parts_.api.codec->encoder, http_status, status);
}

}  // namespace echo_server
