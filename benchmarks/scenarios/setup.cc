#include "benchmarks/scenarios/setup.h"

#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "benchmarks/capacity/stage.h"
#include "benchmarks/capacity/trace.h"

namespace scenarios {
namespace {

// Checking the invariants is a pass over everything.
constexpr std::uint64_t kUsersToCheck = 100'000;

}  // namespace

capacity::WorldOptions WorldOptionsOf(const Flags& flags) {
  return {flags.users, flags.friends, flags.seed};
}

capacity::LoadOptions LoadOptionsOf(const Flags& flags, capacity::Mobility mobility) {
  return {flags.seed, flags.batch, flags.chunk, mobility};
}

nearby::EngineOptions EngineOptionsOf(const Flags& flags, const capacity::World& world) {
  nearby::EngineOptions options;
  options.skip_far_pairs = flags.skipping;
  options.expected_entities = world.size();
  options.max_friends = 65'535;
  return options;
}

void Connect(const Flags& flags, const capacity::World& world, capacity::Load* load) {
  const capacity::Stage stage("connecting");
  if (!load->engine().Create(EngineOptionsOf(flags, world), capacity::kTraceStart)) std::abort();
  load->ConnectAll();
}

void Start(const Flags& flags, const capacity::World& world, capacity::Load* load) {
  Connect(flags, world, load);
  const capacity::Stage stage("warming up");
  for (std::uint32_t round = 0; round < flags.warmup_rounds; ++round) load->ReportRound();
}

void Judge(const capacity::EngineSide& engine, Findings* findings) {
  if (engine.failures() > 0) {
    findings->Void(absl::StrCat("the engine refused ", engine.failures(), " calls"));
  }
  if (engine.stats().clients > kUsersToCheck) return;
  const absl::Status status = engine.CheckInvariants();
  if (!status.ok()) findings->Void(std::string(status.message()));
}

void Judge(capacity::Load* load, Findings* findings) { Judge(load->engine(), findings); }

}  // namespace scenarios
