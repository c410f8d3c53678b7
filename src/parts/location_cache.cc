#include "nearby/location_cache.h"

#include <algorithm>
#include <cassert>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "src/base/slot_lines.h"
#include "src/parts/expiry_buckets.h"
#include "src/parts/motions.h"
#include "src/parts/separations.h"
#include "src/parts/speed_bound.h"
#include "src/parts/user_index.h"

namespace nearby {

struct LocationCache::Tables {
  internal::SlotLines lines;
  Motions motions{&lines};
  std::vector<Slot> free_slots;
};

LocationCache::LocationCache(const Options& options)
    // A sum of a valid time and this cannot overflow.
    : ttl_ms_(std::min(absl::ToInt64Milliseconds(options.ttl), kMaxTimeMs)),
      max_entities_(options.max_entities),
      learns_speeds_(options.learns_speeds),
      tables_(std::make_unique<Tables>()),
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

absl::StatusOr<Slot> LocationCache::Acquire(UserId user) {
  const Slot known = Find(user);
  if (known != kNoSlot) return known;
  Slot slot = kNoSlot;
  Tables& tables = *tables_;
  if (!tables.free_slots.empty()) {
    slot = tables.free_slots.back();
    tables.free_slots.pop_back();
  } else if (slot_limit() < max_entities_) {
    slot = Slot{static_cast<std::uint32_t>(slot_limit())};
    tables.lines.Add();
    lines_ = tables.lines.data();
    tables.motions.AddSlot(slot);
    expiry_->AddSlot(slot);
  } else {
    return absl::ResourceExhaustedError(
        absl::StrCat("location cache is full: ", max_entities_, " users"));
  }
  lines_[ToInt(slot)].user = user;
  lines_[ToInt(slot)].cookie = 0;
  index_->Insert(slot);
  return slot;
}

void LocationCache::Release(Slot slot) {
  assert(Find(user(slot)) == slot);
  Deactivate(slot);
  tables_->motions.Reset(slot);
  // The index hashes by the lines, where this user stays until the slot is given to another.
  index_->Erase(slot);
  tables_->free_slots.push_back(slot);
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

std::size_t LocationCache::size() const { return slot_limit() - tables_->free_slots.size(); }

}  // namespace nearby
