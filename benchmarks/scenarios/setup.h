#ifndef BENCHMARKS_SCENARIOS_SETUP_H_
#define BENCHMARKS_SCENARIOS_SETUP_H_

#include <cstdint>

#include "benchmarks/capacity/engine_side.h"
#include "benchmarks/capacity/load.h"
#include "benchmarks/capacity/movement.h"
#include "benchmarks/capacity/world.h"
#include "benchmarks/scenarios/findings.h"
#include "benchmarks/scenarios/flags.h"
#include "nearby/options.h"

namespace scenarios {

/// Who comes back lists so many times as many friends more as are online.
inline constexpr std::uint32_t kOfflineForEachOnline = 9;

capacity::WorldOptions WorldOptionsOf(const Flags& flags);

capacity::LoadOptions LoadOptionsOf(const Flags& flags, capacity::Mobility mobility);

nearby::EngineOptions EngineOptionsOf(const Flags& flags, const capacity::World& world);

/// Creates the engine and connects everybody.
void Connect(const Flags& flags, const capacity::World& world, capacity::Load* load);

/// The same, and lets everybody report a few times.
void Start(const Flags& flags, const capacity::World& world, capacity::Load* load);

/// Voids the findings if the engine refused anything or, in a small world, broke an invariant.
void Judge(const capacity::EngineSide& engine, Findings* findings);
void Judge(capacity::Load* load, Findings* findings);

}  // namespace scenarios

#endif  // BENCHMARKS_SCENARIOS_SETUP_H_
