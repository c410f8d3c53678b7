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
  if (ToInt(slot) >= headers_.size()) headers_.resize(ToInt(slot) + std::size_t{1});
  Header& header = headers_[ToInt(slot)];
  assert(header.size < kMaxRow);
  const bool is_empty = header.size == 0;
  if (is_empty || header.size == RowLayout::Capacity(header.size_class)) {
    const std::size_t size_class =
        ClassFor(std::max(header.size + 1u, std::min(row_to_be, kMaxRow)));
    if (is_empty) {
      NewBlock(slot, size_class);
    } else {
      MoveTo(slot, size_class);
    }
  }
  new (EdgesOf(header) + header.size) Edge(edge);
  TicksOf(header)[header.size] = tick;
  ++header.size;
}

void SubscriptionRegistry::Rows::Remove(Slot slot, std::size_t index) {
  Header& header = headers_[ToInt(slot)];
  assert(index < header.size);
  --header.size;
  EdgesOf(header)[index] = EdgesOf(header)[header.size];
  TicksOf(header)[index] = TicksOf(header)[header.size];
  if (header.size == 0) {
    FreeBlock(header);
  } else if (header.size <= ShrinkSize(header.size_class)) {
    MoveTo(slot, header.size_class - std::size_t{1});
  }
}

void SubscriptionRegistry::Rows::Clear(Slot slot) {
  if (size(slot) == 0) return;
  Header& header = headers_[ToInt(slot)];
  header.size = 0;
  FreeBlock(header);
}

void SubscriptionRegistry::Rows::Trim(Slot slot) {
  if (size(slot) == 0) return;
  const Header& header = headers_[ToInt(slot)];
  std::size_t size_class = header.size_class;
  while (header.size <= ShrinkSize(size_class)) --size_class;
  if (size_class < header.size_class) MoveTo(slot, size_class);
}

std::size_t SubscriptionRegistry::Rows::ClassFor(std::uint32_t edges) {
  std::size_t size_class = 0;
  while (RowLayout::Capacity(size_class) < edges) ++size_class;
  return size_class;
}

void SubscriptionRegistry::Rows::NewBlock(Slot slot, std::size_t size_class) {
  Header& header = headers_[ToInt(slot)];
  header.granule = pool_.Append(size_class);
  header.size_class = static_cast<std::uint8_t>(size_class);
  new (OwnerOf(header)) Slot(slot);
}

void SubscriptionRegistry::Rows::FreeBlock(const Header& old) {
  const std::uint32_t last = pool_.Last(old.size_class);
  if (last != old.granule) {
    Header from = old;
    from.granule = last;
    const Slot owner = *OwnerOf(from);
    Header& moved = headers_[ToInt(owner)];
    Header to = moved;
    to.granule = old.granule;
    CopyRow(moved, to);
    new (OwnerOf(to)) Slot(owner);
    moved = to;
  }
  pool_.DropLast(old.size_class);
}

void SubscriptionRegistry::Rows::MoveTo(Slot slot, std::size_t size_class) {
  const Header old = headers_[ToInt(slot)];
  NewBlock(slot, size_class);
  CopyRow(old, headers_[ToInt(slot)]);
  FreeBlock(old);
}

void SubscriptionRegistry::Rows::CopyRow(const Header& from, const Header& to) const {
  std::uninitialized_copy_n(EdgesOf(from), from.size, EdgesOf(to));
  std::uninitialized_copy_n(TicksOf(from), from.size, TicksOf(to));
}

absl::Status SubscriptionRegistry::Rows::CheckInvariants() const {
  for (std::size_t i = 0; i < headers_.size(); ++i) {
    const Header& header = headers_[i];
    if (header.size == 0) continue;
    if (header.size > RowLayout::Capacity(header.size_class)) {
      return absl::InternalError(
          absl::StrCat("the row of slot ", i, " overflows its block: ", header.size, " edges"));
    }
    if (header.size_class > 0 && header.size <= ShrinkSize(header.size_class)) {
      return absl::InternalError(
          absl::StrCat("the row of slot ", i, " has not shrunk: ", header.size,
                       " edges in a block of class ", static_cast<int>(header.size_class)));
    }
    const Slot owner = *OwnerOf(header);
    if (ToInt(owner) != i) {
      return absl::InternalError(
          absl::StrCat("the row of slot ", i, " lies in a block of slot ", ToInt(owner)));
    }
  }
  return absl::OkStatus();
}

}  // namespace nearby
