#ifndef NEARBY_SRC_PARTS_USER_INDEX_H_
#define NEARBY_SRC_PARTS_USER_INDEX_H_

#include "nearby/ids.h"
#include "nearby/location_cache.h"
#include "src/base/prefetch.h"
#include "src/parts/user_hash.h"
#include "src/parts/user_table.h"

namespace nearby {

/// The users of a cache's array. Borrows the pointer to it, which must outlive this.
class LocationCache::IndexedUsers {
 public:
  explicit IndexedUsers(Identity* const* identities) : identities_(*identities) {}

  UserId operator()(Slot slot) const { return identities_[ToInt(slot)].user; }
  void Prefetch(Slot slot) const { internal::Prefetch(&identities_[ToInt(slot)]); }

 private:
  Identity* const& identities_;
};

/// Users to slots. An indexed slot's user must not change.
class LocationCache::Index : public UserTable<IndexedUsers, UserHash> {
 public:
  using UserTable::UserTable;
};

}  // namespace nearby

#endif  // NEARBY_SRC_PARTS_USER_INDEX_H_
