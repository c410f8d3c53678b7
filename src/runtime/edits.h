#ifndef NEARBY_SRC_RUNTIME_EDITS_H_
#define NEARBY_SRC_RUNTIME_EDITS_H_

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "nearby/friendship.h"
#include "nearby/runtime.h"

namespace nearby::internal {

// Edits of friendships under way, between the call and its completion, so that their number has a
// limit and none is forgotten when the runtime goes.
//
// Thread-safe.
class Edits {
 public:
  struct Edit {
    FriendEdit edit;
    Runtime::EditDone done;
  };

  explicit Edits(std::size_t limit) : limit_(limit) {}

  // A number for the edit, or nullopt if too many are under way; it is then left as it was.
  std::optional<std::uint64_t> Begin(Edit& edit);
  // Takes it out; nullopt if it is not there any more.
  std::optional<Edit> End(std::uint64_t number);
  std::optional<FriendEdit> Find(std::uint64_t number) const;
  // Takes all out, in order of their beginning.
  std::vector<Edit> EndAll();

  std::size_t size() const;

 private:
  const std::size_t limit_;
  mutable std::mutex mutex_;
  std::uint64_t next_ = 1;
  absl::flat_hash_map<std::uint64_t, Edit> edits_;
};

}  // namespace nearby::internal

#endif  // NEARBY_SRC_RUNTIME_EDITS_H_
