#include "examples/replay/live_table.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "examples/replay/live_text.h"
#include "examples/replay/screen.h"
#include "nearby/effects.h"
#include "nearby/ids.h"
#include "nearby/time.h"

namespace replay {
namespace {

constexpr absl::Duration kTerminalInterval = absl::Milliseconds(250);
constexpr absl::Duration kPlainInterval = absl::Seconds(3);
constexpr absl::Duration kRatesInterval = absl::Seconds(1);
// Farther behind than this, the table goes on from where it is rather than rush to catch up: the
// program was suspended, or the machine is too slow for the pace.
constexpr absl::Duration kMaxLag = absl::Seconds(2);
// Until then users are still arriving, and those with most friends in sight change.
constexpr std::int64_t kSettlingMs = 60'000;
// A friend who came into sight this recently stands out.
constexpr std::int64_t kFreshMs = 60'000;

constexpr std::size_t kTickerLines = 5;
constexpr int kOtherLines = 5;  // Title, rates, two headings, and the cursor's.
constexpr int kMostRowsPerUser = 4;

// The same change of the same pair, seen from the other end.
bool AreMirrored(const nearby::Delivery& a, const nearby::Delivery& b) {
  return a.time == b.time && a.kind == b.kind && a.reason == b.reason &&
         a.subscriber == b.friend_id && a.friend_id == b.subscriber;
}

std::string Tell(const nearby::Delivery& delivery, bool is_mutual) {
  const std::uint64_t subscriber = nearby::ToInt(delivery.subscriber);
  const std::uint64_t friend_id = nearby::ToInt(delivery.friend_id);
  const std::string time = ClockTime(delivery.time);
  if (delivery.kind == nearby::DeliveryKind::kEnter) {
    const std::string miles = Miles(delivery.distance_mm);
    if (!is_mutual) {
      return absl::StrFormat("%s  %d sees %d, %s away", time, subscriber, friend_id, miles);
    }
    return absl::StrFormat("%s  %d and %d see each other, %s apart", time, subscriber, friend_id,
                           miles);
  }
  const absl::string_view reason = Describe(delivery.reason);
  if (!is_mutual) {
    return absl::StrFormat("%s  %d lost sight of %d: %s", time, subscriber, friend_id, reason);
  }
  return absl::StrFormat("%s  %d and %d lost sight of each other: %s", time, subscriber, friend_id,
                         reason);
}

std::string TableRow(absl::string_view user, absl::string_view friend_id, absl::string_view miles,
                     absl::string_view kilometers, absl::string_view since,
                     absl::string_view updated) {
  return absl::StrFormat("%-20s %-20s %8s %8s  %8s  %8s", user, friend_id, miles, kilometers, since,
                         updated);
}

}  // namespace

LiveTable::Environment LiveTable::Environment::OfSystem(std::FILE* out) {
  Environment environment;
  static_cast<Screen::Environment&>(environment) = Screen::Environment::OfSystem(out);
  environment.now = [] { return absl::Now(); };
  environment.sleep = [](absl::Duration duration) { absl::SleepFor(duration); };
  return environment;
}

LiveTable::LiveTable(const Options& options, std::FILE* out)
    : LiveTable(options, out, Environment::OfSystem(out)) {}

LiveTable::LiveTable(const Options& options, std::FILE* out, Environment environment)
    : options_(options), environment_(std::move(environment)), screen_(out, environment_) {}

void LiveTable::OnDelivery(const nearby::Delivery& delivery) {
  switch (delivery.kind) {
    case nearby::DeliveryKind::kEnter:
    case nearby::DeliveryKind::kMove: {
      const bool enters = delivery.kind == nearby::DeliveryKind::kEnter;
      ++(enters ? counts_.enters : counts_.moves);
      const auto [sighting, is_new] =
          in_sight_[delivery.subscriber].try_emplace(delivery.friend_id);
      if (is_new) ++pairs_;
      if (is_new || enters) sighting->second.since = delivery.time;
      sighting->second.distance_mm = delivery.distance_mm;
      sighting->second.updated = delivery.time;
      if (!enters) return;
      break;
    }
    case nearby::DeliveryKind::kLeave:
      ++counts_.leaves;
      Forget(delivery.subscriber, delivery.friend_id);
      break;
    case nearby::DeliveryKind::kReset:
      if (const auto found = in_sight_.find(delivery.subscriber); found != in_sight_.end()) {
        pairs_ -= found->second.size();
        in_sight_.erase(found);
      }
      return;
  }
  AddNews(delivery);
}

void LiveTable::AddNews(const nearby::Delivery& delivery) {
  for (News& news : ticker_) {
    if (!AreMirrored(news.delivery, delivery)) continue;
    news.is_mutual = true;
    return;
  }
  ticker_.push_front({delivery, false});
  if (ticker_.size() > kTickerLines) ticker_.pop_back();
}

void LiveTable::Forget(nearby::UserId subscriber, nearby::UserId friend_id) {
  const auto found = in_sight_.find(subscriber);
  if (found == in_sight_.end()) return;
  pairs_ -= found->second.erase(friend_id);
  if (found->second.empty()) in_sight_.erase(found);
}

void LiveTable::OnTime(nearby::Time now) {
  if (has_time_ && now <= now_) return;
  now_ = now;
  if (!has_time_) {
    has_time_ = true;
    first_time_ = pace_time_ = rates_time_ = now;
    pace_wall_ = rates_wall_ = last_draw_ = environment_.now();
  }
  KeepPace();
}

void LiveTable::KeepPace() {
  const absl::Time due = pace_wall_ + absl::Milliseconds(now_.ms - pace_time_.ms) / options_.pace;
  absl::Time wall = environment_.now();
  while (wall < due) {
    environment_.sleep(std::min(due - wall, kTerminalInterval));
    wall = environment_.now();
    DrawIfDue(wall);
  }
  DrawIfDue(wall);
  if (wall - due > kMaxLag) {
    pace_time_ = now_;
    pace_wall_ = wall;
  }
}

void LiveTable::DrawIfDue(absl::Time wall) {
  UpdateRates(wall);
  if (wall - last_draw_ < (screen_.is_terminal() ? kTerminalInterval : kPlainInterval)) return;
  last_draw_ = wall;
  Draw();
}

void LiveTable::UpdateRates(absl::Time wall) {
  if (wall - rates_wall_ < kRatesInterval || now_ <= rates_time_) return;
  const double seconds = static_cast<double>(now_.ms - rates_time_.ms) / 1000;
  rates_.enters = static_cast<double>(counts_.enters - rates_counts_.enters) / seconds;
  rates_.moves = static_cast<double>(counts_.moves - rates_counts_.moves) / seconds;
  rates_.leaves = static_cast<double>(counts_.leaves - rates_counts_.leaves) / seconds;
  rates_counts_ = counts_;
  rates_time_ = now_;
  rates_wall_ = wall;
}

void LiveTable::UpdateWatched() {
  const bool is_settling = now_.ms - first_time_.ms < kSettlingMs;
  const auto is_alone = [this](nearby::UserId user) { return !in_sight_.contains(user); };
  watched_.erase(std::remove_if(watched_.begin(), watched_.end(), is_alone), watched_.end());
  if (is_settling) watched_.clear();
  const auto wanted = static_cast<std::size_t>(std::max(0, options_.watch));
  if (watched_.size() >= wanted) return;
  // Most friends first, then by id: never by the order of the hash map.
  using Candidate = std::pair<std::size_t, std::uint64_t>;
  std::vector<Candidate> candidates;
  for (const auto& [user, sightings] : in_sight_) {
    if (std::find(watched_.begin(), watched_.end(), user) != watched_.end()) continue;
    candidates.emplace_back(sightings.size(), nearby::ToInt(user));
  }
  const std::size_t count = std::min(wanted - watched_.size(), candidates.size());
  std::partial_sort(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(count),
                    candidates.end(), [](const Candidate& a, const Candidate& b) {
                      return a.first != b.first ? a.first > b.first : a.second < b.second;
                    });
  for (std::size_t i = 0; i < count; ++i) watched_.push_back(nearby::UserId{candidates[i].second});
}

void LiveTable::Finish() {
  UpdateRates(environment_.now());
  Draw();
}

void LiveTable::Draw() {
  UpdateWatched();
  std::vector<Line> lines;
  AddTitle(&lines);
  lines.push_back({TableRow("USER", "NEAREST FRIENDS", "DISTANCE", "", "IN SIGHT", "UPDATED"),
                   Style::kHeading});
  for (const nearby::UserId user : watched_) AddUser(user, RowsPerUser(), &lines);
  AddTicker(&lines);
  screen_.Print(lines);
}

void LiveTable::AddTitle(std::vector<Line>* lines) const {
  lines->push_back({absl::StrFormat("nearby  %s  %gx  %s users see %s friends", TitleTime(now_),
                                    options_.pace, Grouped(in_sight_.size()), Grouped(pairs_)),
                    Style::kTitle});
  lines->push_back({absl::StrFormat("a second: %.1f enter, %.1f move, %.1f leave", rates_.enters,
                                    rates_.moves, rates_.leaves),
                    Style::kPlain});
}

int LiveTable::RowsPerUser() const {
  if (!screen_.is_terminal() || watched_.empty()) return kMostRowsPerUser;
  const int room = screen_.height() - kOtherLines - static_cast<int>(kTickerLines);
  return std::clamp(room / static_cast<int>(watched_.size()), 1, kMostRowsPerUser);
}

void LiveTable::AddUser(nearby::UserId user, int rows, std::vector<Line>* lines) const {
  const auto found = in_sight_.find(user);
  if (found == in_sight_.end()) return;
  std::vector<std::pair<nearby::UserId, Sighting>> nearest(found->second.begin(),
                                                           found->second.end());
  std::sort(nearest.begin(), nearest.end(), [](const auto& a, const auto& b) {
    return std::pair(a.second.distance_mm, a.first) < std::pair(b.second.distance_mm, b.first);
  });
  const std::size_t shown = std::min(nearest.size(), static_cast<std::size_t>(rows));
  for (std::size_t i = 0; i < shown; ++i) {
    const auto& [friend_id, sighting] = nearest[i];
    std::string label;
    if (i == 0) label = absl::StrCat(nearby::ToInt(user));
    if (i == 1) label = absl::StrCat("  sees ", Grouped(nearest.size()));
    const bool is_fresh = now_.ms - sighting.since.ms < kFreshMs;
    lines->push_back(
        {TableRow(label, absl::StrCat(nearby::ToInt(friend_id)), Miles(sighting.distance_mm),
                  Kilometers(sighting.distance_mm), Span(now_.ms - sighting.since.ms),
                  Ago(now_.ms - sighting.updated.ms)),
         is_fresh ? Style::kFresh : Style::kPlain});
  }
}

void LiveTable::AddTicker(std::vector<Line>* lines) const {
  lines->push_back({"LATEST", Style::kHeading});
  for (const News& news : ticker_) {
    lines->push_back({Tell(news.delivery, news.is_mutual), Style::kFaint});
  }
}

}  // namespace replay
