#include "tests/fuzz/engine_ops.h"

#include <algorithm>
#include <limits>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace nearby::test {
namespace {

// Ids at the ends of their range, and ordinary ones that live on different shards.
constexpr std::array<std::uint64_t, kOpsUsers> kUserIds = {
    0,  1,  2,        std::numeric_limits<std::uint64_t>::max(),
    5,  8,  13,       std::uint64_t{1} << 32,
    34, 55, 89,       144,
    3,  21, 1u << 31, std::numeric_limits<std::uint64_t>::max() - 1};

// Two bytes to a point: a few places where geometry is hard, and steps of some 800 m around them,
// so that with the default radius friends come and go.
LatLng Place(std::uint8_t place, std::uint8_t step) {
  static constexpr LatLng kMunich{48.137, 11.575};
  static constexpr std::array<LatLng, 16> kPlaces = {{kMunich,
                                                      kMunich,
                                                      kMunich,
                                                      kMunich,
                                                      kMunich,
                                                      kMunich,
                                                      kMunich,
                                                      kMunich,
                                                      kMunich,
                                                      kMunich,
                                                      kMunich,
                                                      {0, 179.999},
                                                      {0, -180},
                                                      {89.97, 0},
                                                      {-90, 0},
                                                      {0, 0}}};
  const LatLng base = kPlaces[place % kPlaces.size()];
  const double north = 0.0072 * ((step & 15) - 8);
  double east = 0.0108 * ((step >> 4) - 8);
  // Near a pole a step east is made as wide as elsewhere by covering more degrees.
  if (base.lat > 80 || base.lat < -80) east *= 1000;
  LatLng point{std::clamp(base.lat + north, -90.0, 90.0), base.lng + east};
  if (point.lng > 180) point.lng -= 360;
  if (point.lng < -180) point.lng += 360;
  return point;
}

constexpr Time kStart{1'000'000};

std::int64_t Milliseconds(absl::Duration duration) { return absl::ToInt64Milliseconds(duration); }

template <typename T, std::size_t n>
const T& Pick(const std::array<T, n>& choices, unsigned choice) {
  return choices[choice % n];
}

}  // namespace

World EngineOps::DecodeWorld(absl::Span<const std::uint8_t> bytes) {
  std::array<std::uint8_t, kWorldBytes> head{};
  std::copy_n(bytes.begin(), std::min(bytes.size(), head.size()), head.begin());
  static constexpr std::array<std::uint32_t, 4> kShards = {1, 2, 3, 7};
  World world;
  // Lockstep, prompt on one shard, prompt on several, delayed.
  const unsigned driving = head[0] & 3;
  world.driving = driving == 0   ? Driving::kLockstep
                  : driving == 3 ? Driving::kDelayed
                                 : Driving::kPrompt;
  world.shards = driving == 1 ? 1 : Pick(kShards, head[0] >> 2);

  world.users = Pick<std::size_t, 4>({4, 6, 9, kOpsUsers}, head[3] >> 5);

  EngineOptions& options = world.options;
  options.hysteresis_m = Pick<double, 4>({0, 0, 100, 2000}, head[1]);
  options.min_move_interval = absl::Seconds(Pick<int, 4>({0, 0, 1, 7}, head[1] >> 2));
  options.emit_locations = true;
  // When a held report is applied shows in what is emitted, which Lockstep keeps to itself; and
  // when it reaches another shard, no prompt carrier can say.
  if (driving == 1 || driving == 3) {
    options.min_report_interval = absl::Seconds(Pick<int, 4>({0, 0, 2, 5}, head[1] >> 4));
  }
  options.ttl = absl::Seconds(Pick<int, 4>({60, 30, 10, 600}, head[1] >> 6));
  options.connect_page_size = Pick<std::uint32_t, 4>({0, 1, 2, 20}, head[2]);
  options.max_friends = Pick<std::uint32_t, 4>({5000, 2, 4, 5000}, head[2] >> 2);
  options.max_entities = Pick<std::uint32_t, 4>({1000, 1000, 5, 9}, head[2] >> 4);
  options.max_remembered_changes = Pick<std::uint32_t, 4>({65536, 65536, 8, 2}, head[2] >> 6);
  options.max_page_size = Pick<std::uint32_t, 2>({1000, 3}, head[3]);
  options.unsubscribe_delay = absl::Seconds(Pick<int, 4>({30, 0, 1, 30}, head[3] >> 2));
  options.max_future_skew = absl::Seconds(Pick<int, 2>({60, 0}, head[3] >> 4));
  return world;
}

