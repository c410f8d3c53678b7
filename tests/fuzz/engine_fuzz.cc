// Sequences of engine operations, with every promise checked on the way. The bytes decode as
// engine_ops.h says; any input is a valid one.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "absl/types/span.h"
#include "tests/fuzz/engine_ops.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using nearby::test::EngineOps;
  const absl::Span<const std::uint8_t> bytes(data, size);
  EngineOps ops(EngineOps::DecodeWorld(bytes));
  ops.Run(bytes.size() > nearby::test::kWorldBytes ? bytes.subspan(nearby::test::kWorldBytes)
                                                   : absl::Span<const std::uint8_t>());
  const auto violations = ops.violations();
  for (const auto& violation : violations) {
    std::fprintf(stderr, "I%d: %s\n", violation.invariant, violation.what.c_str());
  }
  if (!violations.empty()) std::abort();
  return 0;
}
