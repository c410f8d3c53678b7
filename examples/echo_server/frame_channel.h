#ifndef EXAMPLES_ECHO_SERVER_FRAME_CHANNEL_H_
#define EXAMPLES_ECHO_SERVER_FRAME_CHANNEL_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "nearby/wire_format.h"

namespace echo_server {

/// Why a WebSocket is closed: RFC 6455, section 7.4.1, and IANA's registry; from 4000 on our own.
enum class CloseCode : std::uint16_t {
  kPolicyViolation = 1008,
  kServiceRestart = 1012,
  kReplaced = 4001,  ///< The same user has connected again.
  kNodeLost = 4002,  ///< This server has lost touch with the others: connect to another.
};

/// The connection of one client, as its session sees it. Calls come on the connection's loop, and
/// none of them calls the session back before it returns.
class FrameChannel {
 public:
  virtual ~FrameChannel() = default;

  /// Begins to write a frame, which stays as it is until `ClientSession::OnWritten`; only then may
  /// the next one be written.
  virtual void Write(nearby::WireFormat format, absl::string_view frame) = 0;

  /// Says goodbye. Nothing is written after it.
  virtual void Close(CloseCode code, absl::string_view reason) = 0;

  /// Ends the connection without a word.
  virtual void Abort() = 0;

  /// Has `ClientSession::OnDeadline` called after that time, perhaps somewhat early. A later call
  /// replaces an earlier one.
  virtual void SetDeadline(absl::Duration after) = 0;
};

}  // namespace echo_server

#endif  // EXAMPLES_ECHO_SERVER_FRAME_CHANNEL_H_