UserId EngineOps::User(std::uint8_t byte) const { return UserId{kUserIds[byte % world_.users]}; }

std::size_t EngineOps::IndexOf(UserId user) const {
  return static_cast<std::size_t>(std::find(kUserIds.begin(), kUserIds.end(), ToInt(user)) -
                                  kUserIds.begin());
}

EngineOps::EngineOps(const World& world) : world_(world), target_(MakeOpsTarget(world)) {
  if (!target_->Advance(kStart).ok()) Fail(0, "the first Advance failed");
}

std::vector<Violation> EngineOps::violations() const {
  std::vector<Violation> all = violations_;
  for (const auto* some : {&target_->violations(), &target_->checker().violations()}) {
    all.insert(all.end(), some->begin(), some->end());
  }
  return all;
}

void EngineOps::Run(absl::Span<const std::uint8_t> ops) {
  for (std::size_t i = 0; i + kOpBytes <= ops.size(); i += kOpBytes) {
    Execute({ops[i], {ops[i + 1], ops[i + 2], ops[i + 3]}});
    CheckAfterOp();
    if (!violations().empty()) return;
  }
  Heal();
}

void EngineOps::Execute(const Op& op) {
  using Kind = OpsTarget::ChangeKind;
  const Viewing viewing{User(op.args[0]), User(op.args[1])};
  const auto apply = [&](Kind kind) { NoteStatus(target_->Apply(kind, viewing)); };
  // Weights: most of what happens to an engine is reports.
  if (op.kind < 96) return Report(op);
  if (op.kind < 124) return Advance(op);
  if (op.kind < 144) return Connect(op);
  if (op.kind < 150) return NoteStatus(target_->Disconnect(viewing.viewer));
  if (op.kind < 174) return apply(Kind::kBefriend);
  if (op.kind < 180) return apply(Kind::kUnfriend);
  if (op.kind < 186) return apply(Kind::kHide);
  if (op.kind < 194) return apply(Kind::kShare);
  if (op.kind < 200) return apply(Kind::kUnsubscribe);
  if (op.kind < 208) return apply(Kind::kSubscribe);
  if (op.kind < 216) return SetRadius(op);
  if (op.kind < 226) return ReadPages(op);
  if (op.kind < 230) return ReportNonsense(op);
  CallRaw(op);
}

void EngineOps::Report(const Op& op) {
  // The third argument names a place; from 224 on it shifts the client's clock as well.
  const std::size_t index = IndexOf(User(op.args[0]));
  const LatLng location = Place(op.args[2], op.args[1]);
  Time reported_at = target_->now();
  if (op.args[2] >= 224) {
    reported_at.ms += Pick<std::int64_t, 8>({-1, -1000, -30'000, -600'000, 1, 1000, 60'000, 60'001},
                                            op.args[2] >> 2);
  }
  const ReportOutcome outcome = target_->Report(User(op.args[0]), location, reported_at);
  CheckOutcome(User(op.args[0]), outcome, reported_at);
  if (outcome == ReportOutcome::kAccepted || outcome == ReportOutcome::kConflated) {
    newest_report_[index] = reported_at;
    last_location_[index] = location;
    has_reported_[index] = true;
  }
}

void EngineOps::CheckOutcome(UserId user, ReportOutcome outcome, Time reported_at) {
  const std::size_t index = IndexOf(user);
  const bool is_future =
      reported_at.ms - target_->now().ms > Milliseconds(world_.options.max_future_skew);
  const bool is_older = has_reported_[index] && reported_at < newest_report_[index];
  const bool is_taken = outcome == ReportOutcome::kAccepted || outcome == ReportOutcome::kConflated;
  if (is_taken && is_older) Fail(5, absl::StrCat("took a stale report of ", ToInt(user)));
  if (is_taken && is_future) Fail(0, absl::StrCat("took a future report of ", ToInt(user)));
  if (is_taken && !target_->is_connected(user)) {
    Fail(0, absl::StrCat("took a report of ", ToInt(user), ", who is not connected"));
  }
  if (!is_taken && target_->is_connected(user) && !is_older && !is_future) {
    Fail(0, absl::StrCat("refused a good report of ", ToInt(user), ": ",
                         ToStatus(outcome).ToString()));
  }
}

