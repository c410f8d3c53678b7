// A host's test: the component testing, without a test framework.

#include <cstdio>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "nearby/in_memory_friend_store.h"
#include "nearby/testing/conformance.h"
#include "nearby/testing/friend_store_conformance.h"
#include "nearby/testing/simulated_clock.h"
#include "nearby/time.h"

namespace {

bool Conforms() {
  const auto cases = nearby::FriendStoreConformance([] {
    nearby::FriendStoreUnderTest test;
    test.adapter = std::make_unique<nearby::InMemoryFriendStore>();
    return test;
  });
  bool conforms = !cases.empty();
  for (const nearby::ConformanceCase& one : cases) {
    nearby::ConformanceReport report;
    nearby::RunConformanceCase(one, &report);
    for (const std::string& failure : report.failures()) {
      std::fprintf(stderr, "%s: %s\n", one.name.c_str(), failure.c_str());
      conforms = false;
    }
  }
  return conforms;
}

}  // namespace

int main() {
  nearby::SimulatedClock clock(nearby::Time::Millis(1'000));
  clock.Advance(absl::Seconds(1));
  return clock.Now() == nearby::Time::Millis(2'000) && Conforms() ? 0 : 1;
}
