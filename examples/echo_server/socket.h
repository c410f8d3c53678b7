#ifndef EXAMPLES_ECHO_SERVER_SOCKET_H_
#define EXAMPLES_ECHO_SERVER_SOCKET_H_

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace echo_server {

/// A connection that belongs to one event loop. Named by its executor's own type: the default,
/// which takes every kind of executor, costs memory in each connection.
using LoopExecutor = boost::asio::io_context::executor_type;
using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, LoopExecutor>;

}  // namespace echo_server

#endif  // EXAMPLES_ECHO_SERVER_SOCKET_H_
