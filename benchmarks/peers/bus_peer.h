#ifndef BENCHMARKS_PEERS_BUS_PEER_H_
#define BENCHMARKS_PEERS_BUS_PEER_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "benchmarks/peers/bus_protocol.h"
#include "benchmarks/peers/peer.h"
#include "benchmarks/peers/world.h"

namespace peers {

struct BusOptions {
  std::uint16_t port = 0;  ///< Of a server on loopback.
  /// Among how many connections the users are divided, as among as many servers that hold phones.
  std::size_t connections = 40;
  /// Subscribe once for each friendship instead of once for each channel and connection; only
  /// where the protocol has free keys. Then the server does all of the fan-out.
  bool per_friend = false;
};

/// A publish/subscribe server with a channel for each user, and its clients: one process that holds
/// everybody, through one connection that publishes and a few that listen. The server fans out to
/// connections; behind a connection the client hands a message to the friends there. Whoever
/// receives filters, by haversine with their own position.
///
/// The client settles both directions of a pair when a message arrives, which it can because it
/// holds both users; spread over machines, each side would have to.
std::unique_ptr<Peer> MakeBusPeer(const World& world, std::unique_ptr<BusProtocol> protocol,
                                  const BusOptions& options);

}  // namespace peers

#endif  // BENCHMARKS_PEERS_BUS_PEER_H_
