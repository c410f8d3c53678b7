#ifndef EXAMPLES_ECHO_SERVER_OUTBOX_H_
#define EXAMPLES_ECHO_SERVER_OUTBOX_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "nearby/wire_format.h"

namespace echo_server {

/// A message on its way to a client.
struct OutgoingFrame {
  std::string bytes;
  nearby::WireFormat format = nearby::WireFormat::kJson;
  bool is_batch = false;  ///< Pushed by the runtime, which waits until it has been written.
};

/// The frames that one client is still to be sent, in one order: an answer that lists a friend must
/// not overtake the news that the friend has gone, or the reverse. The runtime sees to it that
/// there is one batch at most; the limits are for the rest.
///
/// Thread-compatible. Empty, it holds no memory.
class Outbox {
 public:
  struct Limits {
    std::size_t max_answers = 64;
    /// Of answers; a single one may be larger.
    std::size_t max_bytes = std::size_t{256} * 1024;
  };

  /// False if that is one answer too many: the client asks and does not read.
  bool Push(OutgoingFrame frame, const Limits& limits);
  bool empty() const { return frames_.empty(); }
  /// Stays where it is until Pop. Requires that there is one.
  const OutgoingFrame& front() const { return *frames_.front(); }
  void Pop();

 private:
  // By pointer, so that the front stays where it is; a deque would take 576 bytes even when empty.
  std::vector<std::unique_ptr<OutgoingFrame>> frames_;
  std::size_t answers_ = 0;
  std::size_t answer_bytes_ = 0;
};

}  // namespace echo_server

#endif  // EXAMPLES_ECHO_SERVER_OUTBOX_H_
