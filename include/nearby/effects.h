#ifndef NEARBY_EFFECTS_H_
#define NEARBY_EFFECTS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "nearby/export.h"
#include "nearby/friendship.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/time.h"

namespace nearby {

enum class DeliveryKind : std::uint8_t {
  kEnter,  ///< The friend came into sight.
  kMove,   ///< The friend, in sight, reported.
  kLeave,  ///< The friend went out of sight.
  kReset,  ///< The subscriber's own location expired: nobody is in sight any more.
};

/// Why a friend went out of sight: the true reason. What a client is told is coarser (see
/// `ReasonForClient`), so that nobody learns that they were hidden from.
enum class LeaveReason : std::uint8_t {
  kNone,
  kRange,
  kExpired,
  kOffline,
  kUnfriended,
  kUnsubscribed,
  kHidden,
};

/// The reason to put on the wire by default: hidden and unfriended read as offline.
constexpr LeaveReason ReasonForClient(LeaveReason reason) {
  return reason == LeaveReason::kHidden || reason == LeaveReason::kUnfriended
             ? LeaveReason::kOffline
             : reason;
}

/// "enter", "move", "leave", "reset"; "range", "expired" and so on. Static strings.
NEARBY_API const char* ToString(DeliveryKind kind);
NEARBY_API const char* ToString(LeaveReason reason);

/// Tell this client about that friend.
struct Delivery {
  std::uint64_t cookie = 0;  ///< As the host gave it to Connect.
  UserId subscriber{};
  UserId friend_id{};  ///< For kReset, the subscriber.
  Time time;           ///< Engine time of the event: for an expiry its deadline.
  Time reported_at;    ///< kEnter, kMove: client time of the friend's report.
  Position position;   ///< kEnter, kMove; nowhere otherwise: a leave bears no position.
  /// kEnter, kMove, and kLeave for kRange; 0 otherwise. That of a leave is for logs and replays: do
  /// not send it on, for the friend is out of sight.
  std::int64_t distance_mm = 0;
  DeliveryKind kind = DeliveryKind::kEnter;
  LeaveReason reason = LeaveReason::kNone;  ///< kLeave only.
};

/// Load this user's friends and hand them to Engine::FriendsLoaded. After a connect: if they cannot
/// be loaded, disconnect the client and tell it so. At other times the engine has seen a sign that
/// what it knows may be out of date, and goes on with it meanwhile: try until it succeeds.
struct FriendsRequest {
  ClientHandle client;
  UserId user{};
};

/// Where a page of nearby friends ended; the next one goes on behind it. The default token begins
/// at the nearest.
struct PageToken {
  std::int64_t distance_mm = -1;
  UserId friend_id{};
};

/// The answer to a connect, once the friends are loaded: deliveries[first .. first + count) of the
/// same Effects, enters all, nearest first. It points at them and does not repeat them: send them
/// as the answer or as deliveries, not as both.
struct ConnectAnswer {
  ClientHandle client;
  std::uint64_t cookie = 0;
  UserId user{};
  std::size_t first = 0;
  std::size_t count = 0;
  std::size_t in_sight = 0;  ///< Friends in sight in all, on this page or not.
  PageToken next;            ///< Where the next page begins, if count < in_sight.
};

/// This session is over because the same user connected again. Close its connection; nothing more
/// is delivered under its cookie.
struct SessionReplaced {
  ClientHandle client;
  std::uint64_t cookie = 0;
  UserId user{};
};

/// A location was accepted: write it to the location store and the history, as well as they can.
/// (A history need not keep the speed.)
struct AcceptedLocation {
  UserId user{};
  Position position;
  Time accepted_at;
  Time reported_at;
  /// In which of the user's sessions, where there are several nodes. The runtime fills it in.
  Epoch session{};
  /// Millimetres a second: how fast the user goes at most, as their shard believes by all of their
  /// reports so far. kUnknownSpeed: it says nothing. kNoSpeedBound: they keep to no bound.
  std::uint32_t speed_bound_mm_s = kUnknownSpeed;

  static constexpr std::uint32_t kUnknownSpeed = 0;
  static constexpr std::uint32_t kNoSpeedBound = 0xFFFFFFFF;
};

/// One shard to another of the same process: hand it to Engine::Receive of shard `to`. Messages
/// from one shard to another must arrive in order, each once.
struct PeerMessage {
  enum class Kind : std::uint8_t {
    kAnnounce,      ///< `user` is online here and a friend of `friend_id`, who is at home with you.
    kAnnounceBack,  ///< The answer to it: so is mine.
    kSubscribe,     ///< Send me what `user`, who is at home with you, does, and where they are now.
    kUnsubscribe,   ///< Stop that.
    kLocation,      ///< `user` reported.
    kHere,          ///< The answer to kSubscribe: where `user` was at their last report.
    kPark,     ///< `user` is far from everybody here: no kLocation before `until`. I rely on it
               ///< that they keep to `speed_bound`.
    kOffline,  ///< `user` disconnected, or was not there when you subscribed.
  };

  ShardId from{};
  ShardId to{};
  Kind kind = Kind::kAnnounce;
  UserId user{};
  UserId friend_id{};       ///< kAnnounce, kAnnounceBack.
  Friendship friendship;    ///< kAnnounce, kAnnounceBack: seen from `user`.
  FriendVersion version{};  ///< kAnnounce, kAnnounceBack: of the list or change they rest on.
  Position position;        ///< kLocation, kHere.
  Time accepted_at;         ///< kLocation, kHere.
  Time reported_at;         ///< kLocation, kHere.
  /// kLocation, kHere: a number that no other of the sender's has. kPark: of the one that it rests
  /// on.
  std::uint32_t sequence = 0;
  /// Metres a millisecond. kLocation, kHere: what the sender believes of the user, 0 if it does not
  /// know; kPark: what the sender relies on.
  float speed_bound = 0;
  Time until;  ///< kPark.
};

/// What an engine asks of the world. The caller owns it and passes it to every call, which appends.
/// Carry out the vectors in the order in which they stand here, each from its beginning, before
/// acknowledging the call that made them: a replaced session may still have deliveries, which
/// precede its end. Clear it and use it again: its memory is kept.
///
/// Thread-compatible; plain data.
struct Effects {
  std::vector<Delivery> deliveries;
  std::vector<ConnectAnswer> answers;
  std::vector<SessionReplaced> replaced;
  std::vector<FriendsRequest> friend_requests;
  std::vector<PeerMessage> messages;
  std::vector<AcceptedLocation> locations;

  void Clear() {
    deliveries.clear();
    answers.clear();
    replaced.clear();
    friend_requests.clear();
    messages.clear();
    locations.clear();
  }
};

}  // namespace nearby

#endif  // NEARBY_EFFECTS_H_
