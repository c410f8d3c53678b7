#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/sim/world.h"

namespace {

using nearby::sim::World;
using nearby::sim::WorldOptions;

struct Arguments {
  std::uint64_t first_seed = 1;
  std::uint64_t last_seed = 100;
  WorldOptions world;
  bool is_verbose = false;
};

int Usage(const char* why) {
  std::fprintf(stderr,
               "%s\nusage: nearby_sim [--seeds A..B] [--steps N] [--nodes N] [--faults on|off] "
               "[--verbose]\n",
               why);
  return 2;
}

bool ParseSeeds(const std::string& text, Arguments* arguments) {
  const std::vector<std::string> parts = absl::StrSplit(text, "..");
  if (!absl::SimpleAtoi(parts.front(), &arguments->first_seed)) return false;
  arguments->last_seed = arguments->first_seed;
  if (parts.size() == 1) return true;
  return parts.size() == 2 && absl::SimpleAtoi(parts[1], &arguments->last_seed) &&
         arguments->last_seed >= arguments->first_seed;
}

bool Parse(int argc, char** argv, Arguments* arguments) {
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--verbose") {
      arguments->is_verbose = true;
      continue;
    }
    if (i + 1 == argc) return false;
    const std::string value = argv[++i];
    std::uint64_t number = 0;
    if (name == "--seeds" && ParseSeeds(value, arguments)) continue;
    if (name == "--steps" && absl::SimpleAtoi(value, &arguments->world.steps)) continue;
    if (name == "--nodes" && absl::SimpleAtoi(value, &number) && number > 0 && number <= 100) {
      arguments->world.nodes = number;
      continue;
    }
    if (name == "--faults" && (value == "on" || value == "off")) {
      arguments->world.has_faults = value == "on";
      continue;
    }
    return false;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!Parse(argc, argv, &arguments)) return Usage("what is to be simulated?");
  const std::vector<nearby::RingSource::Ring> rings = nearby::sim::MakeRings();
  nearby::SimulatedFaultCounts sum;
  std::uint64_t events = 0;
  std::uint64_t violations = 0;
  std::uint64_t hash = 0;
  std::uint64_t seeds = 0;
  std::uint64_t delivered = 0;
  std::uint64_t crashes = 0;
  std::uint64_t ring_changes = 0;
  for (std::uint64_t seed = arguments.first_seed; seed <= arguments.last_seed; ++seed) {
    WorldOptions options = arguments.world;
    options.seed = seed;
    World world(options, rings);
    if (!world.Run()) {
      ++violations;
      std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed),
                  world.violation().c_str());
    }
    ++seeds;
    events += world.simulation().event_count();
    delivered += world.delivered();
    crashes += world.crashes();
    ring_changes += world.ring_changes();
    hash = (hash ^ world.simulation().hash()) * 0x9FB21C651E98DF25u;
    sum.Add(world.faults().counts());
  }
  std::printf("deliveries %llu, nodes crashed %llu, rings changed %llu\n",
              static_cast<unsigned long long>(delivered), static_cast<unsigned long long>(crashes),
              static_cast<unsigned long long>(ring_changes));
  if (arguments.is_verbose) {
    sum.ForEach([](absl::string_view name, std::uint64_t count) {
      std::printf("  %-40s %llu\n", std::string(name).c_str(),
                  static_cast<unsigned long long>(count));
    });
  }
  std::printf("seeds %llu events %llu violations %llu trace_hash %016llx\n",
              static_cast<unsigned long long>(seeds), static_cast<unsigned long long>(events),
              static_cast<unsigned long long>(violations), static_cast<unsigned long long>(hash));
  return violations == 0 ? 0 : 1;
}
