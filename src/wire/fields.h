#ifndef NEARBY_SRC_WIRE_FIELDS_H_
#define NEARBY_SRC_WIRE_FIELDS_H_

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"

namespace nearby::wire {

/// Goes over the fields of a protobuf message without decoding them, and calls `visit` for each
/// that is length-delimited: a message, text or bytes. False if the message is malformed; fields
/// before that place have been visited. For what must be known before protobuf decodes a message
/// from outside.
bool VisitFields(absl::string_view message,
                 absl::FunctionRef<void(int number, absl::string_view content)> visit);

}  // namespace nearby::wire

#endif  // NEARBY_SRC_WIRE_FIELDS_H_
