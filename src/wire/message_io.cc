#include "src/wire/message_io.h"

#include <google/protobuf/message.h>
#include <google/protobuf/util/json_util.h>

#include <cassert>
#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "nearby/wire_format.h"
#include "src/wire/json_sketch.h"

namespace nearby::wire {
namespace {

namespace pb = google::protobuf;

// Messages of this version nest 4 deep; the rest is room for later ones.
constexpr std::size_t kMaxJsonDepth = 32;

absl::Status CheckJson(absl::string_view json) {
  const JsonSketch sketch = SketchJson(json);
  if (sketch.has_single_quote) {
    return absl::InvalidArgumentError("malformed JSON: single quotes");
  }
  if (sketch.depth > kMaxJsonDepth) {
    return absl::InvalidArgumentError(
        absl::StrCat("malformed JSON: nested more than ", kMaxJsonDepth, " deep"));
  }
  return absl::OkStatus();
}

absl::Status ParseJson(absl::string_view json, pb::Message* message) {
  message->Clear();
  absl::Status checked = CheckJson(json);
  if (!checked.ok()) return checked;
  pb::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  // A std::string, because which string views protobuf takes depends on its version.
  const std::string text(json);
  const auto status = pb::util::JsonStringToMessage(text, message, options);
  if (status.ok()) return absl::OkStatus();
  // The lines after the first point at the place with the sender's own text.
  absl::string_view reason(status.message().data(), status.message().size());
  reason = reason.substr(0, reason.find('\n'));
  // Protobuf names the field first, even where that is none.
  absl::ConsumePrefix(&reason, ": ");
  return absl::InvalidArgumentError(absl::StrCat("malformed JSON: ", reason));
}

}  // namespace

absl::Status Parse(WireFormat format, absl::string_view frame, pb::Message* message) {
  if (format == WireFormat::kJson) return ParseJson(frame, message);
  if (message->ParseFromArray(frame.data(), static_cast<int>(frame.size()))) {
    return absl::OkStatus();
  }
  return MalformedProtobuf();
}

absl::Status MalformedProtobuf() {
  return absl::InvalidArgumentError("malformed protobuf message");
}

void Append(WireFormat format, const pb::Message& message, std::string* frame) {
  if (format == WireFormat::kJson) {
    [[maybe_unused]] const auto status = pb::util::MessageToJsonString(message, frame);
    assert(status.ok());
  } else {
    [[maybe_unused]] const bool appended = message.AppendToString(frame);
    assert(appended);
  }
}

}  // namespace nearby::wire
