#ifndef EXAMPLES_ECHO_SERVER_USER_API_H_
#define EXAMPLES_ECHO_SERVER_USER_API_H_

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "examples/echo_server/codec.h"
#include "examples/echo_server/friend_requests.h"
#include "examples/echo_server/http_message.h"
#include "examples/echo_server/http_target.h"
#include "examples/echo_server/task_queue.h"
#include "nearby/friend_store.h"
#include "nearby/friendship.h"
#include "nearby/ids.h"
#include "nearby/runtime.h"

namespace echo_server {

/// What a user may do over HTTP. Who calls has been found out before.
///
/// Thread-compatible: for one event loop. Completions come on the loop, once each; after the loop
/// has been stopped they are destroyed uncalled.
/// Ownership: borrows everything; all of it outlives the last task of the loop.
class UserApi {
 public:
  using Done = absl::AnyInvocable<void(HttpResponse)>;

  struct Parts {
    nearby::Runtime* runtime = nullptr;
    nearby::FriendStore* friends = nullptr;
    FriendRequests* requests = nullptr;
    Codec* codec = nullptr;
    TaskQueue* loop = nullptr;
  };

  explicit UserApi(const Parts& parts) : parts_(parts) {}

  /// `user` wants to be friends with `other`: 202 and "requested" until the other side wants it as
  /// well, then 200 and "friends". 409 while the two are becoming friends.
  void RequestFriend(nearby::UserId user, nearby::UserId other, Done done);
  /// Makes the two friends without asking either: 200 and "friends".
  void MakeFriends(nearby::UserId user, nearby::UserId other, Done done);
  /// Ends the friendship, and withdraws or turns down what was asked: 204. 409, and nothing has
  /// changed, while the two are becoming friends.
  void EndFriendship(nearby::UserId user, nearby::UserId other, Done done);

  /// Hide, Share: 204 once nothing about the user goes to the viewer any more, or may again.
  void SetHidden(nearby::UserId user, nearby::UserId viewer, bool is_hidden, Done done);

  /// A page of the friends whom `user` sees: what a WebSocket would get as JSON, from the
  /// parameters `page_size` and `page_token`. 404 if the user is not connected here.
  void Nearby(nearby::UserId user, const HttpTarget& target, Done done);

 private:
  // A completion of the runtime or the store that goes on here, on the loop.
  template <typename Result, typename Next>
  auto OnLoop(Done done, Next next);
  // Makes two friends who have asked each other.
  void Befriend(nearby::UserId user, nearby::UserId other, Done done);
  void Edit(nearby::FriendEdit::Kind kind, nearby::UserId user, nearby::UserId other,
            HttpResponse if_ok, Done done);
  HttpResponse Error(const absl::Status& status);

  const Parts parts_;
};

}  // namespace echo_server

#endif  // EXAMPLES_ECHO_SERVER_USER_API_H_
