#include "examples/echo_server/codec.h"

namespace echo_server {

absl::Status StatusForClient(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kDataLoss:
      return absl::Status(status.code(), "something went wrong inside the server");
    case absl::StatusCode::kUnavailable:
      return absl::UnavailableError("not available at the moment");
    default:
      return status;
  }
}

}  // namespace echo_server
