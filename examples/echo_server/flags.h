#ifndef EXAMPLES_ECHO_SERVER_FLAGS_H_
#define EXAMPLES_ECHO_SERVER_FLAGS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "examples/echo_server/cluster_node_options.h"
#include "examples/echo_server/server_options.h"
#include "nearby/ids.h"

namespace echo_server {

/// What the command line of echo_server asks for.
struct Flags {
  enum class Command : std::uint8_t { kServe, kToken, kImport, kHelp };

  Command command = Command::kServe;
  std::string secret_file;  ///< Empty: the environment.

  // kServe.
  ServerOptions server;
  std::uint32_t threads = 0;  ///< 0: one for each core.
  bool insecure = false;
  std::optional<ClusterNodeOptions> cluster;  ///< None: the server is alone.

  // kServe: one of them; kImport: from the one to the other.
  std::string friends;
  std::string db;

  // kToken.
  std::optional<nearby::UserId> user;
  absl::Duration token_ttl = absl::Hours(1);
  bool admin = false;
};

/// Reads the arguments, the program's name not among them: "--name value" or "--name=value". The
/// last of several wins. `InvalidArgument` says what is wrong. If help is asked for, nothing else
/// is checked.
absl::StatusOr<Flags> ParseFlags(absl::Span<const char* const> arguments);

/// What --help prints.
extern const char kHelp[];

}  // namespace echo_server

#endif  // EXAMPLES_ECHO_SERVER_FLAGS_H_
