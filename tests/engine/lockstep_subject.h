#ifndef NEARBY_TESTS_ENGINE_LOCKSTEP_SUBJECT_H_
#define NEARBY_TESTS_ENGINE_LOCKSTEP_SUBJECT_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "nearby/effects.h"
#include "nearby/ids.h"
#include "nearby/lockstep.h"
#include "nearby/options.h"
#include "tests/engine/friend_store_model.h"
#include "tests/engine/oracle.h"
#include "tests/engine/random_ops.h"

namespace nearby::test {

/// A Lockstep of several shards beside an oracle of its own, carrying out the operations of
/// RandomOps.
class LockstepSubject {
 public:
  LockstepSubject(const EngineOptions& options, std::uint32_t shards);

  /// Carries out the operation on both; what is wrong, in words.
  std::vector<std::string> Do(const Op& op);
  /// What the last operation delivered, in order of (time, subscriber, friend, occurrence).
  std::vector<Delivery> SortedDeliveries() const;
  /// Compares the statistics with what the oracle has counted.
  std::vector<std::string> CheckStats() const;

  std::uint32_t shards() const { return shards_; }
  const Lockstep& lockstep() const { return *lockstep_; }
  const EngineOracle& oracle() const { return oracle_; }

 private:
  void Connect(const Op& op);
  void Disconnect(UserId user);
  void ChangeFriendship(const Op& op);
  absl::Status ChangeGraph(const Op& op);
  void SetRadius(UserId user, double radius_m);
  void ReadPages(UserId user, std::size_t page_size);
  EngineOracle::Observed Observed() const { return {lockstep_->deliveries()}; }
  void Expect(bool holds, const std::string& what);

  std::uint32_t shards_;
  std::unique_ptr<Lockstep> lockstep_;
  EngineOracle oracle_;
  FriendStoreModel store_;
  std::map<UserId, double> radii_;
  std::vector<std::string> faults_;
  std::uint64_t last_cookie_ = 0;
};

/// The friendship that `op`, a change of the graph, makes of `before`, seen from `op.user`.
Friendship Changed(Friendship before, Op::Kind kind);

}  // namespace nearby::test

#endif  // NEARBY_TESTS_ENGINE_LOCKSTEP_SUBJECT_H_
