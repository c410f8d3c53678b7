#ifndef EXAMPLES_ECHO_SERVER_HTTP_ERRORS_H_
#define EXAMPLES_ECHO_SERVER_HTTP_ERRORS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "examples/echo_server/http_message.h"
#include "nearby/server_codec.h"

namespace echo_server {

/// The media type of what the codec writes as JSON.
inline constexpr char kJsonType[] = "application/json";

/// The HTTP status that says what an error status says.
int ToHttpStatus(absl::StatusCode code);

/// An error, in the one form that all of them have, over HTTP and in text frames:
/// {"error": {"code": "NOT_FOUND", "message": "..."}}.
HttpResponse ErrorResponse(nearby::ServerEncoder* encoder, const absl::Status& status);

/// The same with an HTTP status that the code alone does not give. With 429 and 503 it says when to
/// try again.
HttpResponse ErrorResponse(nearby::ServerEncoder* encoder, int http_status,
                           const absl::Status& status,
                           absl::Duration retry_after = absl::Seconds(1));

}  // namespace echo_server

#endif  // EXAMPLES_ECHO_SERVER_HTTP_ERRORS_H_
