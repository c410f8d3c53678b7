#ifndef BENCHMARKS_PEERS_BUS_CONNECTION_H_
#define BENCHMARKS_PEERS_BUS_CONNECTION_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace peers {

/// A socket that does not block, with what is to be written and what has been read.
///
/// Thread-compatible. Owns the socket.
class BusConnection {
 public:
  BusConnection() = default;
  ~BusConnection();
  BusConnection(const BusConnection&) = delete;
  BusConnection& operator=(const BusConnection&) = delete;

  /// Connects to a port on loopback. `Unavailable`.
  absl::Status Open(std::uint16_t port);
  int descriptor() const { return descriptor_; }

  std::string* out() { return &out_; }
  bool has_unsent() const { return sent_ < out_.size(); }
  /// Writes what the socket takes. `Unavailable` if the server is gone.
  absl::Status Send();

  /// Reads once, behind what has not been consumed. `Unavailable` if the server is gone.
  absl::Status Receive();
  absl::string_view in() const { return {in_.data() + begin_, end_ - begin_}; }
  void Consume(std::size_t bytes) { begin_ += bytes; }
  std::uint64_t received() const { return received_; }

 private:
  int descriptor_ = -1;
  std::string out_;
  std::size_t sent_ = 0;
  std::vector<char> in_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t received_ = 0;
};

}  // namespace peers

#endif  // BENCHMARKS_PEERS_BUS_CONNECTION_H_
