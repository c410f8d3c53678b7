#ifndef EXAMPLES_REPLAY_GEOLIFE_H_
#define EXAMPLES_REPLAY_GEOLIFE_H_

#include <string>

#include "absl/status/statusor.h"
#include "examples/replay/movement.h"

namespace replay {

/// Learns how people move from GPS recordings: a CSV of `lat,lng,datetime,uid` with a header, each
/// person's points together and in order of time, as in the samples of GeoLife (Zheng, Xie and Ma,
/// "GeoLife: A Collaborative Social Networking Service among User, Location and Trajectory", 2010).
///
/// Takes from them the speeds of walking, riding and driving; the rate and the speeds of jumps that
/// no vehicle makes; the rate and the lengths of gaps for reports at intervals of
/// `report_interval_s`.
///
/// `InvalidArgument` in the form "file:line: reason", or if some mode does not occur.
absl::StatusOr<MovementModel> LoadGeolife(const std::string& path, double report_interval_s);

}  // namespace replay

#endif  // EXAMPLES_REPLAY_GEOLIFE_H_
