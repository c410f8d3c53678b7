#include "examples/replay/churn.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/strings/string_view.h"
#include "examples/replay/population.h"
#include "examples/replay/trace_sink.h"
#include "nearby/ids.h"
#include "nearby/time.h"

namespace replay {
namespace {

// A person does one of these things every two hours or so: rare for the person, every few seconds
// in a town.
constexpr double kMeanPausePerPersonMs = 2 * 3'600'000.0;
constexpr double kMeanTimeToUndoMs = 5 * 60'000.0;
constexpr std::array<double, 5> kRadiiMeters = {1'000, 3'218.688, 8'046.72, 16'093.44, 40'000};

std::pair<std::uint64_t, std::uint64_t> Key(nearby::UserId a, nearby::UserId b) {
  return std::minmax(nearby::ToInt(a), nearby::ToInt(b));
}

}  // namespace

Churn::Churn(const Population& population, nearby::Time start, std::uint64_t seed)
    : friendships_(&population.friendships),
      random_(seed),
      mean_pause_ms_(kMeanPausePerPersonMs /
                     static_cast<double>(std::max<std::size_t>(1, population.people.size()))),
      next_begin_ms_(start.ms) {
  if (friendships_->empty()) return;
  known_.reserve(friendships_->size());
  for (const auto& [a, b] : *friendships_) known_.insert(Key(a, b));
  next_begin_ms_ += static_cast<std::int64_t>(random_.Exponential(mean_pause_ms_));
  FindNext();
}

void Churn::Write(TraceSink* sink) {
  if (!undos_.empty() && undos_.top().time_ms == next_.ms) {
    const Undo undo = undos_.top();
    undos_.pop();
    sink->Pair(undo.action, undo.first, undo.second, next_);
  } else {
    Begin(sink);
    next_begin_ms_ += static_cast<std::int64_t>(random_.Exponential(mean_pause_ms_));
  }
  FindNext();
}

void Churn::Begin(TraceSink* sink) {
  auto [first, second] = (*friendships_)[random_.Below(friendships_->size())];
  if (random_.Chance(0.5)) std::swap(first, second);
  switch (random_.Below(5)) {
    case 0:
      return BeginPair("hide", "share", first, second, sink);
    case 1:
      return BeginPair("unsubscribe", "subscribe", first, second, sink);
    case 2:
      return BeginPair("unfriend", "befriend", first, second, sink);
    case 3:
      if (DrawStrangers(&first, &second)) {
        BeginPair("befriend", "unfriend", first, second, sink);
      }
      return;
    default:
      return sink->Radius(first, kRadiiMeters[random_.Below(kRadiiMeters.size())], next_);
  }
}

void Churn::BeginPair(absl::string_view action, absl::string_view undo, nearby::UserId first,
                      nearby::UserId second, TraceSink* sink) {
  sink->Pair(action, first, second, next_);
  const auto later = static_cast<std::int64_t>(random_.Exponential(kMeanTimeToUndoMs));
  undos_.push({next_.ms + later, ++begun_, undo, first, second});
}

bool Churn::DrawStrangers(nearby::UserId* first, nearby::UserId* second) {
  // Friendships are sorted: neighbours in the list tend to have their first user in common.
  constexpr int kDraws = 8;
  for (int i = 0; i < kDraws && friendships_->size() > 1; ++i) {
    const std::size_t at = random_.Below(friendships_->size() - 1);
    const auto& [a, b] = (*friendships_)[at];
    const auto& [c, d] = (*friendships_)[at + 1];
    if (a != c || known_.contains(Key(b, d))) continue;
    *first = b;
    *second = d;
    return true;
  }
  return false;
}

void Churn::FindNext() {
  next_.ms = next_begin_ms_;
  if (!undos_.empty()) next_.ms = std::min(next_.ms, undos_.top().time_ms);
}

}  // namespace replay
