#ifndef BENCHMARKS_SCENARIOS_SCENARIOS_H_
#define BENCHMARKS_SCENARIOS_SCENARIOS_H_

#include "benchmarks/scenarios/findings.h"
#include "benchmarks/scenarios/flags.h"

namespace scenarios {

/// Everybody has all of their friends in sight: the engine beside a plain loop that writes the same
/// deliveries, known beforehand. What the engine takes longer is what it takes to find them out.
Findings MeasureAllInSight(const Flags& flags);

/// A few users with thousands of friends online, who report every second among others who report
/// every 30 s: a pair of theirs beside anybody's, once spread over the world, once all in one town.
Findings MeasureWhales(const Flags& flags);

/// A server's worth of users goes at one instant and comes back, with ten times as many friends
/// listed as are online: a disconnect and a connect beside a report.
Findings MeasureStorm(const Flags& flags);

/// Some of those who report connect anew all the while: a report beside one without that.
Findings MeasureChurn(const Flags& flags);

/// Nothing but times to live, renewed every 30 s, and in the end all running out: what Engine::
/// Advance takes of a core, and its longest tick.
Findings MeasureExpiry(const Flags& flags);

/// Reports at a fixed pace whatever the engine does: how long after a report is due the clients'
/// bytes are written.
Findings MeasureLatency(const Flags& flags);

/// The same through a runtime with one shard, whose thread is another than the one that reports.
Findings MeasureRuntimeLatency(const Flags& flags);

/// The same reports through the engine and through runtimes with one, two and four shards, all in
/// one thread: what mailboxes cost, and what messages between shards cost.
Findings MeasureHops(const Flags& flags);

/// The same reports and the same churn through one engine in one thread and through several, each
/// in a thread of its own: what a second core is good for.
Findings MeasureShards(const Flags& flags);

/// The same reports through many nodes, each a runtime of its own, that share pub/sub servers and
/// stores: how many messages go between them.
Findings MeasureNodes(const Flags& flags);

/// Servers come, go, take each other's seats and die under nodes whose users come in sight of each
/// other and part all the time: how much moves, how fast, how long a server that has died leaves
/// clients without news, and that nobody misses anything in the end.
Findings MeasureRingChange(const Flags& flags);

}  // namespace scenarios

#endif  // BENCHMARKS_SCENARIOS_SCENARIOS_H_
