#include "nearby/testing/simulation.h"

#include <algorithm>
#include <cassert>
#include <limits>

namespace nearby {
namespace {

// The place of a cell in the order of an entry.
constexpr int kCellBits = 20;
constexpr std::uint32_t kCellMask = (1u << kCellBits) - 1;
static_assert(Simulation::kMaxPending == std::size_t{1} << kCellBits);

constexpr std::size_t kChunkBits = 8;
constexpr std::size_t kCellsPerChunk = std::size_t{1} << kChunkBits;
constexpr std::uint32_t kNoCell = std::numeric_limits<std::uint32_t>::max();

// Of the heap: four children lie in one cache line.
constexpr std::size_t kChildren = 4;

}  // namespace

Simulation::Simulation(std::uint64_t seed, const Options& options)
    : max_pending_(std::min(options.max_pending, kMaxPending)),
      now_(options.start),
      random_(seed),
      first_free_(kNoCell) {
  assert(IsValid(options.start));
}

Simulation::~Simulation() {
  // Whoever hears of an action's end may schedule another: that is dropped.
  overran_ = true;
  std::vector<Entry> rest;
  rest.swap(queue_);
  std::sort(rest.begin(), rest.end(), [](const Entry& a, const Entry& b) {
    return a.time_ms != b.time_ms ? a.time_ms < b.time_ms : a.order < b.order;
  });
  for (const Entry& entry : rest) {
    Cell& cell = CellOf(entry);
    cell.act(cell.storage, false);
  }
}

Simulation::Cell& Simulation::CellOf(const Entry& entry) {
  const std::uint32_t number = static_cast<std::uint32_t>(entry.order) & kCellMask;
  return chunks_[number >> kChunkBits][number & (kCellsPerChunk - 1)];
}

Simulation::Cell* Simulation::Reserve(Time time) {
  if (overran_ || queue_.size() >= max_pending_) {
    overran_ = true;
    is_over_ = true;
    return nullptr;
  }
  if (first_free_ == kNoCell) {
    const auto first = static_cast<std::uint32_t>(chunks_.size() * kCellsPerChunk);
    chunks_.push_back(std::make_unique<Cell[]>(kCellsPerChunk));
    for (std::uint32_t i = kCellsPerChunk; i-- > 0;) {
      chunks_.back()[i].next_free = first_free_;
      first_free_ = first + i;
    }
  }
  const Entry entry{std::max(time.ms, now_.ms), (scheduled_++ << kCellBits) | first_free_};
  Cell& cell = CellOf(entry);
  first_free_ = cell.next_free;
  Push(entry);
  return &cell;
}

void Simulation::Release(const Entry& entry) {
  CellOf(entry).next_free = first_free_;
  first_free_ = static_cast<std::uint32_t>(entry.order) & kCellMask;
}

void Simulation::Push(Entry entry) {
  std::size_t place = queue_.size();
  queue_.push_back(entry);
  while (place > 0) {
    const std::size_t parent = (place - 1) / kChildren;
    const Entry& above = queue_[parent];
    // Of two at one time the parent was there before.
    if (above.time_ms <= entry.time_ms) break;
    queue_[place] = above;
    place = parent;
  }
  queue_[place] = entry;
}

Simulation::Entry Simulation::Pop() {
  const auto before = [](const Entry& a, const Entry& b) {
    return a.time_ms != b.time_ms ? a.time_ms < b.time_ms : a.order < b.order;
  };
  const Entry first = queue_.front();
  const Entry last = queue_.back();
  queue_.pop_back();
  const std::size_t size = queue_.size();
  if (size == 0) return first;
  std::size_t place = 0;
  for (std::size_t child = 1; child < size; child = place * kChildren + 1) {
    const std::size_t end = std::min(child + kChildren, size);
    std::size_t least = child;
    for (std::size_t other = child + 1; other < end; ++other) {
      if (before(queue_[other], queue_[least])) least = other;
    }
    if (!before(queue_[least], last)) break;
    queue_[place] = queue_[least];
    place = least;
  }
  queue_[place] = last;
  return first;
}

bool Simulation::Step() {
  if (is_over_ || queue_.empty()) return false;
  const Entry entry = Pop();
  now_ = Time::Millis(entry.time_ms);
  Mix(static_cast<std::uint64_t>(entry.time_ms));
  ++event_count_;
  Cell& cell = CellOf(entry);
  cell.act(cell.storage, true);
  Release(entry);
  return true;
}

bool Simulation::RunUntil(Time time) {
  assert(!is_running_);
  is_running_ = true;
  while (!is_over_ && !queue_.empty() && queue_.front().time_ms <= time.ms) Step();
  is_running_ = false;
  if (is_over_) return false;
  now_ = std::max(now_, time);
  return true;
}

void Simulation::Observe(const Noted& noted) { observer_(noted); }

}  // namespace nearby
