#ifndef EXAMPLES_ECHO_SERVER_WEBSOCKET_CONNECTION_H_
#define EXAMPLES_ECHO_SERVER_WEBSOCKET_CONNECTION_H_

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include "examples/echo_server/authenticator.h"
#include "examples/echo_server/connection_host.h"
#include "examples/echo_server/connection_slots.h"
#include "examples/echo_server/socket.h"

namespace echo_server {

using BeastRequest = boost::beast::http::request<boost::beast::http::string_body>;

/// Answers a request to become a WebSocket, and gives the connection a session. To be called on the
/// socket's loop.
///
/// Beast is slow to compile: this header is for http_connection.cc alone.
void ServeWebSocket(Socket socket, ConnectionSlots::Slot slot, const ConnectionHost* host,
                    const Identity& identity, const BeastRequest& request);

}  // namespace echo_server

#endif  // EXAMPLES_ECHO_SERVER_WEBSOCKET_CONNECTION_H_
