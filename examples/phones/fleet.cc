#include "examples/phones/fleet.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "examples/echo_server/frame_channel.h"
#include "examples/phones/backoff.h"
#include "examples/phones/phone.h"
#include "examples/phones/violations.h"
#include "examples/phones/websocket.h"
#include "nearby/client_codec.h"
#include "nearby/ids.h"
#include "nearby/server_codec.h"
#include "nearby/wire_format.h"

namespace phones {
namespace {

constexpr auto kReplaced = static_cast<std::uint16_t>(echo_server::CloseCode::kReplaced);

// Whether the server will say the same next time.
bool IsFinal(int http_status) {
  constexpr int kTooManyRequests = 429;
  return http_status >= 400 && http_status < 500 && http_status != kTooManyRequests;
}

}  // namespace

// A phone and its connection.
struct Fleet::Line : public WebSocketListener {
  Line(Fleet* its_fleet, std::size_t its_number, nearby::UserId user,
       absl::Span<const nearby::UserId> friends)
      : fleet(its_fleet),
        number(its_number),
        phone(user, friends),
        backoff(its_fleet->options_.backoff) {}

  void OnOpen() override { fleet->OnOpen(this); }
  void OnFrame(nearby::WireFormat format, absl::string_view frame) override {
    fleet->OnFrame(this, format, frame);
  }
  void OnClosed(const Closure& closure) override { fleet->OnClosed(this, closure); }

