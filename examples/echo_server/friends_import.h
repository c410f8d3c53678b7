#ifndef EXAMPLES_ECHO_SERVER_FRIENDS_IMPORT_H_
#define EXAMPLES_ECHO_SERVER_FRIENDS_IMPORT_H_

#include <string>

#include "absl/status/status.h"

namespace echo_server {

/// Adds the friendships of a file (replay::ReadFriends) to a SQLite file, which is made if it is
/// not there, in one transaction: all or none. Servers that use it may run meanwhile, but learn of
/// it only when users connect.
absl::Status ImportFriends(const std::string& friends, const std::string& db);

}  // namespace echo_server

#endif  // EXAMPLES_ECHO_SERVER_FRIENDS_IMPORT_H_
