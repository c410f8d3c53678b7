// Frames between clients and servers. The first byte chooses the direction and the format, the rest
// is the frame. What the decoder accepts is valid, and means the same when it is written and read
// again.

#include "nearby/client_codec.h"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "nearby/server_codec.h"
#include "nearby/wire_format.h"
#include "tests/wire/encode_message.h"
#include "tests/wire/wire_faults.h"
#include "tests/wire/wire_text.h"

namespace {

using nearby::WireFormat;
using nearby::test::EncodeMessage;
using nearby::test::FindFault;
using nearby::test::ToText;

void Require(bool condition, const char* what, const std::string& detail) {
  if (condition) return;
  std::fprintf(stderr, "%s: %s\n", what, detail.c_str());
  std::abort();
}

template <typename Decoder>
void Try(Decoder* decoder, WireFormat format, absl::string_view frame) {
  const auto message = decoder->Decode(format, frame);
  if (!message.ok()) {
    Require(!message.status().message().empty(), "refused without a reason", "");
    return;
  }
  Require(FindFault(*message).empty(), "not valid", FindFault(*message));
  for (const WireFormat again : {WireFormat::kProtobuf, WireFormat::kJson}) {
    const auto second = decoder->Decode(again, EncodeMessage(again, *message));
    Require(second.ok(), "refused what was encoded", second.status().ToString());
    Require(ToText(*second) == ToText(*message), "changed on the way", ToText(*message));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static nearby::ClientDecoder client_decoder;
  static nearby::ServerDecoder server_decoder;
  const absl::string_view frame(reinterpret_cast<const char*>(data + 1), size - 1);
  const WireFormat format = (data[0] & 1) == 0 ? WireFormat::kProtobuf : WireFormat::kJson;
  if ((data[0] & 2) == 0) {
    Try(&client_decoder, format, frame);
  } else {
    Try(&server_decoder, format, frame);
  }
  return 0;
}
