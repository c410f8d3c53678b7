#ifndef NEARBY_TESTS_RUNTIME_RUNTIME_SUBJECT_H_
#define NEARBY_TESTS_RUNTIME_RUNTIME_SUBJECT_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "nearby/client_sink.h"
#include "nearby/effects.h"
#include "nearby/ids.h"
#include "nearby/options.h"
#include "tests/engine/random_ops.h"
#include "tests/runtime/world.h"

namespace nearby::test {

/// What somebody was told by one operation, all in all: at most one event a friend, however many
/// there were on the way.
class Told {
 public:
  void Add(const Delivery& delivery);
  void Add(const ClientBatch& batch);

  bool empty() const { return !has_reset_ && Events().empty(); }
  /// A line for each friend, ascending.
  std::string Describe() const;

 private:
  struct Change {
    bool was_there = false;
    ClientEvent latest;
  };

  void Add(const ClientEvent& event);
  void Reset();
  std::vector<ClientEvent> Events() const;

  bool has_reset_ = false;
  std::map<UserId, Change> changes_;
};

/// A runtime of several shards that carries out the operations of RandomOps, polled until all is
/// quiet after each. Cookies are numbered as LockstepSubject numbers them.
class RuntimeSubject {
 public:
  RuntimeSubject(const EngineOptions& options, std::uint32_t shards);

  void Do(const Op& op);

  /// What the last operation told, by cookie; those who were told nothing are left out.
  std::map<std::uint64_t, std::string> told() const;
  /// What the last operation's answer listed: a connect's, or all pages that were read.
  const std::vector<NearbyFriend>& listed() const { return listed_; }
  std::optional<std::uint64_t> cookie(UserId user) const;
  std::set<UserId> InSight(UserId user) const;
  World& world() { return world_; }

 private:
  void Connect(const Op& op);
  void Report(const Op& op);
  void ReadPages(UserId user, std::size_t page_size);

  static World::Options OptionsFor(const EngineOptions& options, std::uint32_t shards);

  World world_;
  std::map<UserId, Client> clients_;
  std::map<UserId, double> radii_;
  std::map<std::uint64_t, Told> told_;
  std::vector<NearbyFriend> listed_;
  std::uint64_t connects_ = 0;
};

}  // namespace nearby::test

#endif  // NEARBY_TESTS_RUNTIME_RUNTIME_SUBJECT_H_
