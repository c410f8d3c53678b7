#ifndef NEARBY_TESTS_ENGINE_TWIN_ENGINES_H_
#define NEARBY_TESTS_ENGINE_TWIN_ENGINES_H_

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "nearby/effects.h"
#include "nearby/engine.h"
#include "nearby/ids.h"
#include "nearby/options.h"
#include "nearby/stats.h"
#include "tests/engine/raw_cluster.h"

namespace nearby::test {

/// The shards of one world twice over: those of one twin leave out pairs too far apart to have met,
/// those of the other check every pair. Each call goes to both; that both ask the same of the
/// world, delivery by delivery, and that their invariants hold, is checked after each, and a
/// difference is a failure of the test.
///
/// Users live on a meridian, so that metres from the equator to the north add up. Messages between
/// shards wait until the test carries them.
///
/// Thread-compatible.
class Twins {
 public:
  explicit Twins(const EngineOptions& options = {}, std::uint32_t shards = 1);

  void Advance(std::int64_t ms);
  void AdvanceBy(std::int64_t ms) { Advance(now_ms() + ms); }
  /// Connects, and loads a list of these friends as of the present version.
  void Join(UserId user, const std::vector<UserId>& friends,
            std::optional<double> radius_m = std::nullopt);
  void Disconnect(UserId user);
  void SetRadius(UserId user, double radius_m);
  void Report(UserId user, double meters) { ReportAt(user, PointAt(meters)); }
  /// Dated by the engines' time, or any other.
  void ReportAt(UserId user, LatLng point, std::optional<Time> reported_at = std::nullopt);
  /// Where they reported last.
  void ReportAgain(UserId user) { ReportAt(user, points_.at(user)); }
  /// With Engine::ReportAll; one shard only.
  void ReportAll(const std::vector<UserId>& users, const std::vector<LatLng>& points);
  /// A change of the pair, seen from `user`, under the next version.
  void Apply(UserId user, UserId friend_id, const Friendship& friendship);

  /// The messages that wait, oldest first from each shard to each other.
  std::vector<PeerMessage> TakeMessages();
  void Receive(const PeerMessage& message);
  /// Carries messages until there are no more.
  void Carry();

  /// What came of the last call, in words: "enter 1 2" when 1 comes to see 2.
  const std::vector<std::string>& deliveries() const { return deliveries_; }
  std::int64_t now_ms() const { return clusters_[0].engine(0).now().ms; }
  ClientHandle client(UserId user) const { return clients_.at(user); }
  /// Of the twin that skips.
  EngineStats stats() const;
  /// Whether the twin that skips had no pair to look at when the user last reported.
  bool was_passed_by() const { return checks_of_last_report_ == 0; }

  static LatLng PointAt(double meters);

 private:
  static constexpr std::size_t kTwins = 2;  // the first one skips

  Engine& home(std::size_t twin, UserId user) {
    return clusters_[twin].engine(clusters_[twin].home(user));
  }
  // Compares what the twins ask for, takes their messages into the queues, and checks invariants.
  void Settle();
  void CompareAndForget();

  std::vector<RawCluster> clusters_;
  std::array<Effects, kTwins> effects_;
  std::map<UserId, ClientHandle> clients_;
  std::map<UserId, LatLng> points_;
  std::uint64_t version_ = 1;
  std::uint64_t checks_of_last_report_ = 0;
  std::vector<std::string> deliveries_;
};

}  // namespace nearby::test

#endif  // NEARBY_TESTS_ENGINE_TWIN_ENGINES_H_
