#ifndef NEARBY_TRANSPORT_H_
#define NEARBY_TRANSPORT_H_

#include <cstddef>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "nearby/export.h"
#include "nearby/ids.h"

namespace nearby {

/// How events travel between nodes: publish and subscribe on channels, one for each user and one
/// for each node, that live on pub/sub servers. Which server owns a channel the caller knows
/// (`HashRing`); the transport keeps the links to the servers. `InMemoryTransport` is the embedded
/// default.
///
/// Contract:
///   1. Completion: each call with a `done` calls it exactly once, before it returns or later, on
///      any thread, and throws nothing.
///   2. Blocking: no call blocks on I/O. A transport that can take no more completes with
///      `ResourceExhausted` at once.
///   3. Thread safety: calls come from several threads at once, from within a `done`, and, but for
///      SetReceiver, from within the receiver.
///   4. Lifespan: the transport outlives whoever uses it. SetReceiver ends the former receiver and
///      all subscriptions: after it has returned, the former is not called any more, and is not
///      running. It must not be called from within a receiver, nor under a lock for which one
///      waits; but it may be from within a `done` that is not itself called from within a receiver.
///      A `done` may be destroyed uncalled only when the transport itself is destroyed.
///   5. Publish: Ok says that the server has the message, not that anyone received it. At most
///      once: a transport does not repeat a message whose fate it does not know.
///   6. Subscribe: Ok says that every message published to the channel on that server from now on
///      reaches the receiver once, one's own included, as long as the link holds. Messages may
///      come before the `done` does. Subscribing again completes Ok and doubles nothing. Without a
///      receiver it completes `FailedPrecondition`.
///   7. Unsubscribe: once it has completed, messages of the channel from that server may still come
///      if they were under way. Unsubscribing what is not subscribed to completes Ok, also where
///      the server cannot be reached: nothing is subscribed to there any more. After
///      `ResourceExhausted` it is subscribed to as before.
///   8. Order: messages of one publisher on one channel and server arrive in the order in which
///      they were published, or not at all.
///   9. Loss: when a link breaks, messages may be lost and all subscriptions on that server are;
///      the receiver is told by OnLinkLost, after which nothing published before comes from that
///      server. Until it has been told, a Subscribe there completes `Unavailable`: whatever was
///      subscribed to when OnLinkLost comes is lost. Subscriptions that were under way fail. A
///      link over which no subscription has been acknowledged may break in silence. The transport
///      links up again by itself at the next Publish or Subscribe; while it cannot, these complete
///      `Unavailable`. A receiver that is too slow for its messages loses the link, and not some of
///      the messages.
///   10. Several channels on several servers are independent: a slow or dead server delays none but
///       its own.
///   11. A payload is bytes of any value, up to `max_payload()`; more is `InvalidArgument`.
///   12. Publish and Subscribe to a server whose name is empty, or one of which the transport can
///      make nothing, complete `InvalidArgument`.
class NEARBY_API Transport {
 public:
  using Done = absl::AnyInvocable<void(absl::Status)>;

  /// What comes in. Calls come on any thread, those of one server one at a time; they must not
  /// block. Views are valid during the call alone.
  class NEARBY_API Receiver {
   public:
    virtual ~Receiver() = default;

    virtual void OnMessage(absl::string_view server, Channel channel,
                           absl::string_view payload) = 0;
    /// All subscriptions on the server are gone.
    virtual void OnLinkLost(absl::string_view server, const absl::Status& why) = 0;
  };

  virtual ~Transport() = default;

  /// To be called before the first Subscribe, and with nullptr in the end. Borrows the receiver.
  virtual void SetReceiver(Receiver* receiver) = 0;

  virtual void Publish(absl::string_view server, Channel channel, absl::string_view payload,
                       Done done) = 0;
  virtual void Subscribe(absl::string_view server, Channel channel, Done done) = 0;
  virtual void Unsubscribe(absl::string_view server, Channel channel, Done done) = 0;

  /// Bytes of a payload; at least 64 KiB.
  virtual std::size_t max_payload() const = 0;
};

}  // namespace nearby

#endif  // NEARBY_TRANSPORT_H_
