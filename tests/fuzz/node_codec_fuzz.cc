// Payloads between nodes. What the decoder accepts is valid, and means the same when it is written
// and read again.

#include "nearby/node_codec.h"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tests/wire/encode_message.h"
#include "tests/wire/wire_faults.h"
#include "tests/wire/wire_text.h"

namespace {

void Require(bool condition, const char* what, const std::string& detail) {
  if (condition) return;
  std::fprintf(stderr, "%s: %s\n", what, detail.c_str());
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using nearby::test::EncodeMessage;
  using nearby::test::FindFault;
  using nearby::test::ToText;
  static nearby::NodeDecoder decoder;
  nearby::NodeBatch batch;
  const absl::string_view payload(reinterpret_cast<const char*>(data), size);
  const absl::Status status = decoder.Decode(payload, &batch);
  if (!status.ok()) {
    Require(!status.message().empty(), "refused without a reason", "");
    Require(batch.events.empty(), "events after a failure", ToText(batch));
    return 0;
  }
  Require(FindFault(batch).empty(), "not valid", FindFault(batch));
  const std::string encoded = EncodeMessage(batch);
  Require(encoded.size() <=
              nearby::kMaxNodeBatchHeaderBytes + batch.events.size() * nearby::kMaxNodeEventBytes,
          "longer than it may be", ToText(batch));
  batch.unknown_events = 0;
  nearby::NodeBatch again;
  Require(decoder.Decode(encoded, &again).ok(), "refused what was encoded", ToText(batch));
  Require(ToText(again) == ToText(batch), "changed on the way", ToText(batch));
  return 0;
}
