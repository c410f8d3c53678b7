#ifndef NEARBY_SRC_WIRE_JSON_SKETCH_H_
#define NEARBY_SRC_WIRE_JSON_SKETCH_H_

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace nearby::wire {

/// What can be said of a text, which ought to be a JSON message, without parsing it.
struct JsonSketch {
  /// How deeply objects and arrays nest.
  std::size_t depth = 0;
  /// Whether there is a single quote outside strings. JSON has none; protobuf's parser takes them
  /// for strings, in which this sketch would see brackets that are none, or miss some that are.
  bool has_single_quote = false;
  /// The last "requestId" or "request_id" of the outermost object, a whole number or a string of
  /// one; 0 if there is none. For messages that cannot be parsed, so that the error can be answered
  /// to the call that it concerns.
  std::uint64_t request_id = 0;
};

/// One pass over what may be any bytes.
JsonSketch SketchJson(absl::string_view json);

}  // namespace nearby::wire

#endif  // NEARBY_SRC_WIRE_JSON_SKETCH_H_
