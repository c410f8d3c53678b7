#include "examples/phones/live_session.h"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "examples/phones/credentials.h"
#include "examples/phones/flags.h"
#include "examples/phones/fleet.h"
#include "examples/phones/life.h"
#include "examples/phones/loop.h"
#include "examples/phones/phone.h"
#include "examples/phones/phone_clock.h"
#include "examples/phones/report.h"
#include "examples/phones/sight_log.h"
#include "examples/phones/view.h"
#include "examples/phones/walkers.h"
#include "examples/phones/websocket_client.h"
#include "examples/replay/city.h"
#include "examples/replay/friends_reader.h"
#include "examples/replay/population.h"
#include "examples/replay/screen.h"
#include "nearby/friend_graph.h"
#include "nearby/ids.h"
#include "nearby/server_codec.h"

namespace phones {
namespace {

constexpr absl::Duration kTick = absl::Milliseconds(10);
// How often there is something to look at, and a new picture on a terminal.
constexpr absl::Duration kLookInterval = absl::Milliseconds(250);
constexpr absl::Duration kCheckInterval = absl::Milliseconds(100);
constexpr absl::Duration kPlainInterval = absl::Seconds(3);
// Until then people are still appearing, and the one with most friends may be among them.
constexpr absl::Duration kSettling = absl::Minutes(1);
// For goodbyes, at the end.
constexpr absl::Duration kHangUpTimeout = absl::Seconds(3);

// Whose lives, and who is whose friend.
struct World {
  replay::Population population;  // of a city
  std::unique_ptr<Walkers> walkers;
  // Whether somebody has too many friends is for the server to say.
  nearby::FriendGraph friends{
      nearby::FriendGraph::Options{std::numeric_limits<std::uint32_t>::max(), 0}};
};

absl::Status MakeWorld(const Flags& flags, World* world) {
  if (flags.city) {
    world->population = replay::MakeCity(flags.users, flags.seed);
    world->walkers = WalkCity(world->population, flags.seed);
    for (const auto& [a, b] : world->population.friendships) {
      if (absl::Status status = world->friends.Befriend(a, b).status(); !status.ok()) return status;
    }
    return absl::OkStatus();
  }
  if (absl::Status status = replay::ReadFriends(flags.friends, &world->friends); !status.ok()) {
    return status;
  }
  absl::StatusOr<std::unique_ptr<Walkers>> walkers = WalkTrace(flags.trace);
  if (!walkers.ok()) return walkers.status();
  world->walkers = *std::move(walkers);
  return absl::OkStatus();
}

Fleet::Options FleetOptions(const Flags& flags) {
  Fleet::Options options;
  options.format = flags.format;
  options.servers = flags.servers.size();
  options.seed = flags.seed;
  return options;
}

Life::Options LifeOptions(const Flags& flags) {
  Life::Options options;
  options.pace = flags.pace;
  options.duration = flags.duration;
  if (flags.connections.has_value()) options.phones = *flags.connections;
  return options;
}

class LiveSession : public FleetListener {
 public:
  LiveSession(const Flags& flags, const Credentials& credentials, World* world, Loop* loop,
              Dialer* dialer)
      : flags_(flags),
        loop_(loop),
        fleet_(FleetOptions(flags), dialer, &credentials, &clock_, this),
        life_(LifeOptions(flags), world->walkers.get(), &world->friends, &fleet_, &clock_),
        view_(replay::Screen(stdout, replay::Screen::Environment::OfSystem(stdout))),
        timer_(loop, [this] { Tick(); }) {}

  absl::Status Run(Figures* figures) {
    if (absl::Status status = OpenSights(); !status.ok()) return status;
    loop_->OnStopSignal([this] { End(absl::OkStatus()); });
    timer_.SetAfter(absl::ZeroDuration());
    loop_->Run();
    figures->phones = fleet_.size();
    figures->elapsed = absl::Microseconds(clock_.NowMicros() - start_us_);
    figures->passed_over = life_.passed_over();
    figures->tally = fleet_.tally();
    if (status_.ok() && fleet_.size() > 0 && figures->tally.sessions == 0) {
      return absl::UnavailableError(
          absl::StrCat("no phone was ever connected; last ", fleet_.last_failure()));
    }
    return status_;
  }

  void OnMessage(std::size_t phone, const nearby::ServerMessage& message) override {
    if (view_.watched() == fleet_.phone(phone).user()) view_.OnMessage(message, clock_.Now());
  }

