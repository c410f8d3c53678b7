#ifndef NEARBY_SRC_ENGINE_GROUPS_H_
#define NEARBY_SRC_ENGINE_GROUPS_H_

#include <algorithm>
#include <cstddef>

#include "src/engine/engine_impl.h"

namespace nearby {

// What a location touches is spread over the memory, a cache miss each, and often a miss of the
// processor's table of pages as well. So those ahead ask for it in three steps, each of which needs
// what the one before asked for: the line of the entity, the row, the lines of those in the row
// who will be looked at.
//
// Each step runs over a whole group in a tight loop. Looking up a page blocks whatever comes after
// it in the processor's window; many look-ups in a row overlap, whereas those scattered among
// calculations would each be waited for.
//
// `slot_of(i)` is the slot of the i-th of `count` locations, `will_walk(i)` whether its neighbours
// will be looked at, as far as can be told before those of its group have been handled, and
// `handle(i)` handles it. None of them makes or ends a pair.
template <typename SlotOf, typename WillWalk, typename Handle>
void Engine::Impl::InGroups(std::size_t count, SlotOf slot_of, WillWalk will_walk, Handle handle) {
  const std::size_t size = GroupSize();
  const auto for_group = [count, size](std::size_t number, auto step) {
    const std::size_t begin = number * size;
    const std::size_t end = std::min(begin + size, count);
    for (std::size_t i = begin; i < end; ++i) step(i);
  };
  const auto prefetch_line = [&](std::size_t i) { lines_.PrefetchIfAny(slot_of(i)); };
  const auto prefetch_row = [&](std::size_t i) { PrefetchRow(slot_of(i)); };
  for_group(0, prefetch_line);
  for_group(1, prefetch_line);
  for_group(0, prefetch_row);
  for (std::size_t number = 0; number * size < count; ++number) {
    for_group(number + 2, prefetch_line);
    for_group(number + 1, prefetch_row);
    found_due_.clear();
    due_numbers_used_ = 0;
    for_group(number, [&](std::size_t i) {
      found_due_.emplace_back();
      if (will_walk(i)) PrefetchNeighbours(slot_of(i));
    });
    const std::uint32_t ticks_voided = ticks_voided_;
    for_group(number, [&](std::size_t i) {
      // What was found to be due is still all that is, unless one before this one voided ticks.
      if (ticks_voided == ticks_voided_) known_due_ = found_due_[i % size];
      handle(i);
      known_due_.reset();
    });
  }
}

}  // namespace nearby

#endif  // NEARBY_SRC_ENGINE_GROUPS_H_
