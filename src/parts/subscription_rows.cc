#include "src/parts/subscription_rows.h"

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace nearby {

void SubscriptionRegistry::Rows::Append(Slot slot, Edge edge) {
  if (ToInt(slot) >= headers_.size()) headers_.resize(ToInt(slot) + std::size_t{1});
  Header& header = headers_[ToInt(slot)];
  assert(header.size < kMaxRow);
  if (header.size == 0) {
    header.size_class = 0;
    header.line = NewBlock(0, slot);
  } else if (header.size == Capacity(header.size_class)) {
    MoveTo(slot, header.size_class + std::size_t{1});
  }
  new (pool_.At(header.line) + header.size) Edge(edge);
  ++header.size;
}

void SubscriptionRegistry::Rows::Remove(Slot slot, std::size_t index) {
  Header& header = headers_[ToInt(slot)];
  assert(index < header.size);
  Edge* const row = pool_.At(header.line);
  --header.size;
  row[index] = row[header.size];
  if (header.size == 0) {
    FreeBlock(header.line, header.size_class);
  } else if (header.size <= ShrinkSize(header.size_class)) {
    MoveTo(slot, header.size_class - std::size_t{1});
  }
}

std::uint32_t SubscriptionRegistry::Rows::NewBlock(std::size_t size_class, Slot owner) {
  const std::uint32_t line = pool_.Append(size_class);
  new (pool_.At(line) + Capacity(size_class)) Edge(owner, kNoEdgeFlags);
  return line;
}

void SubscriptionRegistry::Rows::FreeBlock(std::uint32_t line, std::size_t size_class) {
  const std::uint32_t last = pool_.Last(size_class);
  if (last != line) {
    const Edge* const from = pool_.At(last);
    Edge* const to = pool_.At(line);
    const Slot owner = from[Capacity(size_class)].neighbour();
    Header& moved = headers_[ToInt(owner)];
    std::uninitialized_copy_n(from, moved.size, to);
    new (to + Capacity(size_class)) Edge(owner, kNoEdgeFlags);
    moved.line = line;
  }
  pool_.DropLast(size_class);
}

void SubscriptionRegistry::Rows::MoveTo(Slot slot, std::size_t size_class) {
  Header& header = headers_[ToInt(slot)];
  const std::uint32_t old_line = header.line;
  const std::size_t old_class = header.size_class;
  header.line = NewBlock(size_class, slot);
  header.size_class = static_cast<std::uint8_t>(size_class);
  std::uninitialized_copy_n(pool_.At(old_line), header.size, pool_.At(header.line));
  FreeBlock(old_line, old_class);
}

absl::Status SubscriptionRegistry::Rows::CheckInvariants() const {
  for (std::size_t i = 0; i < headers_.size(); ++i) {
    const Header& header = headers_[i];
    if (header.size == 0) continue;
    if (header.size > Capacity(header.size_class)) {
      return absl::InternalError(
          absl::StrCat("the row of slot ", i, " overflows its block: ", header.size, " edges"));
    }
    if (header.size_class > 0 && header.size <= ShrinkSize(header.size_class)) {
      return absl::InternalError(
          absl::StrCat("the row of slot ", i, " has not shrunk: ", header.size,
                       " edges in a block of class ", static_cast<int>(header.size_class)));
    }
    const Slot owner = pool_.At(header.line)[Capacity(header.size_class)].neighbour();
    if (ToInt(owner) != i) {
      return absl::InternalError(
          absl::StrCat("the row of slot ", i, " lies in a block of slot ", ToInt(owner)));
    }
  }
  return absl::OkStatus();
}

}  // namespace nearby
