#include "examples/phones/sight_check.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "nearby/geo.h"

namespace phones {
namespace {

using nearby::ReportCall;

// Servers decide within 2 cm of the haversine formula.
constexpr double kToleranceMeters = 0.05;

}  // namespace

SightCheck::Result SightCheck::Look(std::int64_t now_us) {
  Follow(now_us);
  Result result;
  for (std::size_t number = 0; number < tracks_.size(); ++number) {
    const Track& viewer = tracks_[number];
    for (const Sighting& sighting : fleet_->phone(number).friends()) {
      const auto found = numbers_.find(sighting.friend_id);
      if (found == numbers_.end()) continue;  // who has no phone
      const Track& seen = tracks_[found->second];
      if (!IsSettled(viewer, now_us) || !IsSettled(seen, now_us)) {
        ++result.left_out;
        continue;
      }
      const char* const wrong = Judge(viewer, seen, sighting, now_us, &result);
      if (wrong == nullptr || result.example != "-") continue;
      result.example = absl::StrCat(wrong, ":", nearby::ToInt(fleet_->phone(number).user()), ":",
                                    nearby::ToInt(sighting.friend_id));
    }
  }
  return result;
}

void SightCheck::Follow(std::int64_t now_us) {
  while (tracks_.size() < fleet_->size()) {
    numbers_.emplace(fleet_->phone(tracks_.size()).user(), tracks_.size());
    tracks_.emplace_back();
  }
  for (std::size_t number = 0; number < tracks_.size(); ++number) {
    Track& track = tracks_[number];
    const std::optional<ReportCall>& latest = fleet_->latest(number);
    if (latest.has_value() &&
        (!track.current.has_value() || track.current->reported_at != latest->reported_at)) {
      track.previous = track.current;
      track.current = latest;
    }
    const std::optional<std::size_t> server = fleet_->server_of(number);
    if (server != track.server) track.online_since_us = now_us;
    track.server = server;
  }
}

bool SightCheck::IsSettled(const Track& track, std::int64_t now_us) const {
  return track.server.has_value() && track.current.has_value() &&
         now_us - track.online_since_us >= absl::ToInt64Microseconds(options_.grace);
}

std::vector<ReportCall> SightCheck::Candidates(const Track& track, std::int64_t now_us) const {
  std::vector<ReportCall> candidates = {*track.current};
  const std::int64_t age_us = now_us - track.current->reported_at.ms * 1000;
  if (track.previous.has_value() && age_us < absl::ToInt64Microseconds(options_.grace)) {
    candidates.push_back(*track.previous);
  }
  return candidates;
}

const char* SightCheck::Judge(const Track& viewer, const Track& seen, const Sighting& sighting,
                              std::int64_t now_us, Result* result) const {
  const std::vector<ReportCall> here = Candidates(viewer, now_us);
  const std::vector<ReportCall> there = Candidates(seen, now_us);
  double nearest = std::numeric_limits<double>::infinity();
  double farthest = 0;
  for (const ReportCall& mine : here) {
    for (const ReportCall& theirs : there) {
      const double distance = nearby::HaversineMeters(mine.location, theirs.location);
      nearest = std::min(nearest, distance);
      farthest = std::max(farthest, distance);
    }
  }
  if (nearest > options_.radius_m + kToleranceMeters) {
    if (!sighting.is_in_sight) return nullptr;
    ++result->extra;
    return "extra";
  }
  if (farthest > options_.radius_m - kToleranceMeters) return nullptr;
  if (!sighting.is_in_sight) {
    ++result->missing;
    return "missing";
  }
  if (sighting.reported_at < there.back().reported_at) {
    ++result->stale;
    return "stale";
  }
  ++result->right;
  if (viewer.server != seen.server) ++result->across;
  return nullptr;
}

}  // namespace phones
