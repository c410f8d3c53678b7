#include "examples/echo_server/user_api.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "examples/echo_server/http_errors.h"
#include "nearby/client_codec.h"
#include "nearby/server_codec.h"
#include "nearby/wire_format.h"

namespace echo_server {
namespace {

using nearby::FriendEdit;
using nearby::FriendEntry;
using nearby::FriendList;
using nearby::NearbyFriend;
using nearby::NearbyPage;
using nearby::UserId;
using nearby::WireFormat;

HttpResponse Friends() { return {200, kJsonType, R"({"state": "friends"})", {}}; }
HttpResponse Requested() { return {202, kJsonType, R"({"state": "requested"})", {}}; }
HttpResponse NoContent() { return {204, "", "", {}}; }

bool Lists(const FriendList& list, UserId user) {
  return std::any_of(list.friends.begin(), list.friends.end(),
                     [user](const FriendEntry& entry) { return entry.friend_id == user; });
}

// The parameters as the JSON of the call that a WebSocket would carry, so that both are read alike.
absl::StatusOr<std::string> NearbyCallJson(const HttpTarget& target) {
  std::string fields;
  if (const std::string* const text = target.Find("page_size")) {
    std::uint32_t page_size = 0;
    if (!absl::SimpleAtoi(*text, &page_size)) {
      return absl::InvalidArgumentError("page_size is not a number");
    }
    absl::StrAppend(&fields, R"("pageSize": )", page_size, ",");
  }
  const std::string* const token = target.Find("page_token");
  const bool is_base64 = token == nullptr || std::all_of(token->begin(), token->end(), [](char c) {
                           return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                                  absl::string_view("+/-_=").find(c) != absl::string_view::npos;
                         });
  if (!is_base64) return absl::InvalidArgumentError("page_token is none that was given out");
  absl::StrAppend(&fields, R"("pageToken": ")", token != nullptr ? *token : "", R"(")");
  return absl::StrCat(R"({"nearby": {)", fields, "}}");
}

}  // namespace

template <typename Result, typename Next>
auto UserApi::OnLoop(Done done, Next next) {
  // The loop is captured beside `this`, which may be gone when a store completes late; then the
  // loop has been stopped, and the task never runs.
  return [this, loop = parts_.loop, done = std::move(done),
          next = std::move(next)](absl::StatusOr<Result> result) mutable {
    loop->Post([this, done = std::move(done), next = std::move(next),
                result = std::move(result)]() mutable {
      if (!result.ok()) return done(Error(StatusForClient(result.status())));
      next(*result, std::move(done));
    });
  };
}

HttpResponse UserApi::Error(const absl::Status& status) {
  return ErrorResponse(&parts_.codec->encoder, status);
}

void UserApi::Edit(FriendEdit::Kind kind, UserId user, UserId other, HttpResponse if_ok,
                   Done done) {
  parts_.runtime->Edit(
      {kind, user, other},
      OnLoop<std::optional<NearbyFriend>>(
          std::move(done), [response = std::move(if_ok)](const std::optional<NearbyFriend>&,
                                                         Done answer) { answer(response); }));
}

void UserApi::RequestFriend(UserId user, UserId other, Done done) {
  if (user == other) return done(Error(absl::InvalidArgumentError("users befriend others")));
  parts_.friends->List(
      user, OnLoop<FriendList>(std::move(done), [this, user, other](const FriendList& list,
                                                                    Done answer) mutable {
        if (Lists(list, other)) return answer(Friends());
        const absl::StatusOr<FriendRequests::Outcome> outcome = parts_.requests->Add(user, other);
        if (!outcome.ok()) return answer(Error(outcome.status()));
        if (*outcome == FriendRequests::Outcome::kRequested) return answer(Requested());
        Befriend(user, other, std::move(answer));
      }));
}

void UserApi::Befriend(UserId user, UserId other, Done done) {
  Edit(FriendEdit::Kind::kBefriend, user, other, Friends(),
       [this, user, other, done = std::move(done)](HttpResponse response) mutable {
         // What failed may be tried again.
         parts_.requests->Finish(user, other, response.status == 200);
         done(std::move(response));
       });
}

void UserApi::MakeFriends(UserId user, UserId other, Done done) {
  Edit(FriendEdit::Kind::kBefriend, user, other, Friends(),
       [this, user, other, done = std::move(done)](HttpResponse response) mutable {
         // If the two are becoming friends by themselves, that ends their requests as well.
         if (response.status == 200) parts_.requests->Remove(user, other).IgnoreError();
         done(std::move(response));
       });
}

void UserApi::EndFriendship(UserId user, UserId other, Done done) {
  // First, so that the other side's consent, if it is on its way, finds nothing to agree to.
  const absl::Status removed = parts_.requests->Remove(user, other);
  if (!removed.ok()) return done(Error(removed));
  Edit(FriendEdit::Kind::kUnfriend, user, other, NoContent(), std::move(done));
}

void UserApi::SetHidden(UserId user, UserId viewer, bool is_hidden, Done done) {
  Edit(is_hidden ? FriendEdit::Kind::kHide : FriendEdit::Kind::kShare, user, viewer, NoContent(),
       std::move(done));
}

void UserApi::Nearby(UserId user, const HttpTarget& target, Done done) {
  const absl::StatusOr<std::string> json = NearbyCallJson(target);
  if (!json.ok()) return done(Error(json.status()));
  const absl::StatusOr<nearby::ClientCall> call =
      parts_.codec->decoder.Decode(WireFormat::kJson, *json);
  if (!call.ok()) return done(Error(call.status()));
  const auto* const nearby_call = std::get_if<nearby::NearbyCall>(&call->call);
  if (nearby_call == nullptr) return done(Error(absl::InternalError("no nearby call")));
  parts_.runtime->Nearby(
      user, nearby_call->after, nearby_call->page_size,
      OnLoop<NearbyPage>(std::move(done), [this](const NearbyPage& page, Done answer) {
        HttpResponse response{200, kJsonType, "", {}};
        parts_.codec->encoder.EncodeNearbyAnswer(
            WireFormat::kJson, 0, {page.friends, page.in_sight, page.next}, &response.body);
        answer(std::move(response));
      }));
}

}  // namespace echo_server
