#include "examples/phones/load_driver.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "examples/phones/fleet.h"
#include "examples/phones/load_board.h"
#include "examples/phones/phone.h"
#include "examples/phones/phone_clock.h"
#include "examples/phones/report.h"
#include "examples/phones/stamp.h"
#include "examples/phones/tally.h"
#include "nearby/client_sink.h"
#include "nearby/effects.h"
#include "nearby/engine.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/server_codec.h"
#include "nearby/time.h"

namespace phones {
namespace {

// How often there is something to look after besides sending.
constexpr std::int64_t kIdleMicros = 5'000;
// Reports sent before the sockets have their turn again.
constexpr int kBurst = 64;
constexpr std::int64_t kSweepMicros = 100'000;
// Far longer than a report takes: who has not been heard of by then is in nobody's sight.
constexpr std::int64_t kUnheardMicros = 2'000'000;

absl::Duration ThreadCpu() {
  timespec time = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return absl::DurationFromTimespec(time);
}

// The place on a path of a walker who goes to and fro.
std::size_t ToAndFro(std::uint32_t step, std::size_t places) {
  if (places < 2) return 0;
  const std::size_t at = step % (2 * (places - 1));
  return at < places ? at : 2 * (places - 1) - at;
}

}  // namespace

LoadDriver::LoadDriver(const Options& options, LoadBoard* board, const Paths* paths,
                       const PhoneClock* clock, OnHeard on_heard)
    : options_(options),
      board_(board),
      paths_(paths),
      clock_(clock),
      on_heard_(std::move(on_heard)),
      steps_(board->PhonesOf(options.driver)) {}

void LoadDriver::Begin(Fleet* fleet) {
  fleet_ = fleet;
  for (std::size_t phone = 0; phone < steps_.size(); ++phone) Send(phone, clock_->NowMicros());
}

absl::Duration LoadDriver::Advance() {
  fleet_->Advance();
  const std::int64_t now_us = clock_->NowMicros();
  if (times_.send_from_us == LoadTimes::kNotYet) times_ = board_->times();
  if (now_us < times_.send_from_us || is_over_) return absl::Microseconds(kIdleMicros);
  if (!is_counting_ && now_us >= times_.count_from_us) {
    is_counting_ = true;
    start_ = MakeMark(now_us);
  }
  if (now_us >= times_.end_us) {
    is_over_ = true;
    Finish(MakeMark(now_us));
    return absl::Microseconds(kIdleMicros);
  }
  if (options_.rate > 0) {
    SendDue(now_us);
    const std::int64_t wait_us = DueMicros(next_) - clock_->NowMicros();
    return absl::Microseconds(std::clamp<std::int64_t>(wait_us, 0, kIdleMicros));
  }
  if (!std::exchange(has_begun_, true)) {
    for (std::size_t phone = 0; phone < steps_.size(); ++phone) Send(phone, clock_->NowMicros());
  }
  SweepUnheard(now_us);
  return absl::Microseconds(kIdleMicros);
}

std::int64_t LoadDriver::DueMicros(std::uint64_t number) const {
  return times_.send_from_us + std::llround(static_cast<double>(number) * 1e6 / options_.rate);
}

void LoadDriver::SendDue(std::int64_t now_us) {
  for (int i = 0; i < kBurst; ++i) {
    const std::int64_t due_us = DueMicros(next_);
    if (due_us > now_us || due_us >= times_.end_us) return;
    Send(next_ % steps_.size(), due_us);
    ++next_;
  }
}

void LoadDriver::Send(std::size_t phone, std::int64_t sent_us) {
  const LoadBoard::Seat seat{options_.driver, phone};
  const std::vector<nearby::LatLng>& path = (*paths_)[nearby::ToInt(board_->UserAt(seat)) - 1];
  const nearby::LatLng location = path[ToAndFro(steps_[phone]++, path.size())];
  if (options_.rate == 0) board_->Await(seat, sent_us);
  fleet_->Report(phone, {Stamped(location, sent_us), nearby::Time::Millis(sent_us / 1000)});
}

void LoadDriver::Heard(std::size_t phone) {
  if (is_over_ || times_.send_from_us == LoadTimes::kNotYet) return;
  Send(phone, clock_->NowMicros());
}

void LoadDriver::SweepUnheard(std::int64_t now_us) {
  if (now_us < sweep_us_) return;
  sweep_us_ = now_us + kSweepMicros;
  for (std::size_t phone = 0; phone < steps_.size(); ++phone) {
    const std::int64_t awaited_us = board_->AwaitedBy({options_.driver, phone});
    if (awaited_us == 0 || now_us - awaited_us < kUnheardMicros) continue;
    if (is_counting_) ++figures_.unheard;
    Send(phone, now_us);
  }
}

void LoadDriver::OnMessage(std::size_t phone, const nearby::ServerMessage& message) {
  if (const auto* answer = std::get_if<nearby::InitAnswer>(&message.message)) {
    for (const nearby::NearbyFriend& listed : answer->page.friends) Enter(listed.friend_id);
    return;
  }
  const auto* const update = std::get_if<nearby::ClientUpdate>(&message.message);
  if (update == nullptr) return;
  const std::int64_t now_us = clock_->NowMicros();
  if (update->start != nearby::BatchStart::kGoesOn) {
    for (const Sighting& sighting : fleet_->phone(phone).friends()) {
      if (sighting.is_in_sight) Leave(sighting.friend_id);
    }
  }
  for (const nearby::ClientEvent& event : update->events) {
    if (event.kind == nearby::DeliveryKind::kLeave) {
      Leave(event.friend_id);
    } else {
      Hear(event, now_us);
    }
  }
  for (const std::size_t heard : heard_) Heard(heard);
  heard_.clear();
}

void LoadDriver::Enter(nearby::UserId friend_id) {
  const std::optional<LoadBoard::Seat> seat = board_->Find(friend_id);
  if (seat.has_value()) board_->Enter(*seat);
}

void LoadDriver::Leave(nearby::UserId friend_id) {
  const std::optional<LoadBoard::Seat> seat = board_->Find(friend_id);
  if (seat.has_value() && board_->Leave(*seat)) Pass(*seat);
}

void LoadDriver::Hear(const nearby::ClientEvent& event, std::int64_t now_us) {
  const std::int64_t sent_us = SentMicros(event.reported_at, event.position);
  // An enter may be the listener's own doing.
  const bool counts = event.kind == nearby::DeliveryKind::kMove &&
                      sent_us >= times_.count_from_us && sent_us < times_.end_us;
  if (counts) figures_.latency.Add(now_us - sent_us);
  if (options_.rate > 0) return;
  const std::optional<LoadBoard::Seat> seat = board_->Find(event.friend_id);
  if (!seat.has_value()) return;
  if (event.kind == nearby::DeliveryKind::kEnter) board_->Enter(*seat);
  if (board_->Hear(*seat, sent_us)) Pass(*seat);
}

void LoadDriver::Pass(LoadBoard::Seat seat) {
  if (seat.driver == options_.driver) {
    heard_.push_back(seat.phone);
  } else {
    on_heard_(seat);
  }
}

LoadDriver::Mark LoadDriver::MakeMark(std::int64_t now_us) const {
  return {now_us, ThreadCpu(), fleet_->tally()};
}

void LoadDriver::Finish(const Mark& end) {
  figures_.seconds = static_cast<double>(end.time_us - start_.time_us) / 1e6;
  figures_.cpu = end.cpu - start_.cpu;
  figures_.reports = end.tally.reports - start_.tally.reports;
  figures_.events = end.tally.events() - start_.tally.events();
  figures_.frames = end.tally.frames - start_.tally.frames;
  figures_.bytes_sent = end.tally.bytes_sent - start_.tally.bytes_sent;
  figures_.bytes_received = end.tally.bytes_received - start_.tally.bytes_received;
}

}  // namespace phones
