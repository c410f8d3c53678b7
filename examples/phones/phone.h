#ifndef EXAMPLES_PHONES_PHONE_H_
#define EXAMPLES_PHONES_PHONE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "examples/phones/tally.h"
#include "examples/phones/violations.h"
#include "nearby/client_codec.h"
#include "nearby/client_sink.h"
#include "nearby/engine.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/server_codec.h"
#include "nearby/time.h"

namespace phones {

/// A friend as a phone knows them.
struct Sighting {
  nearby::UserId friend_id{};
  bool is_in_sight = false;
  // Of a friend in sight.
  nearby::Position position;
  std::int64_t distance_mm = 0;
  nearby::Time since;        ///< By the server's clock; in an answer to init, by the phone's.
  nearby::Time updated;      ///< Likewise.
  nearby::Time reported_at;  ///< By the friend's clock.
};

/// One phone's side of the protocol: makes the calls, and keeps the set of friends in sight as the
/// server tells it to. Holds whatever it is told against the rules, and counts what breaks them.
///
///   Phone phone(user, friends);
///   Send(phone.Init(location));
///   ...
///   Phone::Reaction reaction = phone.Take(message, now, &tally);
///   if (reaction.call.has_value()) Send(*reaction.call);
///
/// Reads no clock and knows nothing of connections.
///
/// Thread-compatible. Ownership: owns all it knows.
/// Cost: a binary search among the friends for each event.
class Phone {
 public:
  struct Reaction {
    /// To be sent now.
    std::optional<nearby::ClientCall> call;
    /// Connect anew after so long; see `hangs_up`.
    std::optional<absl::Duration> reconnect_after;
    /// Whether the connection is of no use until then.
    bool hangs_up = false;
  };

  /// `friends` ascend, each once.
  Phone(nearby::UserId user, absl::Span<const nearby::UserId> friends);

  nearby::UserId user() const { return user_; }
  /// All friends, in sight or not, by ascending id.
  absl::Span<const Sighting> friends() const { return sightings_; }
  std::size_t in_sight() const { return in_sight_; }
  /// Whether init has been answered.
  bool is_online() const { return is_online_; }

  // --- calls ---

  /// The first call on a new connection. What the last one told is forgotten.
  nearby::ClientCall Init(const std::optional<nearby::ReportCall>& location);
  nearby::ClientCall Subscribe(nearby::UserId friend_id);
  nearby::ClientCall Unsubscribe(nearby::UserId friend_id);

  // --- what the server says ---

  /// `now` is the phone's time.
  Reaction Take(const nearby::ServerMessage& message, nearby::Time now, Tally* tally);

  /// The connection is gone: nobody is in sight.
  void Close();

 private:
  enum class CallKind : std::uint8_t { kInit, kSubscribe, kUnsubscribe, kNearby };
  struct Call {
    std::uint64_t request_id = 0;
    CallKind kind = CallKind::kInit;
    nearby::UserId friend_id{};
  };
  // What the rules need to know of a friend, beside the sighting.
  struct History {
    nearby::Time last_event = nearby::Time::Millis(-nearby::kMaxTimeMs);
    std::uint64_t last_update = 0;
    bool is_unsubscribed = false;
  };

  // What Take is about; passed on so that every rule can complain.
  struct Context {
    nearby::Time now;
    Tally* tally;
  };

  nearby::ClientCall Begin(CallKind kind, nearby::UserId friend_id);
  // The call that an answer belongs to, which it ends.
  std::optional<Call> End(std::uint64_t request_id);
  bool EndAs(std::uint64_t request_id, CallKind kind, const Context& context);

  void Answer(std::uint64_t request_id, const nearby::InitAnswer& answer, const Context& context,
              Reaction* reaction);
  void Answer(std::uint64_t request_id, const nearby::SubscribeAnswer& answer,
              const Context& context, Reaction* reaction);
  void Answer(std::uint64_t request_id, const nearby::UnsubscribeAnswer& answer,
              const Context& context, Reaction* reaction);
  void Answer(std::uint64_t request_id, const nearby::NearbyAnswer& answer, const Context& context,
              Reaction* reaction);
  void Answer(std::uint64_t request_id, const nearby::ClientUpdate& update, const Context& context,
              Reaction* reaction);
  void Answer(std::uint64_t request_id, const nearby::ServerError& error, const Context& context,
              Reaction* reaction);
  void Answer(std::uint64_t request_id, const nearby::DrainNotice& drain, const Context& context,
              Reaction* reaction);

  void Apply(const nearby::ClientEvent& event, const Context& context);
  void Enter(std::size_t index, const nearby::ClientEvent& event, const Context& context);
  void Move(std::size_t index, const nearby::ClientEvent& event, const Context& context);
  void Leave(std::size_t index, const nearby::ClientEvent& event, const Context& context);
  void ForgetSightings();
  // Of a listing, which tells nothing new about who is in sight.
  void CheckListed(const nearby::NearbyFriend& listed, const Context& context) const;
  void AskForMore(const nearby::NearbyPage& page, Reaction* reaction);
  // The friend's index, or none.
  std::optional<std::size_t> Find(nearby::UserId friend_id) const;
  void Complain(ViolationKind kind, std::optional<nearby::UserId> friend_id,
                const Context& context) const;

  nearby::UserId user_;
  std::vector<Sighting> sightings_;
  std::vector<History> histories_;  // by the same index
  std::size_t in_sight_ = 0;
  bool is_online_ = false;
  std::uint64_t last_request_id_ = 0;
  std::uint64_t last_update_ = 0;
  int pages_ = 0;
  std::vector<Call> calls_;  // not answered yet
};

}  // namespace phones

#endif  // EXAMPLES_PHONES_PHONE_H_
