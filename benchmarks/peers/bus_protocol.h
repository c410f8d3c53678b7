#ifndef BENCHMARKS_PEERS_BUS_PROTOCOL_H_
#define BENCHMARKS_PEERS_BUS_PROTOCOL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "benchmarks/peers/world.h"

namespace peers {

/// What one read message of a server is.
struct BusMessage {
  enum class Kind : std::uint8_t {
    kPush,        ///< Somebody published.
    kSubscribed,  ///< A subscription has been made.
    kPong,        ///< The answer to BusProtocol::AppendPing.
    kOther,       ///< Nothing to act upon.
    kPing,        ///< The server wants AppendPong.
    kError,
  };

  Kind kind = Kind::kOther;
  std::uint32_t key = 0;      ///< kPush: the channel, or what AppendSubscribe was told.
  absl::string_view payload;  ///< kPush; kError: what the server says.
};

/// How to speak to a publish/subscribe server whose channels are users. Encoders append to a
/// buffer; the decoder reads from one. Written by hand rather than through a client library, whose
/// allocation of an object for each message would cost more than the server's part.
///
/// Implementations are stateless and thread-safe.
class BusProtocol {
 public:
  virtual ~BusProtocol() = default;

  /// What a connection says first. A publisher wants no answers.
  virtual void AppendHello(bool is_publisher, std::string* out) const = 0;
  /// `key` is what pushes will bear.
  virtual void AppendSubscribe(User channel, std::uint32_t key, std::string* out) const = 0;
  /// Whether the key can be anything, and subscriptions are not confirmed. If not, the key is the
  /// channel, a connection that subscribes twice hears once, and each is confirmed.
  virtual bool has_free_keys() const = 0;
  /// Publishes, and keeps the location for ten minutes if the server can.
  virtual void AppendReport(User channel, absl::string_view payload, std::string* out) const = 0;
  /// Asks for a kPong, which comes after all that was asked before. For protocols that do not
  /// confirm subscriptions; the others do nothing.
  virtual void AppendPing(std::string* out) const = 0;
  virtual void AppendPong(std::string* out) const = 0;

  /// Reads one message from the front of `in`; how many bytes it took, 0 if it is not all there.
  virtual std::size_t Decode(absl::string_view in, BusMessage* message) const = 0;
};

std::unique_ptr<BusProtocol> MakeRedisProtocol();
std::unique_ptr<BusProtocol> MakeNatsProtocol();

}  // namespace peers

#endif  // BENCHMARKS_PEERS_BUS_PROTOCOL_H_
