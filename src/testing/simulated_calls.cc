#include "src/testing/simulated_calls.h"

#include "nearby/testing/simulated_note.h"
#include "nearby/testing/simulation.h"
#include "src/testing/simulated_backend_state.h"

namespace nearby {
namespace {

using Cut = SimulatedBackend::Cut;

absl::Status StatusOf(absl::StatusCode code) {
  return absl::Status(code, "so it went in the simulation");
}

}  // namespace

// Invariants:
//   1. A place holds a call that is under way, or is among the free ones.
//   2. backend->calls_under_way counts those of a node that lives, over all nodes.
struct SimulatedCalls::State : std::enable_shared_from_this<SimulatedCalls::State> {
  // What is drawn for a call when it is made.
  struct Fate {
    bool fails = false;
    bool is_unknown = false;
    bool is_lost = false;
    bool in_parts = false;
    absl::StatusCode code = absl::StatusCode::kOk;  // of the first two
    std::int64_t to_ms = 0;
    std::int64_t from_ms = 0;
  };

  struct Place {
    std::unique_ptr<Call> call;
    Fate fate;
    std::uint32_t use = 0;  // tells one call in this place from the next
    bool is_carried_out = false;
  };

  // A call, by where it is.
  struct Name {
    std::uint32_t place = 0;
    std::uint32_t use = 0;
  };

  State(SimulatedBackendState* the_backend, NodeId the_node)
      : backend(the_backend), node(the_backend->NodeOf(the_node)) {}

  void Start(std::unique_ptr<Call> call);
  Fate DrawFate(const Call& call) const;
  void StartInline(std::unique_ptr<Call> call, const Fate& fate);
  Name Put(std::unique_ptr<Call> call, const Fate& fate);
  // Null if the call is over.
  Place* Find(Name name);
  std::unique_ptr<Call> TakeOut(Name name);
  void Arrive(Name name);
  // Whether all of it has been carried out.
  bool CarryOut(Call& call, const Fate& fate) const;
  void CarryOutNext(Name name, Place& place);
  void Return(Name name);
  void FailAfter(std::int64_t delay_ms, Name name, absl::StatusCode code);
  void Note(absl::StatusCode code) const;
  void End();

  bool is_reachable() const { return backend->is_up && node.cut == Cut::kNone; }
  std::size_t kept() const { return places.size() - free_places.size() + lost.size(); }
  void Count(SimulatedStoreFault fault) const { backend->Count(fault, node.id); }

