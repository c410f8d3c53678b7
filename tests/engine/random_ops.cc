#include "tests/engine/random_ops.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace nearby::test {
namespace {

struct Weight {
  Op::Kind kind;
  std::uint64_t weight;
};

// Ends with the kinds that need lists to arrive late.
constexpr std::array<Weight, 17> kWeights = {{
    {Op::Kind::kAdvance, 20},
    {Op::Kind::kReport, 60},
    {Op::Kind::kConnect, 9},
    {Op::Kind::kDisconnect, 3},
    {Op::Kind::kBefriend, 6},
    {Op::Kind::kUnfriend, 3},
    {Op::Kind::kHide, 4},
    {Op::Kind::kShare, 4},
    {Op::Kind::kUnsubscribe, 4},
    {Op::Kind::kSubscribe, 4},
    {Op::Kind::kSetRadius, 4},
    {Op::Kind::kNearby, 4},
    {Op::Kind::kLoad, 9},
    {Op::Kind::kReload, 3},
    {Op::Kind::kBadList, 1},
    {Op::Kind::kRepeatChange, 3},
    {Op::Kind::kStaleHandle, 3},
}};
constexpr std::size_t kWeightsWithoutLists = 12;

const char* Name(Op::Kind kind) {
  constexpr std::array<const char*, 17> kNames = {
      "advance", "report", "connect",     "disconnect",    "befriend",    "unfriend",
      "hide",    "share",  "unsubscribe", "subscribe",     "radius",      "nearby",
      "load",    "reload", "bad list",    "repeat change", "stale handle"};
  return kNames[static_cast<std::size_t>(kind)];
}

}  // namespace

std::string ToString(const Op& op) {
  std::string line =
      absl::StrCat(Name(op.kind), " user=", ToInt(op.user), " other=", ToInt(op.other),
                   " time=", op.time.ms, " choice=", op.choice);
  if (op.kind == Op::Kind::kReport) {
    absl::StrAppendFormat(&line, " at=%.17g,%.17g", op.location.lat, op.location.lng);
  }
  if (op.radius_m) absl::StrAppendFormat(&line, " radius=%.17g", *op.radius_m);
  return line;
}

