#include "nearby/in_memory_history_store.h"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <list>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "nearby/effects.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/time.h"

namespace nearby {
namespace {

// The locations of one user, ascending by accepted_at: a circle that grows up to a maximum and then
// overwrites its oldest.
class Track {
 public:
  struct Point {
    Position position;
    Time accepted_at;
    Time reported_at;
  };

  explicit Track(UserId user) : user_(user) {}

  UserId user() const { return user_; }
  std::size_t size() const { return size_; }
  const Point& operator[](std::size_t i) const { return points_[Place(i)]; }

  // Requires max >= 1. What is older than all of a full track is dropped.
  void Insert(const Point& point, std::size_t max) {
    if (size_ == max) {
      if (point.accepted_at < (*this)[0].accepted_at) return;
      first_ = Place(1);
      --size_;
    }
    if (size_ == points_.size()) Grow(max);
    // Locations come in order, but for those that are appended once more after a failure.
    std::size_t place = size_++;
    for (; place > 0 && point.accepted_at < (*this)[place - 1].accepted_at; --place) {
      points_[Place(place)] = (*this)[place - 1];
    }
    points_[Place(place)] = point;
  }

  // The first that was accepted at `time` or later; size() if there is none.
  std::size_t LowerBound(Time time) const {
    std::size_t begin = 0;
    for (std::size_t end = size_; begin < end;) {
      const std::size_t middle = begin + (end - begin) / 2;
      if ((*this)[middle].accepted_at < time) {
        begin = middle + 1;
      } else {
        end = middle;
      }
    }
    return begin;
  }

 private:
  std::size_t Place(std::size_t i) const {
    const std::size_t place = first_ + i;
    return place < points_.size() ? place : place - points_.size();
  }

  void Grow(std::size_t max) {
    // The circle turns only once it has its full size.
    assert(first_ == 0);
    const std::size_t size = std::min(max, std::max<std::size_t>(4, 2 * points_.size()));
    points_.reserve(size);
    points_.resize(size);
  }

  UserId user_;
  std::vector<Point> points_;
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

}  // namespace

struct InMemoryHistoryStore::State {
  explicit State(const Options& the_options) : options(the_options) {}

  // The user's track, at the end of `tracks`.
  Track& Touch(UserId user);
  void Append(const AcceptedLocation& location);

  const Options options;
  std::mutex mutex;
  std::list<Track> tracks;  // the one appended to the longest ago first
  absl::flat_hash_map<UserId, std::list<Track>::iterator> by_user;
  std::size_t size = 0;  // points of all tracks
};

Track& InMemoryHistoryStore::State::Touch(UserId user) {
  const auto [it, is_new] = by_user.try_emplace(user);
  if (!is_new) {
    tracks.splice(tracks.end(), tracks, it->second);
    return tracks.back();
  }
  it->second = tracks.emplace(tracks.end(), user);
  if (tracks.size() > options.max_users) {
    size -= tracks.front().size();
    by_user.erase(tracks.front().user());
    tracks.pop_front();
  }
  return tracks.back();
}

void InMemoryHistoryStore::State::Append(const AcceptedLocation& location) {
  if (options.max_users == 0 || options.max_per_user == 0) return;
  Track& track = Touch(location.user);
  size -= track.size();
  track.Insert({location.position, location.accepted_at, location.reported_at},
               options.max_per_user);
  size += track.size();
}

InMemoryHistoryStore::InMemoryHistoryStore() : InMemoryHistoryStore(Options()) {}
InMemoryHistoryStore::InMemoryHistoryStore(const Options& options)
    : state_(std::make_unique<State>(options)) {}
InMemoryHistoryStore::~InMemoryHistoryStore() = default;

void InMemoryHistoryStore::Append(absl::Span<const AcceptedLocation> locations, Done done) {
  {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    for (const AcceptedLocation& location : locations) state_->Append(location);
  }
  done(absl::OkStatus());
}

void InMemoryHistoryStore::Read(const Query& query, ReadDone done) {
  std::vector<AcceptedLocation> locations;
  {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    const auto it = state_->by_user.find(query.user);
    if (it != state_->by_user.end()) {
      const Track& track = *it->second;
      for (std::size_t i = track.LowerBound(query.from);
           i < track.size() && track[i].accepted_at < query.until && locations.size() < query.limit;
           ++i) {
        locations.push_back(
            {query.user, track[i].position, track[i].accepted_at, track[i].reported_at});
      }
    }
  }
  done(std::move(locations));
}

std::size_t InMemoryHistoryStore::size() const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  return state_->size;
}

}  // namespace nearby
