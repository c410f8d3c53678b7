#include "src/parts/subscription_rows.h"

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace nearby {

void SubscriptionRegistry::Rows::Append(Slot slot, Edge edge, std::uint8_t tick,
                                        std::uint32_t row_to_be) {
  if (own_lines_ != nullptr) own_lines_->AddUpTo(slot);
  Head& row = HeadOf(slot);
  assert(row.size < kMaxRow);
  const bool is_empty = row.size == 0;
  if (is_empty || row.size == RowLayout::Capacity(row.size_class)) {
    const std::size_t size_class = ClassFor(std::max(row.size + 1u, std::min(row_to_be, kMaxRow)));
    if (is_empty) {
      NewBlock(slot, size_class);
    } else {
      MoveTo(slot, size_class);
    }
  }
  new (EdgesOf(row) + row.size) Edge(edge);
  TicksOf(row)[row.size] = tick;
  ++row.size;
}

void SubscriptionRegistry::Rows::Remove(Slot slot, std::size_t index) {
  Head& row = HeadOf(slot);
  assert(index < row.size);
  --row.size;
  EdgesOf(row)[index] = EdgesOf(row)[row.size];
  TicksOf(row)[index] = TicksOf(row)[row.size];
  if (row.size == 0) {
    FreeBlock(row);
  } else if (row.size <= ShrinkSize(row.size_class)) {
    MoveTo(slot, row.size_class - std::size_t{1});
  }
}

void SubscriptionRegistry::Rows::Clear(Slot slot) {
  if (size(slot) == 0) return;
  Head& row = HeadOf(slot);
  row.size = 0;
  FreeBlock(row);
}

void SubscriptionRegistry::Rows::Trim(Slot slot) {
  if (size(slot) == 0) return;
  const Head& row = HeadOf(slot);
  std::size_t size_class = row.size_class;
  while (row.size <= ShrinkSize(size_class)) --size_class;
  if (size_class < row.size_class) MoveTo(slot, size_class);
}

std::size_t SubscriptionRegistry::Rows::ClassFor(std::uint32_t edges) {
  std::size_t size_class = 0;
  while (RowLayout::Capacity(size_class) < edges) ++size_class;
  return size_class;
}

void SubscriptionRegistry::Rows::NewBlock(Slot slot, std::size_t size_class) {
  Head& row = HeadOf(slot);
  row.granule = pool_.Append(size_class);
  row.size_class = static_cast<std::uint8_t>(size_class);
  new (OwnerOf(row)) Slot(slot);
}

void SubscriptionRegistry::Rows::FreeBlock(const Head& old) {
  const std::uint32_t last = pool_.Last(old.size_class);
  if (last != old.granule) {
    Head from = old;
    from.granule = last;
    const Slot owner = *OwnerOf(from);
    Head& moved = HeadOf(owner);
    Head to = moved;
    to.granule = old.granule;
    CopyRow(moved, to);
    new (OwnerOf(to)) Slot(owner);
    moved = to;
  }
  pool_.DropLast(old.size_class);
}

void SubscriptionRegistry::Rows::MoveTo(Slot slot, std::size_t size_class) {
  const Head old = HeadOf(slot);
  NewBlock(slot, size_class);
  CopyRow(old, HeadOf(slot));
  FreeBlock(old);
}

void SubscriptionRegistry::Rows::CopyRow(const Head& from, const Head& to) const {
  std::uninitialized_copy_n(EdgesOf(from), from.size, EdgesOf(to));
  std::uninitialized_copy_n(TicksOf(from), from.size, TicksOf(to));
}

absl::Status SubscriptionRegistry::Rows::CheckInvariants() const {
  for (std::uint32_t i = 0; i < slot_limit(); ++i) {
    const Head& row = HeadOf(Slot{i});
    if (row.size == 0) continue;
    if (row.size > RowLayout::Capacity(row.size_class)) {
      return absl::InternalError(
          absl::StrCat("the row of slot ", i, " overflows its block: ", row.size, " edges"));
    }
    if (row.size_class > 0 && row.size <= ShrinkSize(row.size_class)) {
      return absl::InternalError(absl::StrCat("the row of slot ", i, " has not shrunk: ", row.size,
                                              " edges in a block of class ",
                                              static_cast<int>(row.size_class)));
    }
    const Slot owner = *OwnerOf(row);
    if (ToInt(owner) != i) {
      return absl::InternalError(
          absl::StrCat("the row of slot ", i, " lies in a block of slot ", ToInt(owner)));
    }
  }
  return absl::OkStatus();
}

}  // namespace nearby