void EngineOps::ReportNonsense(const Op& op) {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const LatLng location = Pick<LatLng, 8>({{{kNaN, 0},
                                            {0, kNaN},
                                            {kInfinity, 0},
                                            {0, -kInfinity},
                                            {90.0001, 0},
                                            {-91, 0},
                                            {0, 180.0001},
                                            {0, -1e300}}},
                                          op.args[1]);
  const ReportOutcome outcome = target_->Report(User(op.args[0]), location, target_->now());
  if (outcome == ReportOutcome::kAccepted || outcome == ReportOutcome::kConflated) {
    Fail(0, "took a report from nowhere on earth");
  }
  const Time beyond{op.args[2] % 2 == 0 ? kMaxTimeMs + 1
                                        : std::numeric_limits<std::int64_t>::min()};
  const ReportOutcome timeless = target_->Report(User(op.args[0]), {0, 0}, beyond);
  if (timeless == ReportOutcome::kAccepted || timeless == ReportOutcome::kConflated) {
    Fail(0, "took a report from beyond time");
  }
  if (target_->Advance({target_->now().ms - 1}).ok()) Fail(5, "time went backward");
  if (target_->Advance(beyond).ok()) Fail(5, "time went beyond its range");
}

void EngineOps::Advance(const Op& op) {
  const std::int64_t ttl_ms = Milliseconds(world_.options.ttl);
  std::int64_t step_ms = Pick<std::int64_t, 8>({0, 1, 100, 500, 999, 1000, 2000, 5000}, op.args[0]);
  // Now and then to the very edge of a time to live.
  if (op.args[1] >= 232) step_ms = ttl_ms - 1 + op.args[0] % 3;
  NoteStatus(target_->Advance({target_->now().ms + step_ms}));
}

void EngineOps::Connect(const Op& op) {
  const UserId user = User(op.args[0]);
  const std::size_t index = IndexOf(user);
  ConnectRequest request;
  request.user = user;
  if (op.args[1] % 4 == 3) request.radius_m = 100.0 * op.args[2];
  const bool was_connected = target_->is_connected(user);
  const absl::Status status = target_->Connect(request);
  NoteStatus(status);
  // A new session may begin with an older clock; one that replaces another goes on with the old
  // times.
  if (status.ok() && !was_connected) has_reported_[index] = false;
  if (op.args[1] % 4 != 0) {
    target_->SnapshotList(user);
    target_->LoadOldestList(user);
  }
}

void EngineOps::SetRadius(const Op& op) {
  static constexpr std::array<double, 8> kRadii = {0,       1,   800,        1600.5,
                                                   8046.72, 1e5, 20'015'115, 20'100'000};
  NoteStatus(target_->SetRadius(User(op.args[0]), Pick(kRadii, op.args[1])));
  const double bad = op.args[2] % 2 == 0 ? -1 : std::numeric_limits<double>::quiet_NaN();
  if (target_->SetRadius(User(op.args[0]), bad).ok()) Fail(0, "took an invalid radius");
}

void EngineOps::ReadPages(const Op& op) {
  const UserId user = User(op.args[0]);
  const std::size_t size = 1 + op.args[1] % 3;
  PageToken token;
  std::set<UserId> listed;
  for (;;) {
    const absl::StatusOr<NearbyPage> page = target_->Nearby(user, token, size);
    if (!page.ok()) {
      if (target_->is_connected(user)) Fail(0, page.status().ToString());
      return;
    }
    PageToken last = token;
    for (const NearbyFriend& entry : page->friends) {
      const auto key = std::make_pair(entry.distance_mm, entry.friend_id);
      if (key <= std::make_pair(last.distance_mm, last.friend_id) && last.distance_mm >= 0) {
        Fail(0, "a page is not in order of (distance, id)");
      }
      last = {entry.distance_mm, entry.friend_id};
      listed.insert(entry.friend_id);
    }
    if (page->friends.size() > size) Fail(6, "a page is longer than asked for");
    if (page->next.has_value() && page->friends.size() < size) {
      Fail(0, "a page is short, but not the last");
    }
    if (!page->next) break;
    token = *page->next;
  }
  ++pages_read_;
  if (listed != target_->checker().InSight(user)) {
    Fail(9, absl::StrCat("the pages of ", ToInt(user), " differ from what it was told"));
  }
}

