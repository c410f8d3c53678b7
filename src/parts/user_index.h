#ifndef NEARBY_SRC_PARTS_USER_INDEX_H_
#define NEARBY_SRC_PARTS_USER_INDEX_H_

#include "nearby/ids.h"
#include "nearby/location_cache.h"
#include "src/base/prefetch.h"
#include "src/parts/user_hash.h"
#include "src/parts/user_table.h"

namespace nearby {

/// The users of a cache's arrays. Borrows the pointers to the arrays, which must outlive it.
class LocationCache::IndexedUsers {
 public:
  IndexedUsers(Identity* const* identities, Position* const* positions)
      : identities_(*identities), positions_(*positions) {}

  UserId operator()(Slot slot) const { return identities_[ToInt(slot)].user; }
  /// Starts to fetch the user, and the position that is told with the slot.
  void Prefetch(Slot slot) const {
    internal::Prefetch(&identities_[ToInt(slot)]);
    internal::Prefetch(&positions_[ToInt(slot)]);
  }

 private:
  Identity* const& identities_;
  Position* const& positions_;
};

/// Users to slots. An indexed slot's user must not change.
class LocationCache::Index : public UserTable<IndexedUsers, UserHash> {
 public:
  using UserTable::UserTable;
};

}  // namespace nearby

#endif  // NEARBY_SRC_PARTS_USER_INDEX_H_
