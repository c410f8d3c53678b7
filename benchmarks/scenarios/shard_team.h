#ifndef BENCHMARKS_SCENARIOS_SHARD_TEAM_H_
#define BENCHMARKS_SCENARIOS_SHARD_TEAM_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/types/span.h"
#include "benchmarks/capacity/batches.h"
#include "benchmarks/capacity/engine_side.h"
#include "benchmarks/capacity/trace.h"
#include "benchmarks/capacity/world.h"
#include "benchmarks/scenarios/crew.h"
#include "benchmarks/scenarios/flags.h"
#include "benchmarks/scenarios/shard_mail.h"
#include "nearby/effects.h"
#include "nearby/ids.h"
#include "nearby/options.h"
#include "nearby/stats.h"

namespace scenarios {

/// What happens at one time: reports, and then users who go and come back at once.
struct ShardStep {
  capacity::Batch batch;
  std::vector<std::uint32_t> reconnects;
};

/// What one shard's thread did, and the time that it ran for each. The making of reports and lists
/// is the benchmark's own and left out.
struct ShardWork {
  double reporting_s = 0;   ///< Advance and ReportAll.
  double connecting_s = 0;  ///< Disconnects and connects.
  double receiving_s = 0;   ///< Messages of other shards.
  double mailing_s = 0;     ///< Sending and taking them.
  double ran_s = 0;         ///< All in all, with what is left out above.
  std::uint64_t reports = 0;
  std::uint64_t deliveries = 0;

  double seconds() const { return reporting_s + connecting_s + receiving_s + mailing_s; }
  ShardWork& operator+=(const ShardWork& other);
};

/// What a stretch of work took.
struct TeamWork {
  ShardWork sum;
  double longest_s = 0;  ///< Of the thread that worked most.
  double wall_s = 0;     ///< From the beginning until all were done.
};

/// Who is in sight of somebody.
struct TeamSight {
  std::uint64_t friends = 0;
  std::uint64_t checksum = 0;  ///< Of who they are, where and how far away, in any order.

  friend bool operator==(const TeamSight& a, const TeamSight& b) {
    return a.friends == b.friends && a.checksum == b.checksum;
  }
};

/// Several engines that divide a world between them, each driven by a thread of its own as by a
/// host with one event loop a core: a batch at a time, whatever the others are at, messages of
/// other shards taken before it and sent after it.
///
/// Thread-compatible. Borrows the world, which must outlive it.
class ShardTeam {
 public:
  /// There are no engines yet.
  ShardTeam(const Flags& flags, const capacity::World& world, std::uint32_t shards,
            std::function<nearby::ShardId(nearby::UserId)> home_shard);

  /// Makes the engines and connects these users.
  void Connect(absl::Span<const std::uint32_t> users);

  /// Each shard does its share of the steps. Returns when all have, and have taken what the others
  /// sent.
  TeamWork Serve(absl::Span<const ShardStep> steps);

  /// Whom the user's client is told of, if it asks.
  TeamSight InSightOf(std::uint32_t user);

  /// Friendships whose two are at home on different shards, of all.
  double CrossingShare() const;

  nearby::EngineStats stats() const;
  std::uint32_t shards() const { return options_.shard_count; }
  const capacity::EngineSide& side(std::uint32_t shard) const { return members_[shard]->side; }

 private:
  /// One shard, and what its thread needs.
  struct alignas(64) Member {
    Member(const capacity::World& world, std::uint32_t shards, std::size_t batch);

    capacity::EngineSide side;
    std::vector<nearby::PeerMessage> mail;
    std::vector<std::vector<nearby::PeerMessage>> sendings;  ///< By receiver.
    ShardWork work;

    // Its share of what is to be done: of each step the reports and users up to an end.
    std::vector<capacity::TracedReport> reports;
    std::vector<std::uint32_t> users;
    std::vector<std::size_t> report_ends;
    std::vector<std::size_t> user_ends;
  };
  struct Share {
    absl::Span<const capacity::TracedReport> reports;
    absl::Span<const std::uint32_t> users;
  };

  std::uint32_t HomeOf(std::uint32_t user) const;
  void Divide(absl::Span<const ShardStep> steps);
  Share ShareOf(const Member& member, std::size_t step) const;

  /// Calls `serve` for each shard and step, on the shard's thread, with the mail in between.
  TeamWork Run(std::size_t steps,
               const std::function<void(Member* member, std::size_t step)>& serve);
  void Receive(Member* member);
  void Send(Member* member);
  void Report(const Share& share, nearby::Time now, Member* member);
  void Reconnect(const Share& share, Member* member);

  const capacity::World& world_;
  std::uint32_t offline_friends_;
  nearby::EngineOptions options_;  ///< Of the first shard.
  std::vector<std::unique_ptr<Member>> members_;
  ShardMail mail_;
  Crew crew_;
};

}  // namespace scenarios

#endif  // BENCHMARKS_SCENARIOS_SHARD_TEAM_H_
