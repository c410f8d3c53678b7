#ifndef EXAMPLES_REPLAY_GOWALLA_H_
#define EXAMPLES_REPLAY_GOWALLA_H_

#include <string>

#include "absl/status/statusor.h"
#include "examples/replay/population.h"

namespace replay {

/// Reads the people of Gowalla, a location-based social network: a directory with
///   socialRelations.txt.gz                  user friend
///   poiCoos.txt.gz                          place lat lng
///   train.txt.gz, tune.txt.gz, test.txt.gz  user place visits
/// separated by white space, gzipped or not. Everyone with a visit is a person who goes to the
/// places visited, the more often the more visits. Friendships are kept whether or not both have
/// visits.
///
/// `InvalidArgument` in the form "file:line: reason".
absl::StatusOr<Population> LoadGowalla(const std::string& directory);

}  // namespace replay

#endif  // EXAMPLES_REPLAY_GOWALLA_H_
