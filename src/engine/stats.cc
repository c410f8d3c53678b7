#include "nearby/stats.h"

namespace nearby {

EngineStats& EngineStats::operator+=(const EngineStats& other) {
  reports_accepted += other.reports_accepted;
  reports_conflated += other.reports_conflated;
  reports_stale += other.reports_stale;
  reports_future += other.reports_future;
  reports_invalid += other.reports_invalid;
  reports_unknown_client += other.reports_unknown_client;
  checks += other.checks;
  skipped += other.skipped;
  bound_breaks += other.bound_breaks;
  enters += other.enters;
  moves += other.moves;
  resets += other.resets;
  connects += other.connects;
  replacements += other.replacements;
  disconnects += other.disconnects;
  expiries += other.expiries;
  lists_rechecked += other.lists_rechecked;
  lists_loaded += other.lists_loaded;
  lists_refused += other.lists_refused;
  changes_applied += other.changes_applied;
  changes_repeated += other.changes_repeated;
  changes_forgotten += other.changes_forgotten;
  links_refused += other.links_refused;
  messages_sent += other.messages_sent;
  messages_received += other.messages_received;
  messages_dropped += other.messages_dropped;
  channels_subscribed += other.channels_subscribed;
  channels_unsubscribed += other.channels_unsubscribed;
  locations_parked += other.locations_parked;
  locations_asked += other.locations_asked;
  clients += other.clients;
  entities += other.entities;
  edges += other.edges;
  for (std::size_t i = 0; i < leaves.size(); ++i) leaves[i] += other.leaves[i];
  return *this;
}

}  // namespace nearby
