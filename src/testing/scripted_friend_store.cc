#include "nearby/testing/scripted_friend_store.h"

#include <utility>

#include "src/testing/call_script_state.h"

namespace nearby {

void ScriptedFriendStore::List(UserId user, ListDone done) {
  ScriptedCalls::Make(lists_, {user}, std::move(done),
                      [&](ListDone scripted) { store_->List(user, std::move(scripted)); });
}

void ScriptedFriendStore::Edit(const FriendEdit& edit, EditDone done) {
  ScriptedCalls::Make(edits_, {edit.user, edit.friend_id}, std::move(done),
                      [&](EditDone scripted) { store_->Edit(edit, std::move(scripted)); });
}

}  // namespace nearby
