#include "nearby/testing/simulated_location_store.h"

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "nearby/in_memory_location_store.h"
#include "src/testing/simulated_calls.h"

namespace nearby {
namespace {

bool IsSame(const std::optional<AcceptedLocation>& a, const std::optional<AcceptedLocation>& b) {
  if (!a.has_value() || !b.has_value()) return a.has_value() == b.has_value();
  return a->position == b->position && a->accepted_at == b->accepted_at &&
         a->reported_at == b->reported_at;
}

}  // namespace

struct SimulatedLocations::State {
  // What a user had from then on.
  struct Since {
    Time time;
    std::optional<AcceptedLocation> location;
  };

  explicit State(const Clock* the_clock) : clock(the_clock), store(the_clock) {}

  // Looks at what the user has now.
  void Remember(UserId user);

  const Clock* const clock;
  InMemoryLocationStore store;
  absl::flat_hash_map<UserId, std::deque<Since>> remembered;  // the oldest first
};

void SimulatedLocations::State::Remember(UserId user) {
  std::optional<AcceptedLocation> held;
  store.Read({user}, [&held](absl::StatusOr<std::vector<std::optional<AcceptedLocation>>> found) {
    held = found->front();
  });
  std::deque<Since>& past = remembered[user];
  if (past.empty()) past.push_back({Time::Millis(-kMaxTimeMs), std::nullopt});
  if (IsSame(past.back().location, held)) return;
  past.push_back({clock->Now(), held});
  if (past.size() > kRemembered) past.pop_front();
}

SimulatedLocations::SimulatedLocations(const Clock* clock)
    : state_(std::make_unique<State>(clock)) {}
SimulatedLocations::~SimulatedLocations() = default;

void SimulatedLocations::Write(absl::Span<const AcceptedLocation> locations, absl::Duration ttl,
                               Done done) {
  absl::Status status;
  state_->store.Write(locations, ttl, [&status](absl::Status result) { status = result; });
  for (const AcceptedLocation& location : locations) state_->Remember(location.user);
  done(std::move(status));
}

void SimulatedLocations::Read(absl::Span<const UserId> users, ReadDone done) {
  state_->store.Read(users, std::move(done));
}

void SimulatedLocations::Erase(absl::Span<const Erasure> erasures, Done done) {
  absl::Status status;
  state_->store.Erase(erasures, [&status](absl::Status result) { status = result; });
  for (const Erasure& erasure : erasures) state_->Remember(erasure.user);
  done(std::move(status));
}

std::optional<AcceptedLocation> SimulatedLocations::AsOf(UserId user, Time time) const {
  const auto it = state_->remembered.find(user);
  if (it == state_->remembered.end()) return std::nullopt;
  const std::deque<State::Since>& past = it->second;
  const auto after = std::find_if(past.begin(), past.end(),
                                  [time](const State::Since& since) { return since.time > time; });
  return after == past.begin() ? past.front().location : std::prev(after)->location;
}

Time SimulatedLocations::now() const { return state_->clock->Now(); }

SimulatedLocationStore::SimulatedLocationStore(SimulatedBackend* backend,
                                               SimulatedLocations* behind, NodeId node)
    : behind_(behind), calls_(std::make_unique<SimulatedCalls>(backend, node)) {}
SimulatedLocationStore::~SimulatedLocationStore() = default;

void SimulatedLocationStore::Write(absl::Span<const AcceptedLocation> locations, absl::Duration ttl,
                                   Done done) {
  calls_->Make<absl::Status>(
      std::move(done), [behind = behind_, ttl,
                        batch = std::vector<AcceptedLocation>(locations.begin(), locations.end())](
                           Done result) { behind->Write(batch, ttl, std::move(result)); });
}

void SimulatedLocationStore::Read(absl::Span<const UserId> users, ReadDone done) {
  using Result = absl::StatusOr<std::vector<std::optional<AcceptedLocation>>>;
  std::vector<UserId> batch(users.begin(), users.end());
  if (!calls_->random().Chance(calls_->hardships().stale_read)) {
    return calls_->Make<Result>(std::move(done),
                                [behind = behind_, batch = std::move(batch)](ReadDone result) {
                                  behind->Read(batch, std::move(result));
                                });
  }
  calls_->Count(SimulatedStoreFault::kReadStale);
  std::vector<std::int64_t> ages_ms(batch.size());
  for (std::int64_t& age_ms : ages_ms) {
    age_ms = calls_->random().Draw(calls_->hardships().staleness);
  }
  calls_->Make<Result>(std::move(done), [behind = behind_, batch = std::move(batch),
                                         ages_ms = std::move(ages_ms)](ReadDone result) {
    std::vector<std::optional<AcceptedLocation>> found(batch.size());
    for (std::size_t i = 0; i < batch.size(); ++i) {
      found[i] = behind->AsOf(batch[i], Time::Millis(behind->now().ms - ages_ms[i]));
    }
    result(std::move(found));
  });
}

void SimulatedLocationStore::Erase(absl::Span<const Erasure> erasures, Done done) {
  calls_->Make<absl::Status>(
      std::move(done),
      [behind = behind_, batch = std::vector<Erasure>(erasures.begin(), erasures.end())](
          Done result) { behind->Erase(batch, std::move(result)); });
}

void SimulatedLocationStore::Crash() { calls_->Crash(); }

}  // namespace nearby
