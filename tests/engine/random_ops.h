#ifndef NEARBY_TESTS_ENGINE_RANDOM_OPS_H_
#define NEARBY_TESTS_ENGINE_RANDOM_OPS_H_

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/options.h"
#include "nearby/time.h"
#include "tests/base/sphere_reference.h"

namespace nearby::test {

/// One thing that a host might do. What the fields mean depends on the kind; those without a
/// meaning are zero.
struct Op {
  enum class Kind {
    kAdvance,  // to `time`
    kReport,   // `user` at `location`, dated `time`
    kConnect,  // `user`, with `radius_m` if there is one
    kDisconnect,
    kBefriend,  // `user` and `other`
    kUnfriend,
    kHide,  // `user` from `other`
    kShare,
    kUnsubscribe,  // `user` from `other`
    kSubscribe,
    kSetRadius,
    kNearby,        // pages of `choice % 7 + 1` friends for `user`
    kLoad,          // a friend list arrives
    kReload,        // an unasked copy of a list arrives
    kBadList,       // a list arrives that must be refused
    kRepeatChange,  // an old change is applied once more
    kStaleHandle,   // a call for a session that is over
  };

  Kind kind = Kind::kAdvance;
  UserId user{};
  UserId other{};
  LatLng location;
  Time time;
  std::optional<double> radius_m;
  std::uint64_t choice = 0;
};

/// One line for a person.
std::string ToString(const Op& op);

/// Draws a small world in which everything happens often, and then what its users do: they crowd
/// within a few kilometres, step over each other's boundaries, jump, and act at the same
/// milliseconds.
///
/// Every other world is wide: its users live far apart, stay active for long, and travel. They
/// drift, or come towards each other at just about the speeds that an engine trusts them to go, sit
/// still, jump at times, and fall silent for up to an hour.
class RandomOps {
 public:
  explicit RandomOps(std::uint64_t seed);

  /// Options that suit the world; the performance of a feature never matters to it.
  const EngineOptions& options() const { return options_; }
  const std::vector<UserId>& users() const { return users_; }
  /// With lists that arrive by themselves (Lockstep) the kinds from kLoad on never come.
  Op Next(bool with_lists);

 private:
  std::uint64_t Below(std::uint64_t limit) { return source_.random()() % limit; }
  bool OneIn(std::uint64_t n) { return Below(n) == 0; }
  template <typename T>
  T OneOf(std::initializer_list<T> choices) {
    return choices.begin()[Below(choices.size())];
  }
  void DrawOptions();
  Op::Kind DrawKind(bool with_lists);
  LatLng DrawLocation(UserId user);
  LatLng DrawPlainLocation(UserId user);
  LatLng DrawTravel(UserId user);
  std::int64_t DrawStepMs();
  Time DrawReportTime();
  double DrawRadius();

  // How somebody in a wide world goes.
  struct Course {
    double meters_per_ms = 0;
    double bearing = 0;
    std::optional<UserId> towards;
    Time since;  // when they were where they were last
  };

  testing::PointSource source_;
  EngineOptions options_;
  bool is_wide_ = false;
  std::vector<UserId> users_;
  LatLng center_;
  double spread_m_ = 0;
  std::int64_t tick_ms_ = 1;  // times are multiples of it: many things fall on one millisecond
  Time now_;
  std::map<UserId, LatLng> locations_;
  std::map<UserId, Course> courses_;
};

}  // namespace nearby::test

#endif  // NEARBY_TESTS_ENGINE_RANDOM_OPS_H_
