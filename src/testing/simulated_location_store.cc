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
         a->reported_at == b->reported_at && a->session == b->session &&
         a->speed_bound_mm_s == b->speed_bound_mm_s;
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
  state_->store.Write(locations, ttl, [&status](const absl::Status& result) { status = result; });
  for (const AcceptedLocation& location : locations) state_->Remember(location.user);
  done(std::move(status));
}

void SimulatedLocations::Read(absl::Span<const UserId> users, ReadDone done) {
  state_->store.Read(users, std::move(done));
}

void SimulatedLocations::Erase(absl::Span<const Erasure> erasures, Done done) {
  absl::Status status;
  state_->store.Erase(erasures, [&status](const absl::Status& result) { status = result; });
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
  calls_->MakeBatch(std::move(done), locations.size(), absl::OkStatus(),
                    [behind = behind_, ttl,
                     batch = std::vector<AcceptedLocation>(locations.begin(), locations.end())](
                        std::size_t first, std::size_t last, absl::Status* total) {
                      behind->Write(absl::MakeConstSpan(batch).subspan(first, last - first), ttl,
                                    [total](const absl::Status& status) { total->Update(status); });
                    });
}

void SimulatedLocationStore::Read(absl::Span<const UserId> users, ReadDone done) {
  using Found = std::vector<std::optional<AcceptedLocation>>;
  // How stale each is; nothing if none is.
  std::vector<std::int64_t> ages_ms;
  if (calls_->random().Chance(calls_->hardships().stale_read)) {
    calls_->Count(SimulatedStoreFault::kReadStale);
    for (std::size_t i = 0; i < users.size(); ++i) {
      ages_ms.push_back(calls_->random().Draw(calls_->hardships().staleness));
    }
  }
  calls_->MakeBatch(std::move(done), users.size(), absl::StatusOr<Found>(Found()),
                    [behind = behind_, batch = std::vector<UserId>(users.begin(), users.end()),
                     ages_ms = std::move(ages_ms)](std::size_t first, std::size_t last,
                                                   absl::StatusOr<Found>* total) {
                      if (ages_ms.empty()) {
                        return behind->Read(absl::MakeConstSpan(batch).subspan(first, last - first),
                                            [total](const absl::StatusOr<Found>& found) {
                                              (*total)->insert((*total)->end(), found->begin(),
                                                               found->end());
                                            });
                      }
                      for (std::size_t i = first; i < last; ++i) {
                        const Time as_of = Time::Millis(behind->now().ms - ages_ms[i]);
                        (*total)->push_back(behind->AsOf(batch[i], as_of));
                      }
                    });
}

void SimulatedLocationStore::Erase(absl::Span<const Erasure> erasures, Done done) {
  calls_->MakeBatch(
      std::move(done), erasures.size(), absl::OkStatus(),
      [behind = behind_, batch = std::vector<Erasure>(erasures.begin(), erasures.end())](
          std::size_t first, std::size_t last, absl::Status* total) {
        behind->Erase(absl::MakeConstSpan(batch).subspan(first, last - first),
                      [total](const absl::Status& status) { total->Update(status); });
      });
}

void SimulatedLocationStore::Crash() { calls_->Crash(); }

}  // namespace nearby
