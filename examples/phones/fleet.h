#ifndef EXAMPLES_PHONES_FLEET_H_
#define EXAMPLES_PHONES_FLEET_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "examples/phones/backoff.h"
#include "examples/phones/credentials.h"
#include "examples/phones/phone.h"
#include "examples/phones/phone_clock.h"
#include "examples/phones/tally.h"
#include "examples/phones/websocket.h"
#include "examples/replay/random.h"
#include "nearby/client_codec.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/server_codec.h"
#include "nearby/time.h"
#include "nearby/wire_format.h"

namespace phones {

/// Learns what phones are told.
class FleetListener {
 public:
  virtual ~FleetListener() = default;

  /// Before phone number `phone` takes the message.
  virtual void OnMessage(std::size_t phone, const nearby::ServerMessage& message) = 0;
};

/// The phones of one loop and their connections. A phone that has a location keeps connected:
/// whatever ends its connection, it dials again after a while, and where the server asks it to
/// move, at the time that it was given. Of several servers each phone takes one by chance, and
/// another one after it was asked to move, was refused or lost its connection.
///
///   Fleet fleet(options, &dialer, &credentials, &clock, &listener);
///   const std::size_t phone = fleet.Add(user, friends);
///   fleet.Report(phone, {location, now});   // dials; later, reports
///   fleet.Advance();                        // every few milliseconds
///
/// Thread-compatible: for the loop's thread.
/// Ownership: owns phones and sockets; borrows what it is made with, which must outlive it.
/// Cost: a report is one frame, and no allocation.
class Fleet {
 public:
  struct Options {
    nearby::WireFormat format = nearby::WireFormat::kProtobuf;
    Backoff::Options backoff;
    /// Connections being opened at one time; others wait for their turn.
    std::size_t max_dialing = 64;
    /// Of the dialer. At least one.
    std::size_t servers = 1;
    std::uint64_t seed = 1;  ///< Of the backoff, and of the choice of servers.
  };

  /// The listener may be null.
  Fleet(const Options& options, Dialer* dialer, const Credentials* credentials,
        const PhoneClock* clock, FleetListener* listener);
  ~Fleet();
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  /// Adds a phone, switched off, and returns its number: they count from 0. `friends` ascend, each
  /// once.
  std::size_t Add(nearby::UserId user, absl::Span<const nearby::UserId> friends);

  // --- what its owner does with a phone ---

  /// Tells where it is, or, if it has no connection, gets one that begins with this location.
  void Report(std::size_t phone, const nearby::ReportCall& report);
  /// Without a connection these two are forgotten.
  void Subscribe(std::size_t phone, nearby::UserId friend_id);
  void Unsubscribe(std::size_t phone, nearby::UserId friend_id);
  /// Until the next report.
  void SwitchOff(std::size_t phone);

  // --- all of them ---

  /// Dials and moves those whose time has come.
  void Advance();
  /// Ends all connections with a goodbye; nobody dials any more.
  void HangUp();

  std::size_t size() const { return lines_.size(); }
  const Phone& phone(std::size_t number) const;
  /// Where a phone is that its owner has not switched off: what it tells the server, or will tell.
  const std::optional<nearby::ReportCall>& latest(std::size_t number) const;
  /// Its server, if its init has been answered and it is not about to leave.
  std::optional<std::size_t> server_of(std::size_t number) const;
  /// Phones whose init has been answered.
  std::size_t online() const { return Count(State::kOnline); }
  /// Phones that have a connection, or are getting or ending one.
  std::size_t sockets() const;
  /// For how long nobody has been online, although somebody wants to be; as of Advance.
  absl::Duration alone_for() const { return alone_for_; }
  /// Why the last attempt to connect came to nothing.
  const std::string& last_failure() const { return last_failure_; }
  /// Not Ok if the server will never let these phones in.
  const absl::Status& status() const { return status_; }
  const Tally& tally() const { return tally_; }

 private:
  enum class State : std::uint8_t {
    kOff,
    kWaiting,  // for its time, or its turn, to dial
    kDialing,
    kInit,  // waits for the answer to init
    kOnline,
    kLeaving,  // waits for the connection to end
    kRetired,  // somebody else is connected as this user
  };
  static constexpr std::size_t kStates = 7;
  struct Line;
  using Due = std::pair<std::int64_t, std::size_t>;

  std::size_t Count(State state) const { return counts_[static_cast<std::size_t>(state)]; }
  void SetState(Line* line, State state);
  void WaitUntil(Line* line, std::int64_t due_us);
  void Dial(Line* line);
  std::size_t PickServer(const Line& line);
  // Ends the connection; dials again at `line->due_us` if the line comes back.
  void Leave(Line* line, bool comes_back);
  void Send(Line* line, const nearby::ClientCall& call);
  void SendReport(Line* line);

  // From the sockets.
  void OnOpen(Line* line);
  void OnFrame(Line* line, nearby::WireFormat format, absl::string_view frame);
  void OnClosed(Line* line, const Closure& closure);
  void OnUnaskedEnd(Line* line, State state, const Closure& closure);
  void React(Line* line, const Phone::Reaction& reaction);
  void GoOnline(Line* line);

  const Options options_;
  Dialer* const dialer_;
  const Credentials* const credentials_;
  const PhoneClock* const clock_;
  FleetListener* const listener_;
  replay::Random random_;
  nearby::ClientEncoder encoder_;
  nearby::ServerDecoder decoder_;
  std::string frame_;  // kept for its memory

  std::vector<std::unique_ptr<Line>> lines_;
  std::array<std::size_t, kStates> counts_{};
  // When lines dial or move, earliest first. Entries that do not match their line's time are void.
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  bool is_hanging_up_ = false;
  std::int64_t company_us_ = 0;  // when last somebody was online, or nobody wanted to be
  absl::Duration alone_for_;
  std::string last_failure_;
  absl::Status status_;
  Tally tally_;
};

}  // namespace phones

#endif  // EXAMPLES_PHONES_FLEET_H_