void EngineOps::CallRaw(const Op& op) {
  const UserId user = User(op.args[0]);
  if (op.kind < 238) {
    target_->SnapshotList(user);
    target_->LoadOldestList(user);
  } else if (op.kind < 241) {
    target_->SnapshotList(user);
  } else if (op.kind < 244) {
    target_->LoadOldestList(user);
  } else if (op.kind < 252) {
    for (int i = 0; i <= op.args[1] % 8; ++i) target_->CarryOne(op.args[0]);
  } else if (op.kind < 254) {
    target_->UseStaleHandle(op.args[1]);
  } else {
    target_->SendStrayMessage(op.args[2], user, User(op.args[1]));
  }
}

void EngineOps::NoteStatus(const absl::Status& status) {
  if (absl::IsResourceExhausted(status) || absl::IsFailedPrecondition(status)) ++limits_met_;
  if (absl::IsInternal(status)) Fail(0, status.ToString());
}

void EngineOps::CheckAfterOp() {
  const absl::Status status = target_->CheckInvariants();
  if (!status.ok()) Fail(9, status.ToString());
  CheckLimits();
  if (world_.driving == Driving::kDelayed) return;
  const bool is_complete = world_.options.connect_page_size == 0 &&
                           world_.options.max_entities >= kOpsUsers &&
                           world_.options.max_remembered_changes >= 1000;
  target_->checker().CompareWithOracle(target_->now(),
                                       is_complete ? StreamChecker::Completeness::kNothingMissing
                                                   : StreamChecker::Completeness::kNothingWrong);
}

void EngineOps::CheckLimits() {
  const EngineStats stats = target_->stats();
  if (stats.entities > std::uint64_t{world_.options.max_entities} * world_.shards) {
    Fail(6, "more entities than allowed");
  }
  if (stats.clients > stats.entities) Fail(6, "more clients than entities");
  if (2 * stats.edges > stats.entities * world_.options.max_friends) {
    Fail(6, "more edges than rows have room for");
  }
}

void EngineOps::Heal() {
  target_->CarryAll();
  for (const std::uint64_t id : kUserIds) {
    if (!target_->is_connected(UserId{id})) continue;
    // Lists kept earlier come first, late; then a fresh one.
    for (int i = 0; i < 4; ++i) target_->LoadOldestList(UserId{id});
    target_->SnapshotList(UserId{id});
    target_->LoadOldestList(UserId{id});
  }
  target_->CarryAll();
  // Past every interval, first of what is held back, then of what that begins; then one report
  // each.
  for (int i = 0; i < 2; ++i) {
    NoteStatus(target_->Advance({target_->now().ms + 8000}));
    target_->CarryAll();
  }
  for (std::size_t i = 0; i < kOpsUsers; ++i) {
    const UserId user{kUserIds[i]};
    if (!target_->is_connected(user)) continue;
    Time reported_at = target_->now();
    if (has_reported_[i]) reported_at = std::max(reported_at, newest_report_[i]);
    // A clock that ran ahead further than is allowed now may leave nothing to report.
    target_->Report(user, last_location_[i], reported_at);
    target_->CarryAll();
  }
  CheckAfterOp();
  const bool is_complete =
      world_.options.max_entities >= kOpsUsers && world_.options.max_remembered_changes >= 1000;
  target_->checker().CompareWithOracle(target_->now(),
                                       is_complete ? StreamChecker::Completeness::kNothingMissing
                                                   : StreamChecker::Completeness::kNothingWrong);
}

}  // namespace nearby::test
