#ifndef NEARBY_TESTS_ENGINE_ENGINE_SUBJECT_H_
#define NEARBY_TESTS_ENGINE_ENGINE_SUBJECT_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "nearby/effects.h"
#include "nearby/engine.h"
#include "nearby/ids.h"
#include "nearby/options.h"
#include "tests/engine/friend_store_model.h"
#include "tests/engine/oracle.h"
#include "tests/engine/random_ops.h"

namespace nearby::test {

/// One engine beside an oracle, with a friend store that answers late: lists are read as of some
/// version, and arrive after changes, reconnects and expiries. Changes are applied as they are
/// committed.
class EngineSubject {
 public:
  explicit EngineSubject(const EngineOptions& options);

  /// Commits a friendship from before the engine's time: lists hold it, and no change ever said it.
  void Befriend(UserId a, UserId b);

  /// Carries out the operation on both; what is wrong, in words.
  std::vector<std::string> Do(const Op& op);
  /// Compares the statistics with what was seen.
  std::vector<std::string> CheckStats() const;

  const Engine& engine() const { return *engine_; }
  const EngineOracle& oracle() const { return oracle_; }

 private:
  struct Session {
    ClientHandle client;
    UserId user{};
  };
  // A list on its way.
  struct Load {
    Session session;
    FriendVersion version{};
  };

  void Advance(Time now);
  void Report(const Op& op);
  void Connect(const Op& op);
  void Disconnect(UserId user);
  void SetRadius(UserId user, double radius_m);
  void ReadPages(UserId user, std::size_t page_size);
  void ChangeFriendship(const Op& op);
  void RepeatChange(std::uint64_t choice);
  void LetArrive(std::uint64_t choice);
  void Reload(const Op& op);
  void Install(const Load& load, bool with_repeats);
  void TryBadList(const Op& op);
  void TryStaleHandle(const Op& op);

  FriendVersion VersionBefore(std::uint64_t choice) const;
  bool IsOver(const Session& session) const;
  EngineOracle::Observed Observed() const;
  void Expect(bool holds, const std::string& what);
  void ExpectUnchanged(const char* what);

  EngineOptions options_;
  std::unique_ptr<Engine> engine_;
  EngineOracle oracle_;
  FriendStoreModel store_;
  FriendVersion first_version_{};  // the store's before the engine began
  Effects effects_;
  std::map<UserId, ClientHandle> sessions_;
  std::map<Slot, FriendVersion> loaded_;  // by each session's last list
  std::vector<Session> over_;             // sessions that have ended
  std::vector<Load> loads_;
  std::vector<std::string> faults_;
  std::uint64_t last_cookie_ = 0;
  std::size_t reports_ = 0;
};

}  // namespace nearby::test

#endif  // NEARBY_TESTS_ENGINE_ENGINE_SUBJECT_H_