RandomOps::RandomOps(std::uint64_t seed) : source_(seed) {
  const std::uint64_t count = 3 + Below(20);
  for (std::uint64_t i = 0; i < count; ++i) {
    // Small ids, and the largest: every 64-bit value is a user.
    users_.push_back(UserId{OneIn(8) ? ~i : i});
  }
  switch (Below(4)) {
    case 0:
      center_ = {90, 0};
      break;
    case 1:
      center_ = {source_.Between(-80, 80), 180};
      break;
    default:
      center_ = source_.Anywhere();
  }
  is_wide_ = OneIn(2);
  spread_m_ = is_wide_ ? OneOf({30'000.0, 60'000.0, 200'000.0})
                       : OneOf({2'000.0, 12'000.0, 12'000.0, 40'000.0});
  tick_ms_ = OneOf<std::int64_t>({1, 10, 500, 1000});
  now_ = Time{OneOf<std::int64_t>({0, -5'000'000, 1'700'000'000'000})};
  DrawOptions();
}

void RandomOps::DrawOptions() {
  options_.radius_m = OneOf({8046.72, 8046.72, 3000.0, 0.0, 20'015'200.0});
  options_.hysteresis_m = OneOf({0.0, 0.0, 700.0});
  options_.ttl =
      OneOf({absl::Seconds(30), absl::Seconds(60), absl::Milliseconds(20'500), absl::Seconds(4)});
  options_.min_move_interval =
      OneOf({absl::ZeroDuration(), absl::ZeroDuration(), absl::Seconds(7)});
  options_.min_report_interval =
      OneOf({absl::ZeroDuration(), absl::ZeroDuration(), absl::Milliseconds(3500)});
  options_.max_future_skew = OneOf({absl::ZeroDuration(), absl::Seconds(5)});
  options_.connect_page_size = OneOf({0u, 1u, 3u, 20u});
  options_.unsubscribe_delay =
      OneOf({absl::ZeroDuration(), absl::Milliseconds(1500), absl::Seconds(30)});
  options_.emit_locations = OneIn(2);
  options_.skip_far_pairs = !OneIn(4);
  if (is_wide_) {
    options_.radius_m = OneOf({8046.72, 8046.72, 3000.0});
    options_.ttl = OneOf({absl::Minutes(2), absl::Minutes(20), absl::Hours(3), absl::Hours(3)});
  }
}

Op RandomOps::Next(bool with_lists) {
  Op op;
  op.kind = DrawKind(with_lists);
  op.user = users_[Below(users_.size())];
  op.other = users_[Below(users_.size())];
  op.choice = source_.random()();
  switch (op.kind) {
    case Op::Kind::kAdvance:
      now_.ms += DrawStepMs() / tick_ms_ * tick_ms_;
      op.time = now_;
      break;
    case Op::Kind::kReport:
      op.location = DrawLocation(op.user);
      op.time = DrawReportTime();
      break;
    case Op::Kind::kConnect:
      if (OneIn(4)) op.radius_m = DrawRadius();
      break;
    case Op::Kind::kSetRadius:
      op.radius_m = DrawRadius();
      break;
    default:
      break;
  }
  return op;
}

std::int64_t RandomOps::DrawStepMs() {
  const auto up_to = [this](std::uint64_t ms) { return static_cast<std::int64_t>(Below(ms)); };
  // Mostly a little; at times so far that everyone expires.
  const std::int64_t little = tick_ms_ * up_to(OneOf({3u, 3u, 10u}));
  if (!is_wide_) return little + (OneIn(5) ? up_to(15'000) : 0) + (OneIn(100) ? 100'000 : 0);
  return little + (OneIn(2) ? up_to(30'000) : 0) + (OneIn(10) ? up_to(200'000) : 0) +
         (OneIn(40) ? up_to(4'000'000) : 0);
}

Op::Kind RandomOps::DrawKind(bool with_lists) {
  const std::size_t kinds = with_lists ? kWeights.size() : kWeightsWithoutLists;
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < kinds; ++i) total += kWeights[i].weight;
  std::uint64_t draw = Below(total);
  std::size_t i = 0;
  for (; draw >= kWeights[i].weight; ++i) draw -= kWeights[i].weight;
  return kWeights[i].kind;
}

LatLng RandomOps::DrawLocation(UserId user) {
  const LatLng location = is_wide_ ? DrawTravel(user) : DrawPlainLocation(user);
  if (options_.min_report_interval == absl::ZeroDuration() || !Validate(location).ok()) {
    return location;
  }
  // No contract names the order of reports held back until one millisecond. No two reports are of
  // the same place, so that the deliveries betray the order, and the oracle can follow.
  return testing::Destination(location, source_.Bearing(), source_.Between(0.1, 3));
}

LatLng RandomOps::DrawPlainLocation(UserId user) {
  if (OneIn(60)) {
    const double bad = OneOf({std::numeric_limits<double>::quiet_NaN(), 90.0000001, -1e300,
                              std::numeric_limits<double>::infinity()});
    return OneIn(2) ? LatLng{bad, 0} : LatLng{0, bad * 3};
  }
  const UserId other = users_[Below(users_.size())];
  const LatLng theirs = locations_.emplace(other, center_).first->second;
  LatLng& mine = locations_.emplace(user, center_).first->second;
  const double wobble_m = OneOf({0.0, 0.005, -0.005, 0.03, -0.03, 2.0, -2.0});
  switch (Below(10)) {
    case 0:
      return mine = theirs;
    case 1:
      return mine;
    case 2:  // Just about on the boundary.
      return mine = testing::Destination(theirs, source_.Bearing(), options_.radius_m + wobble_m);
    case 3:
      return mine = testing::Destination(theirs, source_.Bearing(),
                                         options_.radius_m + options_.hysteresis_m + wobble_m);
    case 4:
      return mine = OneIn(3) ? source_.Anywhere() : testing::Antipode(theirs);
    case 5:
    case 6:
      return mine = testing::Destination(mine, source_.Bearing(), source_.LogBetween(0.01, 2000));
    default:
      return mine = testing::Destination(center_, source_.Bearing(),
                                         spread_m_ * std::sqrt(source_.Between(0, 1)));
  }
}

LatLng RandomOps::DrawTravel(UserId user) {
  Course& course = courses_[user];
  const std::int64_t elapsed_ms = now_.ms - course.since.ms;
  course.since = now_;
  const auto known = locations_.find(user);
  if (known == locations_.end() || OneIn(50)) return DrawPlainLocation(user);
  if (OneIn(12)) {
    course.meters_per_ms = OneOf({0.0, 0.0, 0.00299, 0.012, 0.0249, 0.0249, 0.0699, 0.29});
    course.bearing = source_.Bearing();
    course.towards.reset();
    if (!OneIn(4)) course.towards = users_[Below(users_.size())];
  }
  LatLng& mine = known->second;
  double meters = course.meters_per_ms * static_cast<double>(elapsed_ms);
  double bearing = course.bearing;
  if (course.towards && locations_.count(*course.towards) > 0) {
    const LatLng theirs = locations_[*course.towards];
    bearing = testing::InitialBearing(mine, theirs);
    meters = std::min(meters, testing::TrueMeters(mine, theirs));
  }
  return mine = testing::Destination(mine, bearing, meters);
}

Time RandomOps::DrawReportTime() {
  if (OneIn(100)) return Time{OneOf({kMaxTimeMs + 1, std::numeric_limits<std::int64_t>::min()})};
  if (OneIn(10)) return Time{now_.ms - static_cast<std::int64_t>(Below(20'000))};
  if (OneIn(20)) return Time{now_.ms + static_cast<std::int64_t>(Below(10'000))};
  return now_;
}

double RandomOps::DrawRadius() {
  const double radius_m =
      OneOf({0.0, 100.0, 5000.0, 8046.72, 15'000.0, 20'015'114.0, 20'100'000.0});
  return OneIn(3) ? options_.radius_m : radius_m;
}

}  // namespace nearby::test
