#include "nearby/testing/scripted_history_store.h"

#include <utility>
#include <vector>

#include "nearby/ids.h"
#include "src/testing/call_script_state.h"

namespace nearby {

void ScriptedHistoryStore::Append(absl::Span<const AcceptedLocation> locations, Done done) {
  std::vector<UserId> users;
  users.reserve(locations.size());
  for (const AcceptedLocation& location : locations) users.push_back(location.user);
  ScriptedCalls::Make(appends_, std::move(users), std::move(done),
                      [&](Done scripted) { store_->Append(locations, std::move(scripted)); });
}

void ScriptedHistoryStore::Read(const Query& query, ReadDone done) {
  ScriptedCalls::Make(reads_, {query.user}, std::move(done),
                      [&](ReadDone scripted) { store_->Read(query, std::move(scripted)); });
}

}  // namespace nearby
