#include "nearby/testing/simulated_ring_source.h"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "nearby/testing/simulated_note.h"
#include "nearby/testing/simulated_random.h"
#include "nearby/testing/simulation.h"

namespace nearby {
namespace {

constexpr SimulatedDelay kWithinASecond{0, 999};

struct Listener {
  explicit Listener(RingSource::Changed the_changed) : changed(std::move(the_changed)) {}

  // Calls `changed`, unless it knows that ring.
  void Tell(RingSource::Ring ring) {
    if (is_over || ring == nullptr) return;
    if (told.has_value() && *told >= ring->version()) return;
    told = ring->version();
    changed(std::move(ring));
  }

  RingSource::Changed changed;
  std::optional<RingVersion> told;
  bool is_over = false;
};

}  // namespace

// What one node knows.
class SimulatedRingView {
 public:
  explicit SimulatedRingView(NodeId the_node) : node(the_node) {}

  NodeId node;
  bool has_crashed = false;
  RingSource::Ring known;
  std::vector<std::shared_ptr<Listener>> listeners;
  // Of losing touch: it is in touch while the number is even.
  std::uint32_t touch_number = 0;

  bool is_in_touch() const { return touch_number % 2 == 0; }
};

// What is decided, and what travels to the nodes.
class SimulatedRings final : public SimulatedFaults::Part {
 public:
  using View = std::shared_ptr<SimulatedRingView>;

  explicit SimulatedRings(SimulatedFaults* the_faults)
      : faults(the_faults),
        simulation(&the_faults->simulation()),
        random(simulation->random().Fork()) {
    faults->Add(this);
  }
  ~SimulatedRings() override { faults->Remove(this); }

  // Sends the node the newest ring.
  void Inform(const View& view);
  void Hear(SimulatedRingView& view, RingSource::Ring news);
  void LoseTouch(const View& view) const;
  void RegainTouch(const View& view);
  View Find(NodeId node) const;

  void BeginFaults() override;
  void Heal() override;

  const SimulatedFaultOptions::Ring& hardships() const { return faults->options().ring; }

