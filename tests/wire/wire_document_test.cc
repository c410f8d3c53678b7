// docs/wire.md tells the truth: each of its JSON blocks is a message, in the form in which the
// codec writes it.

#include <cctype>
#include <cstddef>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "nearby/client_codec.h"
#include "nearby/server_codec.h"
#include "tests/wire/encode_message.h"

namespace nearby {
namespace {

using test::EncodeMessage;

std::string WithoutSpace(const std::string& json) {
  std::string compact;
  bool in_string = false;
  for (const char c : json) {
    if (c == '"') in_string = !in_string;
    if (in_string || std::isspace(static_cast<unsigned char>(c)) == 0) compact.push_back(c);
  }
  return compact;
}

std::vector<std::string> JsonBlocks(const std::string& document) {
  const std::string begin = "```json\n";
  const std::string end = "```";
  std::vector<std::string> blocks;
  std::size_t at = 0;
  while ((at = document.find(begin, at)) != std::string::npos) {
    at += begin.size();
    blocks.push_back(WithoutSpace(document.substr(at, document.find(end, at) - at)));
  }
  return blocks;
}

// What the codec writes for the message that it read; empty if it read none.
std::string WrittenAgain(const std::string& json) {
  const absl::StatusOr<ClientCall> call = ClientDecoder().Decode(WireFormat::kJson, json);
  if (call.ok()) return EncodeMessage(WireFormat::kJson, *call);
  const absl::StatusOr<ServerMessage> message = ServerDecoder().Decode(WireFormat::kJson, json);
  return message.ok() ? EncodeMessage(WireFormat::kJson, *message) : "";
}

TEST(WireDocument, ExamplesAreMessages) {
  std::ifstream file(NEARBY_WIRE_DOCUMENT);
  const std::string document{std::istreambuf_iterator<char>(file), {}};
  const std::vector<std::string> blocks = JsonBlocks(document);
  EXPECT_GE(blocks.size(), 12);
  for (const std::string& block : blocks) EXPECT_EQ(WrittenAgain(block), block);
}

}  // namespace
}  // namespace nearby
