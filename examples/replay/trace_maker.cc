#include "examples/replay/trace_maker.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "examples/replay/great_circle.h"
#include "examples/replay/movement.h"
#include "examples/replay/population.h"
#include "examples/replay/trace_sink.h"
#include "nearby/time.h"

namespace replay {
namespace {

constexpr std::int64_t kWarmUpMs = std::int64_t{6} * 3'600'000;
constexpr double kTwoPi = 6.283185307179586;

// With churn: three in a thousand reports are followed by a disconnect, one a person in three
// hours.
constexpr double kDisconnectsPerReport = 0.003;
constexpr double kMeanOfflineMs = 6 * 60'000.0;

// Any odd number: the churn's random numbers are not to be those of the movement.
constexpr std::uint64_t kChurnSeed = 0x9E3779B97F4A7C15u;

}  // namespace

TraceMaker::TraceMaker(const Population& population, const MovementModel& model,
                       const TraceOptions& options)
    : population_(&population), model_(&model), options_(options), random_(options.seed) {
  if (options.churn) churn_.emplace(population, options.start, options.seed ^ kChurnSeed);
  phones_.reserve(population.people.size());
  for (const Person& person : population.people) {
    const std::size_t index = phones_.size();
    phones_.push_back(
        {Traveller(person.places, options.start.ms - kWarmUpMs, model, &random_), 0, false});
    phones_.back().owner.AdvanceTo(options.start.ms, model, &random_);
    due_.emplace(options.start.ms + random_.Between(0, options.max_interval_ms - 1), index);
  }
}

bool TraceMaker::WriteNext(TraceSink* sink) {
  if (due_.empty()) return false;
  const auto [now_ms, index] = due_.top();
  const bool is_churn = churn_.has_value() && churn_->next().ms <= now_ms;
  const std::int64_t next_ms = is_churn ? churn_->next().ms : now_ms;
  if (options_.duration_ms > 0 && next_ms >= options_.start.ms + options_.duration_ms) return false;
  if (is_churn) {
    churn_->Write(sink);
    return true;
  }
  due_.pop();
  Phone& phone = phones_[index];
  if (phone.is_disconnecting) {
    phone.is_disconnecting = false;
    sink->Disconnect(population_->people[index].id, nearby::Time::Millis(now_ms));
    due_.emplace(now_ms + static_cast<std::int64_t>(random_.Exponential(kMeanOfflineMs)) + 1,
                 index);
    return true;
  }
  Report(index, now_ms, sink);
  due_.emplace(now_ms + DrawPause(&phone), index);
  return true;
}

void TraceMaker::Report(std::size_t index, std::int64_t now_ms, TraceSink* sink) {
  Phone& phone = phones_[index];
  phone.owner.AdvanceTo(now_ms, *model_, &random_);
  sink->Report(population_->people[index].id, nearby::Time::Millis(now_ms),
               ToLatLng(Measured(phone, now_ms)));
  phone.last_ms = now_ms;
  ++reports_;
}

UnitVector TraceMaker::Measured(const Phone& phone, std::int64_t now_ms) {
  // The noise is given as the length of the error; each of its two coordinates has a share.
  const double sigma_m = model_->noise_m / std::sqrt(2.0);
  const double a_m = sigma_m * random_.Normal();
  const double b_m = sigma_m * random_.Normal();
  const UnitVector point = Displaced(phone.owner.position(), a_m, b_m);
  if (!random_.Chance(model_->glitches_per_report) || model_->glitch_speeds_mps.empty()) {
    return point;
  }
  ++glitches_;
  // As far off as makes the jump from the last report look as fast as the one that was recorded.
  const std::int64_t elapsed_ms = std::min(now_ms - phone.last_ms, options_.max_interval_ms);
  const double speed = model_->glitch_speeds_mps[random_.Below(model_->glitch_speeds_mps.size())];
  const double meters = speed * static_cast<double>(elapsed_ms) / 1000;
  const double bearing = kTwoPi * random_.Uniform();
  return Displaced(point, meters * std::cos(bearing), meters * std::sin(bearing));
}

std::int64_t TraceMaker::DrawPause(Phone* phone) {
  const std::int64_t interval_ms =
      random_.Between(options_.min_interval_ms, options_.max_interval_ms);
  if (options_.churn && random_.Chance(kDisconnectsPerReport)) {
    phone->is_disconnecting = true;
    return interval_ms;
  }
  const double gap_chance = model_->gaps_per_report[static_cast<std::size_t>(phone->owner.mode())];
  if (model_->gap_seconds.empty() || !random_.Chance(gap_chance)) return interval_ms;
  ++gaps_;
  const double gap_s = model_->gap_seconds[random_.Below(model_->gap_seconds.size())];
  return std::max(interval_ms, static_cast<std::int64_t>(gap_s * 1000));
}

}  // namespace replay
