#include "nearby/in_memory_ring_source.h"

#include <algorithm>
#include <cassert>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "nearby/hash_ring.h"

namespace nearby {
namespace {

// What the source knows of a watcher. Whoever finds nobody calling `changed` calls it until it has
// had the newest ring: so its calls do not overlap, and no lock is held meanwhile.
struct Listener {
  explicit Listener(RingSource::Changed the_changed) : changed(std::move(the_changed)) {}

  RingSource::Changed changed;
  std::optional<RingVersion> told;
  std::optional<std::thread::id> caller;  // the thread that is calling `changed`
  bool is_over = false;
  std::condition_variable idle;
};

}  // namespace

struct InMemoryRingSource::State {
  // Tells the watcher the newest ring, unless it knows it or somebody is at it.
  void Tell(Listener& listener);

  std::mutex mutex;
  Ring ring;
  std::vector<std::shared_ptr<Listener>> listeners;
};

void InMemoryRingSource::State::Tell(Listener& listener) {
  std::unique_lock<std::mutex> lock(mutex);
  if (listener.caller.has_value()) return;
  listener.caller = std::this_thread::get_id();
  while (!listener.is_over && ring != nullptr && listener.told != ring->version()) {
    Ring newest = ring;
    listener.told = newest->version();
    lock.unlock();
    listener.changed(std::move(newest));
    lock.lock();
  }
  listener.caller.reset();
  listener.idle.notify_all();
}

class InMemoryRingSource::Watching : public RingSource::Watcher {
 public:
  Watching(std::shared_ptr<State> state, std::shared_ptr<Listener> listener)
      : state_(std::move(state)), listener_(std::move(listener)) {}

  ~Watching() override {
    std::unique_lock<std::mutex> lock(state_->mutex);
    listener_->is_over = true;
    state_->listeners.erase(
        std::find(state_->listeners.begin(), state_->listeners.end(), listener_));
    assert(listener_->caller != std::this_thread::get_id());
    listener_->idle.wait(lock, [this] { return !listener_->caller.has_value(); });
    lock.unlock();
    // Another thread may still hold the listener; what `changed` holds goes now.
    listener_->changed = nullptr;
  }

 private:
  std::shared_ptr<State> state_;
  std::shared_ptr<Listener> listener_;
};

InMemoryRingSource::InMemoryRingSource() : state_(std::make_shared<State>()) {}
InMemoryRingSource::~InMemoryRingSource() = default;

absl::Status InMemoryRingSource::Set(Ring ring) {
  if (ring == nullptr) return absl::InvalidArgumentError("the ring is null");
  std::vector<std::shared_ptr<Listener>> listeners;
  {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    if (state_->ring != nullptr && ring->version() <= state_->ring->version()) {
      return absl::FailedPreconditionError(
          absl::StrCat("ring version ", ToInt(ring->version()), " is not above ",
                       ToInt(state_->ring->version()), ", that of the ring held"));
    }
    state_->ring = std::move(ring);
    listeners = state_->listeners;
  }
  for (const std::shared_ptr<Listener>& listener : listeners) state_->Tell(*listener);
  return absl::OkStatus();
}

std::unique_ptr<RingSource::Watcher> InMemoryRingSource::Watch(Changed changed) {
  auto listener = std::make_shared<Listener>(std::move(changed));
  {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    state_->listeners.push_back(listener);
  }
  state_->Tell(*listener);
  return std::make_unique<Watching>(state_, std::move(listener));
}

}  // namespace nearby
