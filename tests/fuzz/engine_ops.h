#ifndef NEARBY_TESTS_FUZZ_ENGINE_OPS_H_
#define NEARBY_TESTS_FUZZ_ENGINE_OPS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/types/span.h"
#include "nearby/effects.h"
#include "nearby/stats.h"
#include "tests/engine/stream_checker.h"
#include "tests/fuzz/ops_target.h"

namespace nearby::test {

/// The most users in a world made from bytes: small, so that everybody meets everybody.
inline constexpr std::size_t kOpsUsers = 16;
/// Bytes at the head that say what the world is like: EngineOps::DecodeWorld.
inline constexpr std::size_t kWorldBytes = 4;
/// Bytes of an operation: a kind and three arguments.
inline constexpr std::size_t kOpBytes = 4;

/// Runs engines through a sequence of operations that any bytes decode to, checking every promise
/// on the way. Fuzzers bring the bytes, and so do the tests of the invariants, from a seeded
/// generator.
///
///   EngineOps ops(EngineOps::DecodeWorld(bytes));
///   ops.Run(bytes.subspan(kWorldBytes));
///   for (const Violation& violation : ops.violations()) Complain(violation);
///
/// In the end faults stop: all messages arrive, all lists load, everyone reports once more, and the
/// clients' sets must be those of the oracle.
///
/// Thread-compatible.
class EngineOps {
 public:
  /// `bytes` may be shorter than kWorldBytes: the rest counts as zeros.
  static World DecodeWorld(absl::Span<const std::uint8_t> bytes);

  explicit EngineOps(const World& world);

  /// Ends early once a promise is broken.
  void Run(absl::Span<const std::uint8_t> ops);

  /// All broken promises.
  std::vector<Violation> violations() const;
  const std::vector<Delivery>& transcript() const { return target_->transcript(); }
  const StreamChecker& checker() const { return target_->checker(); }
  EngineStats stats() const { return target_->stats(); }
  /// Pages read through to their end and compared with what had been delivered.
  std::size_t pages_read() const { return pages_read_; }
  /// Calls refused because a limit was reached.
  std::size_t limits_met() const { return limits_met_; }

 private:
  struct Op {
    std::uint8_t kind = 0;
    std::array<std::uint8_t, 3> args{};
  };

  void Execute(const Op& op);
  void Report(const Op& op);
  void ReportNonsense(const Op& op);
  void Advance(const Op& op);
  void Connect(const Op& op);
  void SetRadius(const Op& op);
  void ReadPages(const Op& op);
  void CallRaw(const Op& op);
  void NoteStatus(const absl::Status& status);
  void CheckOutcome(UserId user, ReportOutcome outcome, Time reported_at);
  void CheckAfterOp();
  void CheckLimits();
  void Heal();
  void Fail(int invariant, std::string what) { violations_.push_back({invariant, what}); }

  UserId User(std::uint8_t byte) const;
  // A user's place in the arrays below.
  std::size_t IndexOf(UserId user) const;

  World world_;
  std::unique_ptr<OpsTarget> target_;
  // What the newest report of a session said, to know which are stale.
  std::array<Time, kOpsUsers> newest_report_{};
  std::array<LatLng, kOpsUsers> last_location_{};
  std::array<bool, kOpsUsers> has_reported_{};
  std::vector<Violation> violations_;
  std::size_t pages_read_ = 0;
  std::size_t limits_met_ = 0;
};

}  // namespace nearby::test

#endif  // NEARBY_TESTS_FUZZ_ENGINE_OPS_H_
