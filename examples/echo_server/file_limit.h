#ifndef EXAMPLES_ECHO_SERVER_FILE_LIMIT_H_
#define EXAMPLES_ECHO_SERVER_FILE_LIMIT_H_

namespace echo_server {

/// Lets this process open as many files as the system allows it to: each connection is one, and the
/// customary limit is 1024. Where that fails, it stays as it was.
void RaiseFileLimit();

}  // namespace echo_server

#endif  // EXAMPLES_ECHO_SERVER_FILE_LIMIT_H_
