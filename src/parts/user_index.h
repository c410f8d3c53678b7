#ifndef NEARBY_SRC_PARTS_USER_INDEX_H_
#define NEARBY_SRC_PARTS_USER_INDEX_H_

#include "nearby/ids.h"
#include "nearby/location_cache.h"
#include "src/base/slot_lines.h"
#include "src/parts/user_hash.h"
#include "src/parts/user_table.h"

namespace nearby {

/// The users of a cache's lines, which must outlive this.
class LocationCache::IndexedUsers {
 public:
  explicit IndexedUsers(const internal::SlotLines* lines) : lines_(*lines) {}

  UserId operator()(Slot slot) const { return lines_[slot].user; }
  void Prefetch(Slot slot) const { lines_.Prefetch(slot); }

 private:
  const internal::SlotLines& lines_;
};

/// Users to slots. An indexed slot's user must not change.
class LocationCache::Index : public UserTable<IndexedUsers, UserHash> {
 public:
  using UserTable::UserTable;
};

}  // namespace nearby

#endif  // NEARBY_SRC_PARTS_USER_INDEX_H_
