#ifndef EXAMPLES_PHONES_VIOLATIONS_H_
#define EXAMPLES_PHONES_VIOLATIONS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "nearby/ids.h"
#include "nearby/time.h"

namespace phones {

/// What a server must never tell a phone.
enum class ViolationKind : std::uint8_t {
  kEnterTwice,     ///< A friend entered who was in sight.
  kMoveUnseen,     ///< A friend moved who was not in sight.
  kLeaveUnseen,    ///< A friend left who was not in sight.
  kNoFriend,       ///< News of somebody who is no friend.
  kUnsubscribed,   ///< An enter or a move of a friend unsubscribed from, after the answer.
  kTimeBackward,   ///< A friend's news, or their report, is older than what came before.
  kTwiceInUpdate,  ///< Two events about one friend in one update.
  kBeforeInit,     ///< News before the answer to init.
  kUnaskedAnswer,  ///< An answer to no call, or of the wrong kind.
  kUnreadable,     ///< A frame that is no message.
};
inline constexpr std::size_t kViolationKinds = 10;

/// "a friend in sight entered" and so on. Static strings.
const char* ToString(ViolationKind kind);

struct Violation {
  ViolationKind kind = ViolationKind::kEnterTwice;
  nearby::UserId user{};                    ///< Whose phone was told.
  std::optional<nearby::UserId> friend_id;  ///< About whom, if it was about somebody.
  nearby::Time time;                        ///< By the phone's clock.
};

/// For people, in one line.
std::string ToString(const Violation& violation);

/// Violations counted by kind; the first is kept as an example.
///
/// Thread-compatible.
class Violations {
 public:
  void Add(const Violation& violation);
  void Add(const Violations& other);

  std::uint64_t total() const;
  std::uint64_t count(ViolationKind kind) const { return counts_[static_cast<std::size_t>(kind)]; }
  const std::optional<Violation>& first() const { return first_; }

 private:
  std::array<std::uint64_t, kViolationKinds> counts_{};
  std::optional<Violation> first_;
};

}  // namespace phones

#endif  // EXAMPLES_PHONES_VIOLATIONS_H_
