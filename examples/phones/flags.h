#ifndef EXAMPLES_PHONES_FLAGS_H_
#define EXAMPLES_PHONES_FLAGS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "examples/phones/websocket_client.h"
#include "nearby/ids.h"
#include "nearby/wire_format.h"

namespace phones {

/// What the command line of phones asks for.
struct Flags {
  // The servers: one, or several whose users see each other.
  std::vector<ServerName> servers = {{"127.0.0.1", "8080"}};
  nearby::WireFormat format = nearby::WireFormat::kProtobuf;
  std::string secret_file;  ///< Empty: the secret comes from the environment.
  bool insecure = false;
  /// How long nobody may be connected before the server counts as gone.
  absl::Duration patience = absl::Seconds(15);

  // Who walks.
  bool city = false;
  std::size_t users = 200;  ///< Of the city.
  std::uint64_t seed = 1;
  std::string write_friends;  ///< Not empty: write the city's friendships there, and end.
  std::string friends;
  std::string trace;
  std::optional<std::size_t> connections;  ///< None: everybody has a phone.

  // The live table.
  std::optional<nearby::UserId> watch;  ///< None: the one with most friends.
  double pace = 30;
  absl::Duration duration = absl::InfiniteDuration();  ///< Of life.
  bool once = false;

  // What they see against what they should see.
  std::string sights;         ///< Empty: not written.
  double radius_m = 8046.72;  ///< The servers'.
  absl::Duration grace = absl::Seconds(1);

  // Load.
  bool load = false;
  double rate = 0;  ///< Reports in a second, by all phones; 0: as fast as answers allow.
  absl::Duration load_duration = absl::Seconds(10);
  std::size_t threads = 1;

  std::string json;  ///< Empty: not written.
  bool help = false;
};

/// Reads the arguments, the program's name not among them: "--name value" or "--name=value". The
/// last of several wins. `InvalidArgument` says what is wrong. If help is asked for, nothing else
/// is checked.
absl::StatusOr<Flags> ParseFlags(absl::Span<const char* const> arguments);

/// What --help prints.
extern const char kHelp[];

}  // namespace phones

#endif  // EXAMPLES_PHONES_FLAGS_H_
