#ifndef EXAMPLES_ECHO_SERVER_CLUSTER_NODE_OPTIONS_H_
#define EXAMPLES_ECHO_SERVER_CLUSTER_NODE_OPTIONS_H_

#include <string>
#include <vector>

#include "nearby/cluster_options.h"

namespace echo_server {

/// What a server is told once about the others that it serves users together with.
struct ClusterNodeOptions {
  /// `node` is this server's number.
  nearby::ClusterOptions cluster;
  /// The file with the ring (adapters::RingFile), whose servers are Redis servers.
  std::string ring_file;
  /// "host:port" of a Redis server: who is connected where.
  std::string directory;
  /// Likewise, one or several: where everybody was last.
  std::vector<std::string> locations;
};

}  // namespace echo_server

#endif  // EXAMPLES_ECHO_SERVER_CLUSTER_NODE_OPTIONS_H_