  Fleet* const fleet;
  const std::size_t number;
  Phone phone;
  Backoff backoff;
  std::unique_ptr<WebSocket> socket;
  State state = State::kOff;
  // Where the phone is, and whether the server has not been told.
  std::optional<nearby::ReportCall> latest;
  bool has_unsent = false;
  std::size_t server = 0;     // the one that was dialled last
  bool shuns_server = false;  // it wants another, if there is one
  bool was_online = false;
  bool is_moving = false;   // the server has asked it to, at due_us
  bool comes_back = false;  // kLeaving: dials again, at due_us
  std::int64_t due_us = 0;
};

Fleet::Fleet(const Options& options, Dialer* dialer, const Credentials* credentials,
             const PhoneClock* clock, FleetListener* listener)
    : options_(options),
      dialer_(dialer),
      credentials_(credentials),
      clock_(clock),
      listener_(listener),
      random_(options.seed),
      company_us_(clock->NowMicros()) {}

Fleet::~Fleet() = default;

std::size_t Fleet::Add(nearby::UserId user, absl::Span<const nearby::UserId> friends) {
  lines_.push_back(std::make_unique<Line>(this, lines_.size(), user, friends));
  ++counts_[static_cast<std::size_t>(State::kOff)];
  return lines_.size() - 1;
}

const Phone& Fleet::phone(std::size_t number) const { return lines_[number]->phone; }

const std::optional<nearby::ReportCall>& Fleet::latest(std::size_t number) const {
  return lines_[number]->latest;
}

std::optional<std::size_t> Fleet::server_of(std::size_t number) const {
  const Line& line = *lines_[number];
  if (line.state != State::kOnline) return std::nullopt;
  return line.server;
}

std::size_t Fleet::sockets() const {
  return Count(State::kDialing) + Count(State::kInit) + Count(State::kOnline) +
         Count(State::kLeaving);
}

void Fleet::SetState(Line* line, State state) {
  --counts_[static_cast<std::size_t>(line->state)];
  ++counts_[static_cast<std::size_t>(state)];
  line->state = state;
}

// --- what owners do ------------------------------------------------------------------------------

void Fleet::Report(std::size_t phone, const nearby::ReportCall& report) {
  Line* const line = lines_[phone].get();
  line->latest = report;
  if (line->state == State::kOnline) return SendReport(line);
  line->has_unsent = true;
  if (is_hanging_up_) return;
  if (line->state == State::kOff) {
    WaitUntil(line, clock_->NowMicros());
  } else if (line->state == State::kLeaving && !line->comes_back) {
    line->comes_back = true;
    line->due_us = clock_->NowMicros();
  }
}

void Fleet::Subscribe(std::size_t phone, nearby::UserId friend_id) {
  Line* const line = lines_[phone].get();
  if (line->state == State::kOnline) Send(line, line->phone.Subscribe(friend_id));
}

void Fleet::Unsubscribe(std::size_t phone, nearby::UserId friend_id) {
  Line* const line = lines_[phone].get();
  if (line->state == State::kOnline) Send(line, line->phone.Unsubscribe(friend_id));
}

void Fleet::SwitchOff(std::size_t phone) {
  Line* const line = lines_[phone].get();
  line->latest.reset();
  line->has_unsent = false;
  if (line->socket != nullptr) {
    Leave(line, /*comes_back=*/false);
  } else if (line->state == State::kWaiting) {
    SetState(line, State::kOff);
  }
}

// --- connections ---------------------------------------------------------------------------------

void Fleet::Advance() {
  const std::int64_t now_us = clock_->NowMicros();
  while (!due_.empty() && due_.top().first <= now_us) {
    const auto [due_us, number] = due_.top();
    Line* const line = lines_[number].get();
    const bool dials = line->state == State::kWaiting && line->due_us == due_us;
    const bool moves = line->state == State::kOnline && line->is_moving && line->due_us == due_us;
    const std::size_t dialing = Count(State::kDialing) + Count(State::kInit);
    if (dials && dialing >= options_.max_dialing) break;
    due_.pop();
    if (dials) Dial(line);
    if (moves) Leave(line, /*comes_back=*/true);
  }
  const bool is_anybody_lost =
      Count(State::kWaiting) + Count(State::kDialing) + Count(State::kInit) > 0;
  if (online() > 0 || !is_anybody_lost) company_us_ = now_us;
  alone_for_ = absl::Microseconds(now_us - company_us_);
}

void Fleet::HangUp() {
  is_hanging_up_ = true;
  for (const std::unique_ptr<Line>& line : lines_) {
    if (line->socket != nullptr) {
      Leave(line.get(), /*comes_back=*/false);
    } else if (line->state == State::kWaiting) {
      SetState(line.get(), State::kOff);
    }
  }
}

void Fleet::WaitUntil(Line* line, std::int64_t due_us) {
  SetState(line, State::kWaiting);
  line->due_us = due_us;
  due_.emplace(due_us, line->number);
}

void Fleet::Dial(Line* line) {
  SetState(line, State::kDialing);
  line->server = PickServer(*line);
  DialRequest request = credentials_->For(line->phone.user(), clock_->Now());
  request.server = line->server;
  line->socket = dialer_->Dial(request, line);
}

std::size_t Fleet::PickServer(const Line& line) {
  if (options_.servers == 1) return 0;
  if (!line.shuns_server) return random_.Below(options_.servers);
  const std::size_t other = random_.Below(options_.servers - 1);
  return other < line.server ? other : other + 1;
}

void Fleet::Leave(Line* line, bool comes_back) {
  line->comes_back = comes_back;
  line->is_moving = false;
  if (line->state == State::kLeaving) return;
  SetState(line, State::kLeaving);
  line->phone.Close();
  line->socket->Close();
}

void Fleet::OnOpen(Line* line) {
  if (line->state != State::kDialing) return;  // It leaves already.
  SetState(line, State::kInit);
  line->has_unsent = false;
  Send(line, line->phone.Init(line->latest));
}

void Fleet::OnClosed(Line* line, const Closure& closure) {
  line->socket.reset();
  line->phone.Close();
  const State state = line->state;
  const std::int64_t now_us = clock_->NowMicros();
  const bool is_leaving = state == State::kLeaving;
  if (is_hanging_up_ || (is_leaving && !line->comes_back)) {
    SetState(line, State::kOff);
  } else if (is_leaving) {
    WaitUntil(line, std::max(line->due_us, now_us));
  } else {
    OnUnaskedEnd(line, state, closure);
  }
  Advance();
}

void Fleet::OnUnaskedEnd(Line* line, State state, const Closure& closure) {
  const std::int64_t now_us = clock_->NowMicros();
  if (closure.close_code == kReplaced) {
    tally_.AddError(absl::StrCat("user ", nearby::ToInt(line->phone.user()),
                                 " is connected from elsewhere as well"));
    return SetState(line, State::kRetired);
  }
  line->shuns_server = true;
  if (line->is_moving) {
    line->is_moving = false;
    return WaitUntil(line, std::max(line->due_us, now_us));
  }
  if (state == State::kDialing) {
    ++tally_.failed_connects;
    last_failure_ = closure.reason;
    if (closure.http_status != 0) {
      absl::StrAppend(&last_failure_, " (HTTP ", closure.http_status, ")");
    }
    if (IsFinal(closure.http_status)) {
      status_ = absl::PermissionDeniedError(
          absl::StrCat("the server lets no phone in: ", last_failure_,
                       "; does it have this secret, or was it started with --insecure?"));
    }
  } else {
    ++tally_.drops;
  }
  WaitUntil(line, now_us + absl::ToInt64Microseconds(line->backoff.Next(&random_)));
}

// --- messages ------------------------------------------------------------------------------------

void Fleet::Send(Line* line, const nearby::ClientCall& call) {
  frame_.clear();
  encoder_.Encode(options_.format, call, &frame_);
  if (std::holds_alternative<nearby::ReportCall>(call.call)) {
    ++tally_.reports;
  } else {
    ++tally_.calls;
  }
  tally_.bytes_sent += frame_.size();
  if (line->socket->Send(options_.format, frame_)) return;
  Closure closure;
  closure.was_open = true;
  closure.reason = "the server does not read";
  OnClosed(line, closure);
}

void Fleet::SendReport(Line* line) {
  line->has_unsent = false;
  Send(line, {0, *line->latest});
}

void Fleet::OnFrame(Line* line, nearby::WireFormat format, absl::string_view frame) {
  ++tally_.frames;
  tally_.bytes_received += frame.size();
  if (line->state == State::kLeaving) return;
  const absl::StatusOr<nearby::ServerMessage> message = decoder_.Decode(format, frame);
  if (!message.ok()) {
    // From a later version.
    if (absl::IsUnimplemented(message.status())) return;
    tally_.violations.Add(
        {ViolationKind::kUnreadable, line->phone.user(), std::nullopt, clock_->Now()});
    // Nobody knows any more who is in sight.
    line->due_us = clock_->NowMicros() + absl::ToInt64Microseconds(line->backoff.Next(&random_));
    return Leave(line, /*comes_back=*/true);
  }
  if (listener_ != nullptr) listener_->OnMessage(line->number, *message);
  // The listener may have had phones report, and one of them may have found its connection dead.
  if (line->socket == nullptr || line->state == State::kLeaving) return;
  React(line, line->phone.Take(*message, clock_->Now(), &tally_));
}

void Fleet::React(Line* line, const Phone::Reaction& reaction) {
  if (line->state == State::kInit && line->phone.is_online()) GoOnline(line);
  if (reaction.call.has_value() && line->socket != nullptr) Send(line, *reaction.call);
  if (!reaction.reconnect_after.has_value() || line->socket == nullptr) return;
  line->shuns_server = true;
  const std::int64_t now_us = clock_->NowMicros();
  const std::int64_t asked_us = now_us + absl::ToInt64Microseconds(*reaction.reconnect_after);
  if (!reaction.hangs_up) {
    line->is_moving = true;
    line->due_us = asked_us;
    due_.emplace(asked_us, line->number);
    return;
  }
  const absl::Duration delay = line->backoff.Next(&random_);
  line->due_us = std::max(asked_us, now_us + absl::ToInt64Microseconds(delay));
  Leave(line, /*comes_back=*/true);
}

void Fleet::GoOnline(Line* line) {
  SetState(line, State::kOnline);
  line->backoff.Reset();
  line->shuns_server = false;
  ++tally_.sessions;
  if (std::exchange(line->was_online, true)) ++tally_.reconnects;
  if (line->has_unsent) SendReport(line);
  Advance();
}

}  // namespace phones
