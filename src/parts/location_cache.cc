#include "nearby/location_cache.h"

#include <algorithm>
#include <cassert>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "src/base/slot_lines.h"
#include "src/parts/expiry_buckets.h"
#include "src/parts/motions.h"
#include "src/parts/separations.h"
#include "src/parts/slot_pools.h"
#include "src/parts/speed_bound.h"
#include "src/parts/user_index.h"

namespace nearby {

struct LocationCache::Tables {
  explicit Tables(std::size_t max_entities) : slots(max_entities) {}

  internal::SlotLines lines;
  Motions motions{&lines};
  internal::SlotPools slots;
};

LocationCache::LocationCache(const Options& options)
    // A sum of a valid time and this cannot overflow.
    : ttl_ms_(std::min(absl::ToInt64Milliseconds(options.ttl), kMaxTimeMs)),
      max_entities_(options.max_entities),
      learns_speeds_(options.learns_speeds),
      tables_(std::make_unique<Tables>(max_entities_)),
      index_(std::make_unique<Index>(IndexedUsers(&tables_->lines))),
      expiry_(std::make_unique<ExpiryBuckets>(this, &tables_->lines)) {
  motions_ = &tables_->motions;
  assert(ttl_ms_ >= 1);
  const std::size_t expected = std::min(options.expected_entities, max_entities_);
  tables_->lines.Reserve(expected);
  index_->Reserve(expected);
  expiry_->Reserve(expected);
}

LocationCache::~LocationCache() = default;

absl::StatusOr<Slot> LocationCache::Acquire(UserId user, Kind kind) {
  const Slot known = Find(user);
  if (known != kNoSlot) return known;
  const Slot slot = tables_->slots.Take(static_cast<std::size_t>(kind));
  if (slot == kNoSlot) {
    return absl::ResourceExhaustedError(
        absl::StrCat("location cache is full: ", max_entities_, " users"));
  }
  // Those of the other kind may lie in between, and be taken later.
  while (!tables_->lines.Has(slot)) AddLine();
  lines_[ToInt(slot)].user = user;
  lines_[ToInt(slot)].cookie = 0;
  index_->Insert(slot);
  return slot;
}

void LocationCache::AddLine() {
  const Slot slot{static_cast<std::uint32_t>(slot_limit())};
  tables_->lines.Add();
  lines_ = tables_->lines.data();
  tables_->motions.AddSlot(slot);
  expiry_->AddSlot(slot);
}

void LocationCache::Release(Slot slot, Kind kind) {
  assert(Find(user(slot)) == slot);
  Deactivate(slot);
  tables_->motions.Reset(slot);
  // The index hashes by the lines, where this user stays until the slot is given to another.
  index_->Erase(slot);
  tables_->slots.GiveBack(slot, static_cast<std::size_t>(kind));
}

Slot LocationCache::Find(UserId user) const { return index_->Find(user); }

void LocationCache::FindAll(absl::Span<const UserId> users, absl::Span<Found> out) const {
  assert(users.size() == out.size());
  std::fill(out.begin(), out.end(), Found{kNoSlot, Position::Nowhere()});
  index_->FindAll(users, [&](std::size_t i, Slot slot) {
    out[i].slot = slot;
    tables_->lines.Prefetch(slot);
  });
  for (Found& found : out) {
    if (found.slot != kNoSlot) found.position = position(found.slot);
  }
}

void LocationCache::FindAll(absl::Span<const UserId> users, absl::Span<Slot> out) const {
  assert(users.size() == out.size());
  std::fill(out.begin(), out.end(), kNoSlot);
  index_->FindAll(users, [&](std::size_t i, Slot slot) { out[i] = slot; });
}

LocationCache::Motion LocationCache::Write(Slot slot, const Record& record) {
  assert(record.position.is_somewhere());
  assert(IsValid(record.accepted_at));
  const bool was_active = is_active(slot);
  const bool is_earlier = was_active && record.accepted_at < accepted_at(slot);
  const Motion motion = Judge(slot, record);
  lines_[ToInt(slot)].position = record.position;
  // A deadline that is put off, as nearly all are, stays filed where it was.
  const bool is_filed = was_active && expiry_->IsFiled(slot);
  if (is_filed && !is_earlier) return motion;
  if (is_filed) expiry_->Remove(slot);
  expiry_->File(slot);
  return motion;
}

LocationCache::Motion LocationCache::Judge(Slot slot, const Record& record) {
  Motions& motions = *motions_;
  SpeedBound bound = motions.bound(slot);
  Motion motion = Motion::kUnbounded;
  if (!learns_speeds_) {
    bound.speed_class = SpeedBound::kNoBound;
  } else if (is_active(slot)) {
    const auto ms = static_cast<double>(record.accepted_at.ms - motions.accepted_at(slot).ms);
    if (bound.Judge(MaxMetersBetween(position(slot), record.position), ms)) {
      motion = Motion::kBounded;
    }
  }
  motions.Set(slot, record.accepted_at, record.reported_at, bound);
  return motion;
}

Time LocationCache::accepted_at(Slot slot) const { return motions_->accepted_at(slot); }
Time LocationCache::reported_at(Slot slot) const { return motions_->reported_at(slot); }

double LocationCache::speed_bound(Slot slot) const {
  return SpeedBound::kMetersPerMs[motions_->speed_class(slot)];
}

internal::SlotLines* LocationCache::lines() { return &tables_->lines; }

void LocationCache::PrefetchRelease(Slot slot) const {
  index_->Prefetch(user(slot));
  expiry_->PrefetchRemove(slot);
}

void LocationCache::Deactivate(Slot slot) {
  if (!is_active(slot)) return;
  lines_[ToInt(slot)].position = Position::Nowhere();
  if (expiry_->IsFiled(slot)) expiry_->Remove(slot);
}

bool LocationCache::PopExpired(Time until, Expired* out) {
  const Slot slot = expiry_->Pop(until);
  if (slot == kNoSlot) return false;
  *out = {slot, user(slot), deadline(slot), position(slot)};
  lines_[ToInt(slot)].position = Position::Nowhere();
  return true;
}

void LocationCache::Hold(const Expired& expired) {
  assert(!is_active(expired.slot));
  lines_[ToInt(expired.slot)].position = expired.position;
}

Time LocationCache::next_expiry_check() const { return expiry_->NextCheck(); }

std::size_t LocationCache::slot_limit() const { return tables_->lines.size(); }

std::size_t LocationCache::size() const { return tables_->slots.taken(); }

}  // namespace nearby
