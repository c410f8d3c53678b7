#ifndef EXAMPLES_ECHO_SERVER_HTTP_MESSAGE_H_
#define EXAMPLES_ECHO_SERVER_HTTP_MESSAGE_H_

#include <string>
#include <utility>
#include <vector>

namespace echo_server {

/// What the router needs of a request. Plain data.
struct HttpRequest {
  std::string method;         ///< "GET"; as it came.
  std::string target;         ///< "/v1/users/7/nearby?page_size=20"; as it came.
  std::string authorization;  ///< The header's value; empty if absent.
  std::string origin{};       ///< Likewise.
};

/// A whole response but for what every response bears. Plain data.
struct HttpResponse {
  int status = 200;
  std::string content_type;  ///< Empty: no body.
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

}  // namespace echo_server

#endif  // EXAMPLES_ECHO_SERVER_HTTP_MESSAGE_H_
