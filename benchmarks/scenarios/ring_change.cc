#include "benchmarks/scenarios/ring_change.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "benchmarks/capacity/stage.h"
#include "benchmarks/capacity/trace.h"
#include "benchmarks/scenarios/ring_show.h"
#include "benchmarks/scenarios/scenarios.h"
#include "nearby/cluster_options.h"
#include "nearby/hash_ring.h"

namespace scenarios {
namespace {

// Of the channels that a ring must move.
constexpr double kMostMoved = 1.15;
// Between asking for what was missed and telling it.
constexpr std::int64_t kAnsweringMs = 1'000;

void Judge(const RingChange& change, absl::string_view name, const RingPromises& promises,
           Findings* findings) {
  const double ideal = change.fair_share * static_cast<double>(change.channels);
  if (static_cast<double>(change.moved) > kMostMoved * ideal) {
    findings->Void(absl::StrCat(name, ": ", change.moved, " channels moved; ideal were ", ideal));
  }
  if (change.elsewhere > 0) {
    findings->Void(absl::StrCat(name, ": ", change.elsewhere,
                                " channels are not listened to where the ring has them"));
  }
  if (change.most_in_a_second > promises.resubscriptions_a_second) {
    findings->Void(absl::StrCat(name, ": ", change.most_in_a_second,
                                " resubscriptions of one node in one second"));
  }
  if (change.wrong_when_healed > 0) {
    findings->Void(absl::StrCat(name, ": ", change.wrong_when_healed,
                                " pairs wrong when all should have been made up for"));
  }
  if (change.wrong_in_the_end > 0) {
    findings->Void(absl::StrCat(name, ": ", change.wrong_in_the_end, " pairs wrong in the end"));
  }
  if (!change.is_settled) {
    findings->Void(absl::StrCat(name, ": former owners are listened to after ring_settle"));
  }
}

void AddPhase(const std::string& key, absl::string_view name, const Phase& phase,
              Findings* findings) {
  findings->Add(key + "_messages_per_report", absl::StrCat("messages a report, ", name),
                phase.PerReport(phase.traffic.messages()));
}

void Add(const RingChange& change, const std::string& key, absl::string_view name,
         const RingPromises& promises, Findings* findings) {
  findings->Heading(name);
  findings->AddCount(key + "_channels", "channels listened to, all nodes together",
                     change.channels);
  findings->AddCount(key + "_moved", "of these, moved", change.moved);
  findings->Add(key + "_moved_to_ideal", "moved, to the ideal",
                static_cast<double>(change.moved) /
                    (change.fair_share * static_cast<double>(change.channels)));
  findings->AddCount(key + "_most_in_a_second", "most of one node in any second",
                     change.most_in_a_second);
  findings->Add(key + "_storm_s", "longest storm of a node, s", change.storm_s);
  findings->Add(key + "_storm_to_expected", "the same, to its channels at the pace",
                change.expected_s > 0 ? change.storm_s / change.expected_s : 0);
  findings->Add(key + "_settled_s", "until no former owner is listened to, s",
                static_cast<double>(change.settled_ms) / 1'000);
  AddPhase(key + "_before", "before", change.before, findings);
  AddPhase(key + "_during", "until all have moved", change.during, findings);
  AddPhase(key + "_settling", "until former owners are left", change.settling, findings);
  AddPhase(key + "_after", "after", change.after, findings);
  findings->Add(key + "_changes_per_report", "friends who come in sight or go, a report",
                change.before.PerReport(change.before.changes));
  const auto told = [](const Phase& phase) {
    return static_cast<double>(phase.changes_told) / static_cast<double>(phase.changes);
  };
  findings->Add(key + "_told_before", "of these, told, before", told(change.before));
  findings->Add(key + "_told_during", "the same, until all have moved", told(change.during));
  findings->AddCount(key + "_most_wrong_before", "pairs wrong at one time, before",
                     change.before.most_wrong);
  findings->AddCount(key + "_most_wrong_during", "the same, until all have moved",
                     change.during.most_wrong);
  findings->AddCount(key + "_wrong_moved", "the same, when all have moved",
                     change.wrong_when_moved);
  findings->AddCount(key + "_wrong_healed", "the same, when all should have been made up for",
                     change.wrong_when_healed);
  findings->AddCount(key + "_wrong_end", "the same, in the end", change.wrong_in_the_end);
  Judge(change, name, promises, findings);
}

double Intervals(std::int64_t silence_ms) {
  return static_cast<double>(silence_ms) / capacity::kReportIntervalMs;
}

std::int64_t Longest(const std::vector<std::int64_t>& silences_ms) {
  return silences_ms.empty() ? 0 : silences_ms.back();
}

std::int64_t Median(const std::vector<std::int64_t>& silences_ms) {
  return silences_ms.empty() ? 0 : silences_ms[silences_ms.size() / 2];
}

void Judge(const ServerDeath& death, absl::string_view name, std::uint32_t nodes,
           const RingPromises& promises, Findings* findings) {
  if (death.links_lost != nodes) {
    findings->Void(
        absl::StrCat(name, ": ", death.links_lost, " of ", nodes, " nodes have lost a link"));
  }
  const auto expect_within = [&](const std::vector<std::int64_t>& silences_ms,
                                 std::int64_t promised_ms, absl::string_view whose) {
    if (Longest(silences_ms) <= promised_ms + kAnsweringMs) return;
    findings->Void(absl::StrCat(name, ": a pair ", whose, " was without news for ",
                                Longest(silences_ms), " ms"));
  };
  expect_within(death.silences_ms, promises.silence_ms, "on the dead server's seat");
  expect_within(death.other_silences_ms, capacity::kReportIntervalMs, "on another seat");
}

void Add(const ServerDeath& death, const std::string& key, absl::string_view name,
         std::uint32_t nodes, const RingPromises& promises, Findings* findings) {
  Add(death.change, key, name, promises, findings);
  AddPhase(key + "_dead", "while the seat has no server that lives", death.dead, findings);
  findings->AddCount(key + "_most_wrong_dead", "pairs wrong at one time, meanwhile",
                     death.dead.most_wrong);
  findings->AddCount(key + "_silent_pairs", "pairs who were in sight through that seat",
                     death.silences_ms.size());
  findings->Add(key + "_silence_median", "longest time without news, report intervals: median",
                Intervals(Median(death.silences_ms)));
  findings->Add(key + "_silence_most", "the same, of the worst pair",
                Intervals(Longest(death.silences_ms)));
  findings->Add(
      key + "_silence_to_promised", "the same, to what is promised",
      static_cast<double>(Longest(death.silences_ms)) / static_cast<double>(promises.silence_ms));
  findings->Add(key + "_silence_elsewhere", "the same, of the worst pair through another seat",
                Intervals(Longest(death.other_silences_ms)));
  Judge(death, name, nodes, promises, findings);
}

}  // namespace

RingPromises RingPromises::Of(const Flags& flags) {
  return {flags.pace, absl::ToInt64Milliseconds(nearby::ClusterOptions().probe_interval)};
}

Findings MeasureRingChange(const Flags& flags, const RingPromises& promises) {
  RingShow show(flags);
  const capacity::Stage stage("changing the ring");
  show.Run(std::int64_t{flags.warmup_rounds} * capacity::kReportIntervalMs);
  std::vector<nearby::RingSeat> seats = MakeSeats(kRingServers + 1);
  const RingChange add = show.ChangeRing(seats);
  seats.erase(seats.begin() + kRingServers / 2);
  const RingChange remove = show.ChangeRing(seats);
  seats[kRingServers / 4].server = "pubsub-new";
  const RingChange replace = show.ChangeRing(seats);
  const std::string dead = seats[3 * kRingServers / 4].server;
  seats[3 * kRingServers / 4].server = "pubsub-newer";
  const ServerDeath death = show.LoseServer(dead, seats);

  Findings findings;
  findings.AddText("scenario", "ring-change");
  findings.AddCount("users", "users", flags.users);
  findings.AddCount("nodes", "nodes", show.nodes());
  findings.AddCount("pace", "resubscriptions a second that a node may make", flags.pace);
  findings.Add("in_sight_per_user", "friends in sight of a user", show.InSightPerUser());
  Add(add, "add", "A server is added to 32", promises, &findings);
  Add(remove, "remove", "One of 33 servers is removed", promises, &findings);
  Add(replace, "replace", "A server takes another's seat", promises, &findings);
  Add(death, "death", "A server dies, and its seat gets another", show.nodes(), promises,
      &findings);
  show.Judge(&findings);
  return findings;
}

Findings MeasureRingChange(const Flags& flags) {
  return MeasureRingChange(flags, RingPromises::Of(flags));
}

}  // namespace scenarios
