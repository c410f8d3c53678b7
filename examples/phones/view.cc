#include "examples/phones/view.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "examples/phones/phone.h"
#include "examples/phones/tally.h"
#include "examples/phones/violations.h"
#include "examples/replay/live_text.h"
#include "examples/replay/screen.h"
#include "nearby/client_sink.h"
#include "nearby/effects.h"
#include "nearby/ids.h"
#include "nearby/server_codec.h"
#include "nearby/time.h"

namespace phones {
namespace {

using nearby::BatchStart;
using nearby::DeliveryKind;
using nearby::Time;
using replay::Grouped;
using Style = replay::Screen::Style;

constexpr std::size_t kTickerLines = 6;
constexpr std::size_t kMostRows = 15;
// Title, totals, a violation, two headings, the line that counts the rest, and the cursor's.
constexpr int kOtherLines = 7;
constexpr std::int64_t kRatesIntervalMs = 1000;
// A friend who came into sight this recently stands out.
constexpr std::int64_t kFreshMs = 5000;

std::string Row(absl::string_view friend_id, absl::string_view miles, absl::string_view kilometers,
                absl::string_view since, absl::string_view updated) {
  return absl::StrFormat("%-20s %8s %8s  %8s  %8s", friend_id, miles, kilometers, since, updated);
}

std::string Friends(std::size_t count) {
  return absl::StrCat(Grouped(count), count == 1 ? " friend" : " friends");
}

}  // namespace

void View::Watch(nearby::UserId user) {
  if (watched_ == user) return;
  watched_ = user;
  ticker_.clear();
}

void View::OnMessage(const nearby::ServerMessage& message, Time now) {
  if (const auto* update = std::get_if<nearby::ClientUpdate>(&message.message)) {
    if (update->start == BatchStart::kReset) Tell(now, "silent for too long: sees nobody any more");
    if (update->start == BatchStart::kResync) {
      Tell(now, absl::StrCat("catches up: ", Friends(update->events.size()), " in sight"));
      return;
    }
    for (const nearby::ClientEvent& event : update->events) TellEvent(event);
  } else if (const auto* answer = std::get_if<nearby::InitAnswer>(&message.message)) {
    Tell(now, absl::StrCat("connected: ", Friends(answer->page.in_sight), " in sight"));
  } else if (const auto* drain = std::get_if<nearby::DrainNotice>(&message.message)) {
    Tell(now, absl::StrFormat("the server goes away: to connect again in %.1f s",
                              absl::ToDoubleSeconds(drain->reconnect_after)));
  } else if (const auto* error = std::get_if<nearby::ServerError>(&message.message)) {
    Tell(now, absl::StrCat("error: ", error->status.ToString()));
  }
}

void View::TellEvent(const nearby::ClientEvent& event) {
  const std::uint64_t friend_id = nearby::ToInt(event.friend_id);
  if (event.kind == DeliveryKind::kEnter) {
    Tell(event.time,
         absl::StrCat(friend_id, " comes into sight, ", replay::Miles(event.distance_mm), " away"));
  } else if (event.kind == DeliveryKind::kLeave) {
    Tell(event.time, absl::StrCat(friend_id, " is out of sight: ", replay::Describe(event.reason)));
  }
}

void View::Tell(Time time, const std::string& news) {
  ticker_.push_front(absl::StrCat(replay::ClockTime(time), "  ", news));
  if (ticker_.size() > kTickerLines) ticker_.pop_back();
}

void View::Draw(const Phone* phone, const Totals& totals, Time now) {
  std::vector<Line> lines;
  AddTitle(totals, &lines);
  if (phone != nullptr) {
    AddFriends(*phone, now, &lines);
    AddTicker(&lines);
  }
  screen_.Print(lines);
}

void View::Sample(const Tally& tally, Time now) {
  if (rates_time_.has_value() && now.ms - rates_time_->ms < kRatesIntervalMs) return;
  if (rates_time_.has_value()) {
    const double seconds = static_cast<double>(now.ms - rates_time_->ms) / 1000;
    rates_.reports = static_cast<double>(tally.reports - rates_reports_) / seconds;
    rates_.events = static_cast<double>(tally.events() - rates_events_) / seconds;
  }
  rates_time_ = now;
  rates_reports_ = tally.reports;
  rates_events_ = tally.events();
}

void View::AddTitle(const Totals& totals, std::vector<Line>* lines) const {
  const Tally& tally = totals.tally;
  lines->push_back(
      {absl::StrFormat("phones  %s  %gx  %s of %s connected", replay::TitleTime(totals.life),
                       totals.pace, Grouped(totals.online), Grouped(totals.phones)),
       Style::kTitle});
  lines->push_back(
      {absl::StrFormat("a second: %.1f reports, %.1f events; in all: %s errors, %s reconnects",
                       rates_.reports, rates_.events, Grouped(tally.errors),
                       Grouped(tally.reconnects)),
       Style::kPlain});
  const Violations& violations = tally.violations;
  if (violations.total() == 0) return;
  lines->push_back({absl::StrCat("VIOLATIONS: ", Grouped(violations.total()), ", first ",
                                 ToString(*violations.first())),
                    Style::kHeading});
}

std::size_t View::MostRows() const {
  if (!screen_.is_terminal()) return kMostRows;
  const int room = screen_.height() - kOtherLines - static_cast<int>(kTickerLines);
  return static_cast<std::size_t>(std::max(1, room));
}

void View::AddFriends(const Phone& phone, Time now, std::vector<Line>* lines) const {
  lines->push_back({Row(absl::StrCat("USER ", nearby::ToInt(phone.user()), " SEES"), "DISTANCE", "",
                        "IN SIGHT", "UPDATED"),
                    Style::kHeading});
  std::vector<const Sighting*> nearest;
  for (const Sighting& sighting : phone.friends()) {
    if (sighting.is_in_sight) nearest.push_back(&sighting);
  }
  std::sort(nearest.begin(), nearest.end(), [](const Sighting* a, const Sighting* b) {
    return std::pair(a->distance_mm, a->friend_id) < std::pair(b->distance_mm, b->friend_id);
  });
  const std::size_t shown = std::min(nearest.size(), MostRows());
  for (std::size_t i = 0; i < shown; ++i) {
    const Sighting& sighting = *nearest[i];
    const bool is_fresh = now.ms - sighting.since.ms < kFreshMs;
    lines->push_back(
        {Row(absl::StrCat(nearby::ToInt(sighting.friend_id)), replay::Miles(sighting.distance_mm),
             replay::Kilometers(sighting.distance_mm), replay::Span(now.ms - sighting.since.ms),
             replay::Ago(now.ms - sighting.updated.ms)),
         is_fresh ? Style::kFresh : Style::kPlain});
  }
  lines->push_back({absl::StrFormat("%s of %s in sight", Grouped(nearest.size()),
                                    Friends(phone.friends().size())),
                    Style::kFaint});
}

void View::AddTicker(std::vector<Line>* lines) const {
  lines->push_back({"LATEST", Style::kHeading});
  for (const std::string& news : ticker_) lines->push_back({news, Style::kFaint});
}

}  // namespace phones