  SimulatedBackendState* const backend;
  SimulatedBackendState::Node& node;
  bool has_ended = false;
  std::vector<Place> places;
  std::vector<std::uint32_t> free_places;
  std::vector<std::unique_ptr<Call>> lost;
  std::vector<absl::AnyInvocable<void()>> buried;
};

void SimulatedCalls::State::Start(std::unique_ptr<Call> call) {
  if (has_ended) {
    // Beyond the limit it goes at once.
    if (buried.size() < backend->options.max_calls) buried.push_back(call->TakeDone());
    return;
  }
  if (kept() >= backend->options.max_calls) {
    return call->Fail(absl::ResourceExhaustedError("too many calls are under way"));
  }
  const Fate fate = DrawFate(*call);
  if (is_reachable() && backend->random.Chance(backend->hardships().complete_inline)) {
    return StartInline(std::move(call), fate);
  }
  const Name name = Put(std::move(call), fate);
  backend->simulation->After(fate.to_ms, [self = shared_from_this(), name] { self->Arrive(name); });
}

SimulatedCalls::State::Fate SimulatedCalls::State::DrawFate(const Call& call) const {
  const SimulatedFaultOptions::Store& chances = backend->hardships();
  SimulatedRandom& random = backend->random;
  Fate fate;
  fate.fails = random.Chance(chances.fail);
  fate.is_unknown = !fate.fails && random.Chance(chances.unknown);
  fate.is_lost = !fate.fails && !fate.is_unknown && random.Chance(chances.lose_answer);
  if (fate.fails || fate.is_unknown) {
    constexpr absl::StatusCode kCodes[] = {absl::StatusCode::kUnavailable,
                                           absl::StatusCode::kDeadlineExceeded,
                                           absl::StatusCode::kResourceExhausted};
    // One that is out of room has done nothing.
    fate.code = kCodes[random.Below(fate.fails ? 3 : 2)];
  }
  fate.in_parts = call.parts() > 1 && random.Chance(chances.split_batch);
  const std::int64_t both_ms = random.Draw(chances.latency);
  fate.to_ms = random.Between(0, both_ms);
  fate.from_ms = both_ms - fate.to_ms;
  if (random.Chance(chances.delay_answer)) {
    Count(SimulatedStoreFault::kAnswerDelayed);
    (random.Chance(0.5) ? fate.to_ms : fate.from_ms) += random.Draw(chances.answer_delay);
  }
  return fate;
}

void SimulatedCalls::State::StartInline(std::unique_ptr<Call> call, const Fate& fate) {
  Count(SimulatedStoreFault::kInlineCompletion);
  if (fate.fails) {
    Count(SimulatedStoreFault::kCallFailed);
    return call->Fail(StatusOf(fate.code));
  }
  CarryOut(*call, {});
  if (fate.is_lost) {
    Count(SimulatedStoreFault::kAnswerLost);
    lost.push_back(std::move(call));
    return;
  }
  Note(fate.code);
  if (!fate.is_unknown) return call->Answer();
  Count(SimulatedStoreFault::kCallUnknown);
  call->Fail(StatusOf(fate.code));
}

SimulatedCalls::State::Name SimulatedCalls::State::Put(std::unique_ptr<Call> call,
                                                       const Fate& fate) {
  if (free_places.empty()) {
    free_places.push_back(static_cast<std::uint32_t>(places.size()));
    places.emplace_back();
  }
  const std::uint32_t number = free_places.back();
  free_places.pop_back();
  ++backend->calls_under_way;
  Place& place = places[number];
  place.call = std::move(call);
  place.fate = fate;
  place.is_carried_out = false;
  return {number, place.use};
}

SimulatedCalls::State::Place* SimulatedCalls::State::Find(Name name) {
  Place& place = places[name.place];
  return place.use == name.use ? &place : nullptr;
}

std::unique_ptr<SimulatedCalls::Call> SimulatedCalls::State::TakeOut(Name name) {
  Place& place = places[name.place];
  ++place.use;
  free_places.push_back(name.place);
  if (!has_ended) --backend->calls_under_way;
  return std::move(place.call);
}

bool SimulatedCalls::State::CarryOut(Call& call, const Fate& fate) const {
  backend->simulation->Note(static_cast<std::uint64_t>(SimulatedNote::kStoreCall),
                            static_cast<std::uint64_t>(backend->store), ToInt(node.id));
  return call.CarryOut(fate.in_parts);
}

void SimulatedCalls::State::CarryOutNext(Name name, Place& place) {
  SimulatedRandom& random = backend->random;
  const bool is_last = CarryOut(*place.call, place.fate);
  // What is not to end well may end anywhere.
  const bool ends_badly = place.fate.is_unknown || place.fate.is_lost || has_ended;
  place.is_carried_out = is_last || (ends_badly && random.Chance(0.25));
  if (place.is_carried_out) return;
  const std::int64_t pause_ms = random.Between(0, place.fate.from_ms);
  place.fate.from_ms -= pause_ms;
  backend->simulation->After(pause_ms, [self = shared_from_this(), name] { self->Arrive(name); });
}

void SimulatedCalls::State::Arrive(Name name) {
  Place* const place = Find(name);
  if (place == nullptr) return;
  const Fate fate = place->fate;
  if (!is_reachable() && (!backend->is_up || node.is_cut(Cut::kToStore))) {
    Count(SimulatedStoreFault::kCallUnreachable);
    // Who is cut off waits in vain; a store that is down refuses.
    return backend->is_up ? FailAfter(backend->random.Draw(backend->hardships().deadline), name,
                                      absl::StatusCode::kDeadlineExceeded)
                          : FailAfter(fate.from_ms, name, absl::StatusCode::kUnavailable);
  }
  if (fate.fails) {
    Count(SimulatedStoreFault::kCallFailed);
    return FailAfter(fate.from_ms, name, fate.code);
  }
  CarryOutNext(name, *place);
  if (!place->is_carried_out) return;
  if (fate.in_parts) Count(SimulatedStoreFault::kBatchSplit);
  if (has_ended) {
    TakeOut(name);
    return;
  }
  if (fate.is_lost) {
    Count(SimulatedStoreFault::kAnswerLost);
    lost.push_back(TakeOut(name));
    return;
  }
  backend->simulation->After(place->fate.from_ms,
                             [self = shared_from_this(), name] { self->Return(name); });
}

void SimulatedCalls::State::Return(Name name) {
  Place* const place = Find(name);
  if (place == nullptr) return;
  if (!backend->is_up || node.is_cut(Cut::kFromStore)) {
    Count(SimulatedStoreFault::kAnswerCutOff);
    return FailAfter(
        backend->random.Draw(backend->hardships().deadline), name,
        backend->is_up ? absl::StatusCode::kDeadlineExceeded : absl::StatusCode::kUnavailable);
  }
  const Fate fate = place->fate;
  const std::unique_ptr<Call> call = TakeOut(name);
  Note(fate.code);
  if (!fate.is_unknown) return call->Answer();
  Count(SimulatedStoreFault::kCallUnknown);
  call->Fail(StatusOf(fate.code));
}

void SimulatedCalls::State::FailAfter(std::int64_t delay_ms, Name name, absl::StatusCode code) {
  backend->simulation->After(delay_ms, [self = shared_from_this(), name, code] {
    if (self->Find(name) == nullptr) return;
    const std::unique_ptr<Call> call = self->TakeOut(name);
    // An orphan has nobody to tell.
    if (self->has_ended) return;
    self->Note(code);
    call->Fail(StatusOf(code));
  });
}

void SimulatedCalls::State::Note(absl::StatusCode code) const {
  backend->simulation->Note(
      static_cast<std::uint64_t>(SimulatedNote::kStoreAnswer),
      256 * static_cast<std::uint64_t>(backend->store) + static_cast<std::uint64_t>(code),
      ToInt(node.id));
}

void SimulatedCalls::State::End() {
  if (has_ended) return;
  for (std::uint32_t number = 0; number < places.size(); ++number) {
    Place& place = places[number];
    if (place.call == nullptr) continue;
    buried.push_back(place.call->TakeDone());
    // One that is on its way may arrive all the same.
    if (place.is_carried_out || backend->random.Chance(0.5)) {
      TakeOut({number, place.use});
    } else {
      --backend->calls_under_way;
    }
  }
  has_ended = true;
}

SimulatedCalls::SimulatedCalls(SimulatedBackend* backend, NodeId node)
    : state_(std::make_shared<State>(backend->state_.get(), node)) {}

SimulatedCalls::~SimulatedCalls() {
  state_->End();
  // Here, and not with the last that is scheduled. The end of one may bring another.
  std::vector<std::unique_ptr<Call>> lost;
  lost.swap(state_->lost);
  std::vector<absl::AnyInvocable<void()>> buried;
  buried.swap(state_->buried);
}

void SimulatedCalls::Start(std::unique_ptr<Call> call) { state_->Start(std::move(call)); }

void SimulatedCalls::Crash() {
  if (state_->has_ended) return;
  state_->Count(SimulatedStoreFault::kNodeCrashed);
  state_->End();
}

const SimulatedFaultOptions::Store& SimulatedCalls::hardships() const {
  return state_->backend->hardships();
}
SimulatedRandom& SimulatedCalls::random() { return state_->backend->random; }
void SimulatedCalls::Count(SimulatedStoreFault fault) { state_->Count(fault); }

}  // namespace nearby
