// What befalls the servers and links of a simulated world: at will, and at random.

#include <utility>

#include "nearby/testing/simulated_transport.h"
#include "src/testing/simulated_servers.h"

namespace nearby {
namespace {

constexpr SimulatedDelay kWithinASecond{0, 999};

}  // namespace

template <typename Action>
void SimulatedServers::SoonUnlessQuiet(Action action) {
  simulation->After(random.Draw(kWithinASecond), [this, action] {
    if (!faults->is_quiet()) action();
  });
}

void SimulatedServers::BeginFaults() {
  for (Number number = 0; number < servers.size(); ++number) {
    if (!servers[number].is_up || !random.Chance(hardships().server_crash)) continue;
    SoonUnlessQuiet([this, number] {
      if (!servers[number].is_up) return;
      Crash(number);
      simulation->After(random.Draw(hardships().server_down),
                        [this, number, crash = servers[number].crash_number] {
                          if (servers[number].crash_number == crash) Restart(number);
                        });
    });
  }
  for (Number link = 0; link < links.size(); ++link) BeginLinkFaults(link);
}

void SimulatedServers::BeginLinkFaults(Number link) {
  if (links[link].is_connected && random.Chance(hardships().break_link)) {
    SoonUnlessQuiet([this, link] { Break(link, SimulatedFault::kLinkBroken); });
  }
  if (links[link].cut != Cut::kNone || !random.Chance(hardships().partition_link)) return;
  Cut cut = Cut::kBoth;
  if (random.Chance(hardships().one_way)) {
    cut = random.Chance(0.5) ? Cut::kToServer : Cut::kFromServer;
  }
  SoonUnlessQuiet([this, link, cut] {
    if (links[link].cut != Cut::kNone) return;
    SetCut(link, cut);
    simulation->After(random.Draw(hardships().partition),
                      [this, link, cut_number = links[link].cut_number] {
                        if (links[link].cut_number == cut_number) SetCut(link, Cut::kNone);
                      });
  });
}

void SimulatedServers::Heal() {
  for (Number server = 0; server < servers.size(); ++server) Restart(server);
  for (Number link = 0; link < links.size(); ++link) SetCut(link, Cut::kNone);
}

SimulatedPubSub::SimulatedPubSub(SimulatedFaults* faults) : SimulatedPubSub(faults, Options()) {}
SimulatedPubSub::SimulatedPubSub(SimulatedFaults* faults, const Options& options)
    : servers_(std::make_unique<SimulatedServers>(faults, options)) {}
SimulatedPubSub::~SimulatedPubSub() = default;

void SimulatedPubSub::CrashServer(absl::string_view server) {
  const auto number = servers_->ServerOf(server);
  if (number != SimulatedServers::kNone) servers_->Crash(number);
}

void SimulatedPubSub::RestartServer(absl::string_view server) {
  const auto number = servers_->FindServer(server);
  if (number != SimulatedServers::kNone) servers_->Restart(number);
}

void SimulatedPubSub::BreakLink(NodeId node, absl::string_view server) {
  const auto number = servers_->ServerOf(server);
  if (number == SimulatedServers::kNone) return;
  servers_->Break(servers_->LinkOf(servers_->NodeOf(node), number), SimulatedFault::kLinkBroken);
}

void SimulatedPubSub::SetPartition(NodeId node, absl::string_view server, Cut cut) {
  const auto number = servers_->ServerOf(server);
  if (number == SimulatedServers::kNone) return;
  servers_->SetCut(servers_->LinkOf(servers_->NodeOf(node), number), cut);
}

bool SimulatedPubSub::is_up(absl::string_view server) const {
  const auto number = servers_->FindServer(server);
  return number == SimulatedServers::kNone || servers_->servers[number].is_up;
}

std::size_t SimulatedPubSub::subscription_count() const { return servers_->subscriptions; }

std::size_t SimulatedPubSub::subscription_count(NodeId node) const {
  const auto found = servers_->node_numbers.find(node);
  if (found == servers_->node_numbers.end()) return 0;
  std::size_t count = 0;
  for (const SimulatedServers::Number link : servers_->nodes[found->second].links) {
    if (link != SimulatedServers::kNone) count += servers_->links[link].channels.size();
  }
  return count;
}

std::size_t SimulatedPubSub::calls_under_way() const {
  std::size_t calls = 0;
  for (const SimulatedServers::Node& node : servers_->nodes) calls += node.calls_under_way;
  return calls;
}

}  // namespace nearby
