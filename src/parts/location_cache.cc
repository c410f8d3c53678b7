#include "nearby/location_cache.h"

#include <algorithm>
#include <cassert>
#include <limits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "src/parts/expiry_buckets.h"
#include "src/parts/user_index.h"

namespace nearby {
namespace {

// Before every valid time, so that any first report is newer.
constexpr Time kBeforeAll{std::numeric_limits<std::int64_t>::min()};

// Enough look-ups to keep the memory busy, few enough that what was fetched first is still cached.
constexpr std::size_t kFindBatch = 32;

}  // namespace

LocationCache::LocationCache(const Options& options)
    // A sum of a valid time and this cannot overflow.
    : ttl_ms_(std::min(absl::ToInt64Milliseconds(options.ttl), kMaxTimeMs)),
      max_entities_(std::min(options.max_entities, ExpiryBuckets::kMaxSlots)),
      index_(std::make_unique<Index>(&users_)),
      expiry_(std::make_unique<ExpiryBuckets>(this)) {
  assert(ttl_ms_ >= 1);
  const std::size_t expected = std::min(options.expected_entities, max_entities_);
  positions_.reserve(expected);
  users_.reserve(expected);
  times_.reserve(expected);
  index_->Reserve(expected);
  expiry_->Reserve(expected);
}

LocationCache::~LocationCache() = default;

absl::StatusOr<Slot> LocationCache::Acquire(UserId user) {
  const Slot known = Find(user);
  if (known != kNoSlot) return known;
  Slot slot = kNoSlot;
  if (!free_slots_.empty()) {
    slot = free_slots_.back();
    free_slots_.pop_back();
    users_[ToInt(slot)] = user;
  } else if (users_.size() < max_entities_) {
    slot = Slot{static_cast<std::uint32_t>(users_.size())};
    users_.push_back(user);
    positions_.push_back(Position::Nowhere());
    times_.push_back({kBeforeAll, kBeforeAll});
    expiry_->AddSlot();
  } else {
    return absl::ResourceExhaustedError(
        absl::StrCat("location cache is full: ", max_entities_, " users"));
  }
  index_->Insert(slot);
  return slot;
}

void LocationCache::Release(Slot slot) {
  assert(Find(user(slot)) == slot);
  Deactivate(slot);
  times_[ToInt(slot)] = {kBeforeAll, kBeforeAll};
  // The index hashes by users_, which keeps this user until the slot is given to another.
  index_->Erase(slot);
  free_slots_.push_back(slot);
}

Slot LocationCache::Find(UserId user) const { return index_->Find(user); }

void LocationCache::FindAll(absl::Span<const UserId> users, absl::Span<Found> out) const {
  assert(users.size() == out.size());
  for (std::size_t begin = 0; begin < users.size(); begin += kFindBatch) {
    const std::size_t end = std::min(users.size(), begin + kFindBatch);
    // A pass for each dependent read, so that the reads of one pass overlap.
    for (std::size_t i = begin; i < end; ++i) index_->Prefetch(users[i]);
    for (std::size_t i = begin; i < end; ++i) out[i].slot = index_->Find(users[i]);
    for (std::size_t i = begin; i < end; ++i) {
      const Slot slot = out[i].slot;
      out[i].position = slot == kNoSlot ? Position::Nowhere() : position(slot);
    }
  }
}

void LocationCache::Write(Slot slot, const Record& record) {
  assert(record.position.is_somewhere());
  assert(IsValid(record.accepted_at));
  const std::uint32_t index = ToInt(slot);
  const bool was_active = is_active(slot);
  const bool earlier = record.accepted_at < times_[index].accepted_at;
  positions_[index] = record.position;
  times_[index] = {record.accepted_at, record.reported_at};
  // A deadline that is put off, as nearly all are, stays filed where it was.
  if (was_active && !earlier) return;
  if (was_active) expiry_->Remove(slot);
  expiry_->File(slot);
}

void LocationCache::Deactivate(Slot slot) {
  if (!is_active(slot)) return;
  positions_[ToInt(slot)] = Position::Nowhere();
  expiry_->Remove(slot);
}

bool LocationCache::PopExpired(Time until, Expired* out) {
  const Slot slot = expiry_->Pop(until);
  if (slot == kNoSlot) return false;
  positions_[ToInt(slot)] = Position::Nowhere();
  *out = {slot, user(slot), deadline(slot)};
  return true;
}

Time LocationCache::next_expiry_check() const { return expiry_->NextCheck(); }

std::size_t LocationCache::size() const { return users_.size() - free_slots_.size(); }

}  // namespace nearby
