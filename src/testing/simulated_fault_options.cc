#include "nearby/testing/simulated_fault_options.h"

#include <cmath>

namespace nearby {
namespace {

using Options = SimulatedFaultOptions;

// A probability among the options, the most that Draw makes of it, and whether it breaks a
// contract.
template <typename Group>
struct Hardship {
  double Group::*probability;
  double most;
  bool breaks = false;
};

constexpr Hardship<Options::Transport> kTransport[] = {
    {&Options::Transport::complete_inline, 0.5},
    {&Options::Transport::delay_message, 0.05},
    {&Options::Transport::delay_completion, 0.1},
    {&Options::Transport::refuse_publish, 0.1},
    {&Options::Transport::refuse_subscribe, 0.2},
    {&Options::Transport::unknown_publish, 0.1},
    {&Options::Transport::unknown_subscribe, 0.2},
    {&Options::Transport::break_link, 0.02},
    {&Options::Transport::server_crash, 0.01},
    {&Options::Transport::partition_link, 0.02},
    {&Options::Transport::drop_message, 0.1, true},
    {&Options::Transport::duplicate_message, 0.1, true},
    {&Options::Transport::reorder_message, 0.1, true},
};

constexpr Hardship<Options::Store> kStore[] = {
    {&Options::Store::complete_inline, 0.5},
    {&Options::Store::delay_answer, 0.1},
    {&Options::Store::fail, 0.2},
    {&Options::Store::unknown, 0.2},
    {&Options::Store::outage, 0.02},
    {&Options::Store::partition, 0.02},
    {&Options::Store::split_batch, 0.5},
    {&Options::Store::lose_answer, 0.02, true},
};

constexpr Hardship<Options::Ring> kRing[] = {
    {&Options::Ring::delay_news, 0.5},
    {&Options::Ring::skip_version, 0.5},
    {&Options::Ring::lose_touch, 0.02},
};

constexpr Hardship<Options::Clocks> kClocks[] = {
    {&Options::Clocks::shift, 0.02},
    {&Options::Clocks::change_drift, 0.02, true},
};

template <typename Group, std::size_t Count>
void Clear(const Hardship<Group> (&hardships)[Count], Group* group) {
  for (const Hardship<Group>& hardship : hardships) group->*hardship.probability = 0;
}

// Powers of two, so that the arithmetic is exact.
template <typename Group, std::size_t Count>
void DrawAll(const Hardship<Group> (&hardships)[Count], bool breaks_contracts,
             SimulatedRandom* random, Group* group) {
  for (const Hardship<Group>& hardship : hardships) {
    const bool is_on = random->Chance(0.5);
    const double probability = std::ldexp(hardship.most, -static_cast<int>(random->Below(7)));
    const bool may_be = breaks_contracts || !hardship.breaks;
    group->*hardship.probability = is_on && may_be ? probability : 0;
  }
}

void DrawStore(bool breaks_contracts, SimulatedRandom* random, Options::Store* store) {
  DrawAll(kStore, breaks_contracts, random, store);
  store->latency.max_ms = store->latency.min_ms + (std::int64_t{1} << random->Below(10));
}

}  // namespace

SimulatedFaultOptions SimulatedFaultOptions::Quiet() const {
  SimulatedFaultOptions quiet = *this;
  Clear(kTransport, &quiet.transport);
  for (Store* store : {&quiet.locations, &quiet.friends, &quiet.history, &quiet.sessions}) {
    Clear(kStore, store);
    store->stale_read = 0;
  }
  Clear(kRing, &quiet.ring);
  Clear(kClocks, &quiet.clocks);
  return quiet;
}

SimulatedFaultOptions SimulatedFaultOptions::Draw(SimulatedRandom* random, bool breaks_contracts) {
  SimulatedFaultOptions options;
  DrawAll(kTransport, breaks_contracts, random, &options.transport);
  options.transport.latency.max_ms = std::int64_t{1} << random->Below(8);
  options.transport.jitter.max_ms = std::int64_t{1} << random->Below(8);
  for (Store* store : {&options.locations, &options.friends, &options.history, &options.sessions}) {
    DrawStore(breaks_contracts, random, store);
  }
  if (random->Chance(0.5)) {
    options.locations.stale_read = std::ldexp(0.5, -static_cast<int>(random->Below(7)));
  }
  DrawAll(kRing, breaks_contracts, random, &options.ring);
  DrawAll(kClocks, breaks_contracts, random, &options.clocks);
  return options;
}

}  // namespace nearby
