#include "benchmarks/scenarios/node_sessions.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "benchmarks/capacity/batches.h"
#include "benchmarks/capacity/trace.h"
#include "nearby/cluster_stats.h"

namespace scenarios {
namespace {

// The next reports of the trace, but for those of some users.
void ReportOthers(std::size_t count, const std::vector<bool>& is_gone, capacity::Load* load,
                  NodeSide* side) {
  std::vector<capacity::TracedReport> others;
  for (const capacity::Batch& batch : load->NextBatches(count)) {
    others.clear();
    for (const capacity::TracedReport& report : batch.reports) {
      if (!is_gone[report.user]) others.push_back(report);
    }
    const capacity::Batch left{others, batch.now};
    side->ReportAll({&left, 1});
  }
}

}  // namespace

NodeSessions MeasureNodeSessions(const Flags& flags, capacity::Load* load, NodeSide* side) {
  constexpr int kRounds = 2;
  const auto count =
      static_cast<std::uint32_t>(std::uint64_t{flags.users} * flags.churn_percent / 100);
  const std::vector<std::uint32_t> users = load->SomeUsers(count);
  NodeSessions sessions;
  sessions.count = count;
  const nearby::ClusterStats before = side->stats();
  const Traffic connected = side->traffic();
  side->Disconnect(users);
  sessions.ending = side->traffic() - connected;
  const nearby::ClusterStats ended = side->stats();

  std::vector<bool> is_gone(flags.users);
  for (const std::uint32_t user : users) is_gone[user] = true;
  for (std::size_t left = std::size_t{kRounds} * flags.users; left > 0;) {
    const std::size_t next = std::min<std::size_t>(flags.chunk, left);
    ReportOthers(next, is_gone, load, side);
    left -= next;
  }

  const nearby::ClusterStats gone = side->stats();
  const Traffic without = side->traffic();
  side->Connect(users, &load->trace().movement());
  sessions.beginning = side->traffic() - without;
  const nearby::ClusterStats begun = side->stats();
  sessions.lookups = ended.lookups - before.lookups + begun.lookups - gone.lookups;
  sessions.reads = ended.reads - before.reads + begun.reads - gone.reads;
  return sessions;
}

}  // namespace scenarios
