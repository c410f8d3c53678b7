#ifndef EXAMPLES_PHONES_WEBSOCKET_H_
#define EXAMPLES_PHONES_WEBSOCKET_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "nearby/wire_format.h"

namespace phones {

/// What to ask of the server for one connection.
struct DialRequest {
  std::size_t server = 0;     ///< Which of the dialer's.
  std::string target;         ///< "/ws", with parameters if there are any.
  std::string authorization;  ///< The header's value; none if empty.
};

/// How a connection ended, or that it never began.
struct Closure {
  bool was_open = false;
  std::uint16_t close_code = 0;  ///< That of the server's goodbye (RFC 6455, 7.4); 0 if none came.
  int http_status = 0;           ///< That with which the server refused; 0 if it did not.
  std::string reason;            ///< For people.
};

/// One end of a WebSocket, as its owner sees it. Calls come on the thread of the loop, and none
/// comes from within a call of Dialer or WebSocket.
class WebSocketListener {
 public:
  virtual ~WebSocketListener() = default;

  virtual void OnOpen() = 0;
  /// The frame is valid during the call alone.
  virtual void OnFrame(nearby::WireFormat format, absl::string_view frame) = 0;
  /// Nothing comes after it. The socket may be destroyed from within it, as from within any other.
  virtual void OnClosed(const Closure& closure) = 0;
};

/// One connection. Destroying it ends it without a word; nothing is called after that.
///
/// Thread-compatible: for the loop's thread.
class WebSocket {
 public:
  virtual ~WebSocket() = default;

  /// Sends a message, or queues it behind those that are under way. False, and nothing is sent, if
  /// too many wait already. Requires OnOpen.
  virtual bool Send(nearby::WireFormat format, absl::string_view frame) = 0;
  /// Says goodbye. OnClosed follows, in a few seconds at most.
  virtual void Close() = 0;
};

/// Opens connections to one server, or to several that are numbered from 0.
class Dialer {
 public:
  virtual ~Dialer() = default;

  /// OnOpen or OnClosed follows. The listener outlives the socket.
  virtual std::unique_ptr<WebSocket> Dial(const DialRequest& request,
                                          WebSocketListener* listener) = 0;
};

}  // namespace phones

#endif  // EXAMPLES_PHONES_WEBSOCKET_H_
