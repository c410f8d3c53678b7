#ifndef EXAMPLES_PHONES_SIGHT_CHECK_H_
#define EXAMPLES_PHONES_SIGHT_CHECK_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "examples/phones/fleet.h"
#include "examples/phones/phone.h"
#include "nearby/client_codec.h"
#include "nearby/ids.h"

namespace phones {

/// Holds what the phones of a fleet see against what they should see, by brute force: for each
/// phone and each of its friends, the distance of where the two are.
///
/// What has happened within the grace may have come to a phone or not. So of somebody who has just
/// reported both the last two locations count, and either answer is right between the two; who has
/// just connected, or is not connected, is left out.
///
///   SightCheck check({radius_m, absl::Seconds(1)}, &fleet);
///   SightCheck::Result result = check.Look(clock.NowMicros());   // several times a second
///
/// Thread-compatible. Borrows the fleet.
/// Cost: up to four distances for each phone and friend, some 50 ns each.
class SightCheck {
 public:
  struct Options {
    double radius_m = 8046.72;
    absl::Duration grace = absl::Seconds(1);
  };

  /// Pairs of a phone and a friend.
  struct Result {
    std::size_t right = 0;    ///< In sight, as they should be.
    std::size_t across = 0;   ///< Of these, on two servers.
    std::size_t missing = 0;  ///< Not in sight, and should be.
    std::size_t extra = 0;    ///< In sight, and should not be.
    std::size_t stale = 0;    ///< In sight as they should be, but not where they were last.
    std::size_t left_out = 0;
    /// One of those that are wrong, as "stale:VIEWER:FRIEND"; "-" if there is none.
    std::string example = "-";
  };

  SightCheck(const Options& options, const Fleet* fleet) : options_(options), fleet_(fleet) {}

  /// Must be called at least once between two reports of a phone.
  Result Look(std::int64_t now_us);

 private:
  // What is known of a phone, besides what the fleet knows.
  struct Track {
    std::optional<nearby::ReportCall> current;
    std::optional<nearby::ReportCall> previous;
    std::optional<std::size_t> server;
    std::int64_t online_since_us = 0;  // if there is a server
  };

  void Follow(std::int64_t now_us);
  bool IsSettled(const Track& track, std::int64_t now_us) const;
  // Where somebody may be thought to be.
  std::vector<nearby::ReportCall> Candidates(const Track& track, std::int64_t now_us) const;
  // What is wrong with the pair; null if nothing is.
  const char* Judge(const Track& viewer, const Track& seen, const Sighting& sighting,
                    std::int64_t now_us, Result* result) const;

  const Options options_;
  const Fleet* const fleet_;
  std::vector<Track> tracks_;  // by the phone's number
  absl::flat_hash_map<nearby::UserId, std::size_t> numbers_;
};

}  // namespace phones

#endif  // EXAMPLES_PHONES_SIGHT_CHECK_H_
