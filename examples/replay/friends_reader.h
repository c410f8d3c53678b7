#ifndef EXAMPLES_REPLAY_FRIENDS_READER_H_
#define EXAMPLES_REPLAY_FRIENDS_READER_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "nearby/friend_graph.h"
#include "nearby/ids.h"

namespace replay {

/// Hands over the friendships of a file: two users a line, in either direction or in both, as often
/// as one likes; a user with themselves is passed over. "-" is standard input.
///
/// All errors, those of `add` among them, are `InvalidArgument` in the form "file:line: reason";
/// some of the friendships may have been handed over by then.
absl::Status ReadFriends(const std::string& path,
                         absl::FunctionRef<absl::Status(nearby::UserId, nearby::UserId)> add);

/// The same, added to the graph.
absl::Status ReadFriends(const std::string& path, nearby::FriendGraph* graph);

}  // namespace replay

#endif  // EXAMPLES_REPLAY_FRIENDS_READER_H_
