#include "examples/echo_server/http_errors.h"

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "nearby/wire_format.h"

namespace echo_server {
namespace {

bool MayRetry(int http_status) { return http_status == 429 || http_status == 503; }

}  // namespace

int ToHttpStatus(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
      return 200;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
      return 400;
    case absl::StatusCode::kUnauthenticated:
      return 401;
    case absl::StatusCode::kPermissionDenied:
      return 403;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
      return 409;
    case absl::StatusCode::kResourceExhausted:
      return 429;
    case absl::StatusCode::kUnimplemented:
      return 501;
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kUnavailable:
      return 503;
    case absl::StatusCode::kDeadlineExceeded:
      return 504;
    default:
      return 500;
  }
}

HttpResponse ErrorResponse(nearby::ServerEncoder* encoder, const absl::Status& status) {
  return ErrorResponse(encoder, ToHttpStatus(status.code()), status);
}

HttpResponse ErrorResponse(nearby::ServerEncoder* encoder, int http_status,
                           const absl::Status& status, absl::Duration retry_after) {
  HttpResponse response;
  response.status = http_status;
  response.content_type = kJsonType;
  if (!MayRetry(http_status)) retry_after = absl::ZeroDuration();
  encoder->EncodeError(nearby::WireFormat::kJson, 0, status, retry_after, &response.body);
  if (retry_after > absl::ZeroDuration()) {
    // In whole seconds (RFC 7231, section 7.1.3), of which 0 would say: at once.
    response.headers.emplace_back(
        "Retry-After",
        absl::StrCat(absl::ToInt64Seconds(absl::Ceil(retry_after, absl::Seconds(1)))));
  }
  if (http_status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

}  // namespace echo_server
