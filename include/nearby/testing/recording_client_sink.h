#ifndef NEARBY_TESTING_RECORDING_CLIENT_SINK_H_
#define NEARBY_TESTING_RECORDING_CLIENT_SINK_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "nearby/client_sink.h"
#include "nearby/export.h"
#include "nearby/ids.h"

namespace nearby {

/// A host's connections, as a test wants them: keeps for each session what its client would
/// believe, and holds everything that is handed over against the contract of ClientSink.
///
///   RecordingClientSink sink;
///   ...                                  // hand it to a runtime; in the done of Connect:
///   sink.Connected(cookie, user);
///   ...
///   EXPECT_THAT(sink.violations(), IsEmpty());
///   EXPECT_EQ(sink.InSight(cookie).count(friend_id), 1);
///
/// A violation is one of these: something handed over before Connected or after Ended, or under
/// the cookie of another session; calls of one session that overlap; a batch while the session is
/// busy, or one that says nothing; two events for one friend in a batch; an enter of one who is in
/// sight, a move or a leave of one who is not; anything but enters in a resync; a friend's time
/// that goes backward, of an event within a session, of a report as long as the friend stays in
/// sight and no session of theirs ends; an event about the client's own user; an enter or move
/// without a position, a leave with one or with a distance; a reason where none belongs, none where
/// one does, or one that clients are not to know; anything but a leave about a friend whom
/// MustNotSee named.
///
/// Thread-safe. No lock is held while the hook runs.
class NEARBY_API RecordingClientSink : public ClientSink {
 public:
  struct Options {
    /// Without it, a session may begin with the first batch, and Connected need not be called.
    bool expect_connected = true;
    /// Leaves must not say that somebody hid or unfriended (see `ReasonForClient`).
    bool coarse_reasons = true;
    /// The latest batches kept for each session; older ones go. What a client believes is kept
    /// whatever this is.
    std::size_t max_batches = 1'000;
    /// Of the violations the first are kept; the others are only counted.
    std::size_t max_violations = 100;
  };

  struct RefusedReport {
    Time reported_at;
    ReportOutcome outcome = ReportOutcome::kAccepted;
  };

  /// A batch as it was handed over.
  struct Batch {
    BatchStart start = BatchStart::kGoesOn;
    std::vector<ClientEvent> events;
  };

  struct Counts {
    std::size_t batches = 0;
    std::size_t enters = 0;
    std::size_t moves = 0;
    std::size_t leaves = 0;
    std::size_t resets = 0;
    std::size_t resyncs = 0;
    std::size_t ended = 0;
    std::size_t violations = 0;
    std::size_t late = 0;  ///< Calls ignored because the session had been disconnected.
  };

  /// Runs within Deliver, when the batch has been taken in: a test calls the runtime from here, or
  /// makes the call last.
  using Hook = std::function<void(const ClientBatch&)>;

  RecordingClientSink();
  explicit RecordingClientSink(const Options& options);
  ~RecordingClientSink() override;

  Flow Deliver(const ClientBatch& batch) override;
  void Ended(SessionId session, std::uint64_t cookie, EndReason reason) override;
  void ReportRefused(SessionId session, std::uint64_t cookie, Time reported_at,
                     ReportOutcome outcome) override;
  void MoveAway(SessionId session, std::uint64_t cookie, absl::Duration after) override;

  // What the test tells of its own doing.

  /// The connect has been answered with Ok, naming these friends as in sight.
  void Connected(std::uint64_t cookie, UserId user, absl::Span<const NearbyFriend> friends = {});
  /// The host is about to disconnect the session: what still comes is counted as late and ignored.
  void Disconnected(std::uint64_t cookie);
  /// What Deliver answers from now on; kReady unless set.
  void SetFlow(std::uint64_t cookie, Flow flow);
  /// To be called before `Runtime::Ready`: the session may be handed batches again.
  void Ready(std::uint64_t cookie);
  /// From now on the client must not be told where that friend is.
  void MustNotSee(std::uint64_t cookie, UserId friend_id);
  void MaySee(std::uint64_t cookie, UserId friend_id);
  void SetHook(Hook hook);

  // What has come of it. Of a cookie that was never seen: nothing.

  /// The friends whom the client believes in sight, each with its latest enter or move.
  std::map<UserId, ClientEvent> InSight(std::uint64_t cookie) const;
  std::vector<Batch> batches(std::uint64_t cookie) const;
  /// Whether the last batch was answered with kBusy, and Ready has not been called since.
  bool is_busy(std::uint64_t cookie) const;
  std::optional<EndReason> ended(std::uint64_t cookie) const;
  std::vector<RefusedReport> refused(std::uint64_t cookie) const;
  std::vector<absl::Duration> moved_away(std::uint64_t cookie) const;
  /// Over all sessions.
  Counts counts() const;
  /// What was wrong, a line each, in the order in which it came.
  std::vector<std::string> violations() const;

 private:
  struct Session;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace nearby

#endif  // NEARBY_TESTING_RECORDING_CLIENT_SINK_H_
