#ifndef EXAMPLES_ECHO_SERVER_HTTP_CONNECTION_H_
#define EXAMPLES_ECHO_SERVER_HTTP_CONNECTION_H_

#include "examples/echo_server/connection_host.h"
#include "examples/echo_server/connection_slots.h"
#include "examples/echo_server/socket.h"

namespace echo_server {

/// Serves HTTP on the socket, request after request, until either side closes it or one request
/// makes it a WebSocket. To be called on the socket's loop. The connection lives as long as it has
/// something to wait for.
void ServeHttp(Socket socket, ConnectionSlots::Slot slot, const ConnectionHost* host);

/// Answers the first request with 503, whatever it is, and closes: there are too many connections.
void RefuseHttp(Socket socket, ConnectionSlots::Slot slot, const ConnectionHost* host);

}  // namespace echo_server

#endif  // EXAMPLES_ECHO_SERVER_HTTP_CONNECTION_H_