  SimulatedFaults* const faults;
  Simulation* const simulation;
  SimulatedRandom random;
  RingSource::Ring ring;
  std::vector<View> views;  // of the nodes that live
};

void SimulatedRings::Inform(const View& view) {
  if (ring == nullptr) return;
  std::int64_t delay_ms = random.Draw(hardships().latency);
  if (random.Chance(hardships().delay_news)) {
    faults->Count(SimulatedFault::kRingDelayed, ToInt(view->node), ToInt(ring->version()));
    delay_ms += random.Draw(hardships().news_delay);
  }
  simulation->After(delay_ms, [this, view, news = ring] { Hear(*view, news); });
}

void SimulatedRings::Hear(SimulatedRingView& view, RingSource::Ring news) {
  // Who is out of touch hears of the newest when they are in touch again.
  if (view.has_crashed || !view.is_in_touch()) return;
  const bool is_known = view.known != nullptr && view.known->version() >= news->version();
  const bool gets_lost =
      ring->version() > news->version() && random.Chance(hardships().skip_version);
  if (is_known || gets_lost) {
    // Not when the same news come twice.
    if (gets_lost || view.known->version() > news->version()) {
      faults->Count(SimulatedFault::kRingSkipped, ToInt(view.node), ToInt(news->version()));
    }
    return;
  }
  view.known = std::move(news);
  simulation->Note(static_cast<std::uint64_t>(SimulatedNote::kRing), ToInt(view.node),
                   ToInt(view.known->version()));
  // A copy: whoever is told may watch, or stop watching.
  const std::vector<std::shared_ptr<Listener>> listeners = view.listeners;
  for (const std::shared_ptr<Listener>& listener : listeners) {
    if (!view.has_crashed) listener->Tell(view.known);
  }
}

void SimulatedRings::LoseTouch(const View& view) const {
  if (!view->is_in_touch()) return;
  ++view->touch_number;
  faults->Count(SimulatedFault::kRingOutOfTouch, ToInt(view->node), 0);
}

void SimulatedRings::RegainTouch(const View& view) {
  if (view->is_in_touch()) return;
  ++view->touch_number;
  Inform(view);
}

SimulatedRings::View SimulatedRings::Find(NodeId node) const {
  const auto it = std::find_if(views.begin(), views.end(),
                               [node](const View& view) { return view->node == node; });
  return it == views.end() ? nullptr : *it;
}

void SimulatedRings::BeginFaults() {
  for (const View& view : views) {
    if (!view->is_in_touch() || !random.Chance(hardships().lose_touch)) continue;
    simulation->After(random.Draw(kWithinASecond), [this, view] {
      if (faults->is_quiet() || view->has_crashed || !view->is_in_touch()) return;
      LoseTouch(view);
      simulation->After(random.Draw(hardships().out_of_touch),
                        [this, view, number = view->touch_number] {
                          if (!view->has_crashed && view->touch_number == number) RegainTouch(view);
                        });
    });
  }
}

void SimulatedRings::Heal() {
  for (const View& view : views) RegainTouch(view);
}

SimulatedRingAuthority::SimulatedRingAuthority(SimulatedFaults* faults)
    : rings_(std::make_unique<SimulatedRings>(faults)) {}
SimulatedRingAuthority::~SimulatedRingAuthority() { assert(rings_->views.empty()); }

absl::Status SimulatedRingAuthority::Set(RingSource::Ring ring) {
  if (ring == nullptr) return absl::InvalidArgumentError("the ring is null");
  if (rings_->ring != nullptr && ring->version() <= rings_->ring->version()) {
    return absl::FailedPreconditionError(
        absl::StrCat("ring version ", ToInt(ring->version()), " is not above ",
                     ToInt(rings_->ring->version()), ", that of the ring held"));
  }
  rings_->ring = std::move(ring);
  for (const SimulatedRings::View& view : rings_->views) rings_->Inform(view);
  return absl::OkStatus();
}

const RingSource::Ring& SimulatedRingAuthority::ring() const { return rings_->ring; }

void SimulatedRingAuthority::LoseTouch(NodeId node) {
  if (const auto view = rings_->Find(node)) rings_->LoseTouch(view);
}

void SimulatedRingAuthority::RegainTouch(NodeId node) {
  if (const auto view = rings_->Find(node)) rings_->RegainTouch(view);
}

bool SimulatedRingAuthority::all_know() const {
  return std::all_of(rings_->views.begin(), rings_->views.end(),
                     [this](const auto& view) { return view->known == rings_->ring; });
}

class SimulatedRingSource::Watching : public RingSource::Watcher {
 public:
  Watching(std::shared_ptr<SimulatedRingView> view, std::shared_ptr<Listener> listener)
      : view_(std::move(view)), listener_(std::move(listener)) {}

  ~Watching() override {
    listener_->is_over = true;
    auto& listeners = view_->listeners;
    listeners.erase(std::remove(listeners.begin(), listeners.end(), listener_), listeners.end());
    // What is scheduled may still hold the listener.
    listener_->changed = nullptr;
  }

 private:
  std::shared_ptr<SimulatedRingView> view_;
  std::shared_ptr<Listener> listener_;
};

SimulatedRingSource::SimulatedRingSource(SimulatedRingAuthority* authority, NodeId node)
    : rings_(authority->rings_.get()), view_(std::make_shared<SimulatedRingView>(node)) {
  rings_->views.push_back(view_);
  rings_->Inform(view_);
}

SimulatedRingSource::~SimulatedRingSource() { SimulatedRingSource::Crash(); }

void SimulatedRingSource::Crash() {
  if (view_->has_crashed) return;
  view_->has_crashed = true;
  auto& views = rings_->views;
  views.erase(std::remove(views.begin(), views.end(), view_), views.end());
}

std::unique_ptr<RingSource::Watcher> SimulatedRingSource::Watch(Changed changed) {
  auto listener = std::make_shared<Listener>(std::move(changed));
  if (!view_->has_crashed) {
    view_->listeners.push_back(listener);
    rings_->simulation->After(0, [view = view_, listener] {
      if (!view->has_crashed) listener->Tell(view->known);
    });
  }
  return std::make_unique<Watching>(view_, std::move(listener));
}

const RingSource::Ring& SimulatedRingSource::ring() const { return view_->known; }

}  // namespace nearby