 private:
  void Tick() {
    const std::int64_t now_us = clock_.NowMicros();
    if (is_ending_) {
      if (fleet_.sockets() == 0 || now_us >= end_by_us_) return loop_->Stop();
    } else {
      Live();
    }
    timer_.SetAfter(kTick);
  }

  void Live() {
    const absl::Status status = life_.Advance();
    fleet_.Advance();
    if (!status.ok()) return End(status);
    if (!fleet_.status().ok()) return End(fleet_.status());
    if (fleet_.alone_for() > flags_.patience) {
      return End(absl::UnavailableError(
          absl::StrCat("the server is gone: nobody has been ", "connected for ",
                       absl::FormatDuration(flags_.patience), "; last ", fleet_.last_failure())));
    }
    if (life_.is_over()) return End(absl::OkStatus());
    CheckSightsIfDue();
    LookIfDue();
  }

  void End(const absl::Status& status) {
    if (std::exchange(is_ending_, true)) return;
    status_ = status;
    Draw();
    fleet_.HangUp();
    end_by_us_ = clock_.NowMicros() + absl::ToInt64Microseconds(kHangUpTimeout);
  }

  absl::Status OpenSights() {
    if (flags_.sights.empty()) return absl::OkStatus();
    absl::StatusOr<std::unique_ptr<SightLog>> log = SightLog::Open(
        flags_.sights, {flags_.radius_m, flags_.grace}, &fleet_, flags_.servers.size());
    if (!log.ok()) return log.status();
    sights_ = *std::move(log);
    return absl::OkStatus();
  }

  void CheckSightsIfDue() {
    const std::int64_t now_us = clock_.NowMicros();
    if (sights_ == nullptr || now_us < check_due_us_) return;
    check_due_us_ = now_us + absl::ToInt64Microseconds(kCheckInterval);
    sights_->Look(now_us);
  }

  void LookIfDue() {
    const std::int64_t now_us = clock_.NowMicros();
    if (now_us - looked_us_ < absl::ToInt64Microseconds(kLookInterval)) return;
    looked_us_ = now_us;
    view_.Sample(fleet_.tally(), clock_.Now());
    watched_ = ChooseWatched();
    if (watched_.has_value()) view_.Watch(fleet_.phone(*watched_).user());
    const absl::Duration interval = view_.screen().is_terminal() ? kLookInterval : kPlainInterval;
    if (flags_.once || now_us - drawn_us_ < absl::ToInt64Microseconds(interval)) return;
    drawn_us_ = now_us;
    Draw();
  }

  void Draw() {
    View::Totals totals;
    totals.pace = flags_.pace;
    totals.life = life_.now();
    totals.phones = fleet_.size();
    totals.online = fleet_.online();
    totals.tally = fleet_.tally();
    view_.Draw(watched_.has_value() ? &fleet_.phone(*watched_) : nullptr, totals, clock_.Now());
  }

  std::optional<std::size_t> ChooseWatched() const {
    if (flags_.watch.has_value()) return life_.Find(*flags_.watch);
    if (view_.watched().has_value() && life_.lived() > kSettling) {
      return life_.Find(*view_.watched());
    }
    std::optional<std::size_t> best;
    std::size_t most = 0;
    for (std::size_t phone = 0; phone < fleet_.size(); ++phone) {
      const std::size_t friends = fleet_.phone(phone).friends().size();
      if (best.has_value() && friends <= most) continue;
      best = phone;
      most = friends;
    }
    return best;
  }

  const Flags& flags_;
  Loop* const loop_;
  const SteadyPhoneClock clock_;
  const std::int64_t start_us_ = clock_.NowMicros();
  Fleet fleet_;
  Life life_;
  View view_;
  Loop::Timer timer_;
  std::optional<std::size_t> watched_;  // whose phone is shown
  std::int64_t looked_us_ = start_us_;
  std::int64_t drawn_us_ = start_us_;
  std::unique_ptr<SightLog> sights_;  // null if nobody wants to know
  std::int64_t check_due_us_ = start_us_;
  bool is_ending_ = false;
  std::int64_t end_by_us_ = 0;
  absl::Status status_;
};

}  // namespace

absl::Status RunLive(const Flags& flags, const Credentials& credentials, Figures* figures) {
  World world;
  if (absl::Status status = MakeWorld(flags, &world); !status.ok()) return status;
  Loop loop;
  const absl::StatusOr<std::unique_ptr<Dialer>> dialer = MakeDialer(flags.servers, &loop);
  if (!dialer.ok()) return dialer.status();
  LiveSession session(flags, credentials, &world, &loop, dialer->get());
  return session.Run(figures);
}

}  // namespace phones
