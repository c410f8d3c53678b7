#ifndef BENCHMARKS_CAPACITY_ENGINE_SIDE_H_
#define BENCHMARKS_CAPACITY_ENGINE_SIDE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "benchmarks/capacity/batches.h"
#include "benchmarks/capacity/huge_array.h"
#include "benchmarks/capacity/sink.h"
#include "benchmarks/capacity/trace.h"
#include "benchmarks/capacity/world.h"
#include "nearby/effects.h"
#include "nearby/engine.h"
#include "nearby/ids.h"
#include "nearby/options.h"
#include "nearby/stats.h"
#include "nearby/time.h"

namespace capacity {

/// What a stretch of work took, and what came of it.
struct Served {
  std::uint64_t calls = 0;
  double seconds = 0;
  Delivered delivered;

  double per_second() const { return static_cast<double>(calls) / seconds; }
  Served& operator+=(const Served& other) {
    calls += other.calls;
    seconds += other.seconds;
    delivered += other.delivered;
    return *this;
  }
};

/// The engine, driven as a host drives it: through its public interface, by the handles that
/// connect gave, in batches, its deliveries encoded for the clients. Times its calls and the
/// encoding, nothing else.
///
/// Thread-compatible. Borrows the world, which must outlive it.
class EngineSide {
 public:
  /// Sets aside what the host itself needs; there is no engine yet.
  EngineSide(const World& world, std::size_t chunk);

  /// Makes the engine. False, with the reason on standard error, if the options are refused.
  bool Create(const nearby::EngineOptions& options, nearby::Time now);

  /// Connects these users one after the other, each with the list of friends and as many friends
  /// who are not online besides.
  Served Connect(absl::Span<const std::uint32_t> users, std::uint32_t offline_friends);
  Served Disconnect(absl::Span<const std::uint32_t> users);

  /// Hands over these batches.
  Served ReportAll(absl::Span<const Batch> batches);

  /// Moves time on, alone. The time and what expired; no calls are counted.
  Served Advance(nearby::Time now);

  /// Takes what other shards sent. Encodes what comes of it.
  void Receive(absl::Span<const nearby::PeerMessage> messages);
  /// What is to go to other shards, of all calls since the caller last emptied it.
  std::vector<nearby::PeerMessage>& messages() { return effects_.messages; }

  /// ReportAll in steps, for who times it otherwise. Prepare says which reports come; each Serve
  /// hands over the next `count` of them, and encodes. Requires that so many are left.
  void Prepare(absl::Span<const Batch> batches);
  void Serve(std::size_t count, nearby::Time now);
  /// What the last Serve delivered.
  absl::Span<const nearby::Delivery> deliveries() const { return effects_.deliveries; }
  /// Empties the clients' buffers, and answers how many deliveries they held.
  std::uint64_t Discard() { return sink_.Discard(); }

  /// Requires that the user is connected.
  nearby::ClientHandle client(std::uint32_t user) const { return clients_[user]; }
  nearby::Engine& engine() { return *engine_; }
  nearby::EngineStats stats() const { return engine_->stats(); }
  absl::Status CheckInvariants() const { return engine_->CheckInvariants(); }
  /// Calls that did not end as they should have.
  std::uint64_t failures() const { return failures_; }

 private:
  void PrepareLists(absl::Span<const std::uint32_t> users, std::uint32_t offline_friends);
  /// Of all but the messages.
  void ClearEffects();
  /// Of the last Advance, and of so many reports after it.
  void CountFailures(std::size_t reports);

  const World& world_;
  std::unique_ptr<nearby::Engine> engine_;
  HugeArray<nearby::ClientHandle> clients_;
  std::vector<nearby::LocationReport> reports_;
  std::size_t next_report_ = 0;  ///< Of those prepared.
  std::vector<nearby::ReportOutcome> outcomes_;
  std::vector<nearby::FriendEntry> entries_;
  std::vector<std::size_t> list_ends_;
  nearby::Effects effects_;
  Sink sink_;
  absl::Status advanced_;
  std::uint64_t failures_ = 0;
};

}  // namespace capacity

#endif  // BENCHMARKS_CAPACITY_ENGINE_SIDE_H_
