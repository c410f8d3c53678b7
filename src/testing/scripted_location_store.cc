#include "nearby/testing/scripted_location_store.h"

#include <utility>
#include <vector>

#include "src/testing/call_script_state.h"

namespace nearby {

void ScriptedLocationStore::Write(absl::Span<const AcceptedLocation> locations, absl::Duration ttl,
                                  Done done) {
  std::vector<UserId> users;
  users.reserve(locations.size());
  for (const AcceptedLocation& location : locations) users.push_back(location.user);
  ScriptedCalls::Make(writes_, std::move(users), std::move(done),
                      [&](Done scripted) { store_->Write(locations, ttl, std::move(scripted)); });
}

void ScriptedLocationStore::Read(absl::Span<const UserId> users, ReadDone done) {
  ScriptedCalls::Make(reads_, {users.begin(), users.end()}, std::move(done),
                      [&](ReadDone scripted) { store_->Read(users, std::move(scripted)); });
}

void ScriptedLocationStore::Erase(absl::Span<const Erasure> erasures, Done done) {
  std::vector<UserId> users;
  users.reserve(erasures.size());
  for (const Erasure& erasure : erasures) users.push_back(erasure.user);
  ScriptedCalls::Make(erasures_, std::move(users), std::move(done),
                      [&](Done scripted) { store_->Erase(erasures, std::move(scripted)); });
}

}  // namespace nearby
