#ifndef EXAMPLES_REPLAY_FRIENDS_READER_H_
#define EXAMPLES_REPLAY_FRIENDS_READER_H_

#include <string>

#include "absl/status/status.h"
#include "nearby/friend_graph.h"

namespace replay {

/// Adds the friendships of a file to the graph: two users a line, in either direction or in both,
/// as often as one likes; a user with themselves is passed over. "-" is standard input.
///
/// All errors are `InvalidArgument` in the form "file:line: reason". The graph may then hold some
/// of the friendships.
absl::Status ReadFriends(const std::string& path, nearby::FriendGraph* graph);

}  // namespace replay

#endif  // EXAMPLES_REPLAY_FRIENDS_READER_H_
