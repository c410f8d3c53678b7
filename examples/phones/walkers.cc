#include "examples/phones/walkers.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "examples/replay/city.h"
#include "examples/replay/movement.h"
#include "examples/replay/population.h"
#include "examples/replay/trace_maker.h"
#include "examples/replay/trace_reader.h"
#include "examples/replay/trace_sink.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/time.h"

namespace phones {
namespace {

using nearby::LatLng;
using nearby::Time;
using nearby::UserId;
using replay::TraceRow;

constexpr std::int64_t kStepMs = 30'000;

// Takes the reports of a trace that is being made, and nothing else: it is made without churn.
template <typename Take>
class ReportSink : public replay::TraceSink {
 public:
  explicit ReportSink(Take take) : take_(std::move(take)) {}

  void Report(UserId user, Time time, LatLng location) override { take_(user, time, location); }
  void Disconnect(UserId /*user*/, Time /*time*/) override {}
  void Pair(absl::string_view /*action*/, UserId /*first*/, UserId /*second*/,
            Time /*time*/) override {}
  void Radius(UserId /*subscriber*/, double /*radius_m*/, Time /*time*/) override {}

 private:
  Take take_;
};

replay::TraceOptions EndlessLife(std::uint64_t seed) {
  replay::TraceOptions options;
  options.duration_ms = 0;
  options.seed = seed;
  return options;
}

class CityWalkers : public Walkers {
 public:
  CityWalkers(const replay::Population& population, std::uint64_t seed)
      : model_(replay::MakeCityMovement(seed)), maker_(population, model_, EndlessLife(seed)) {}

  absl::Status Read(std::size_t limit, std::vector<TraceRow>* rows) override {
    rows->clear();
    ReportSink sink([rows](UserId user, Time time, LatLng location) {
      TraceRow& row = rows->emplace_back();
      row.user = user;
      row.time = time;
      row.location = location;
    });
    while (rows->size() < limit && maker_.WriteNext(&sink)) {
    }
    return absl::OkStatus();
  }

 private:
  const replay::MovementModel model_;
  replay::TraceMaker maker_;
};

class TraceWalkers : public Walkers {
 public:
  explicit TraceWalkers(replay::TraceReader reader) : reader_(std::move(reader)) {}

  absl::Status Read(std::size_t limit, std::vector<TraceRow>* rows) override {
    return reader_.Read(limit, rows);
  }

 private:
  replay::TraceReader reader_;
};

}  // namespace

std::unique_ptr<Walkers> WalkCity(const replay::Population& population, std::uint64_t seed) {
  return std::make_unique<CityWalkers>(population, seed);
}

absl::StatusOr<std::unique_ptr<Walkers>> WalkTrace(const std::string& path) {
  absl::StatusOr<replay::TraceReader> reader = replay::TraceReader::Open(path);
  if (!reader.ok()) return reader.status();
  return std::make_unique<TraceWalkers>(*std::move(reader));
}

std::vector<std::vector<LatLng>> MakePaths(const replay::Population& population, std::size_t steps,
                                           std::uint64_t seed) {
  absl::flat_hash_map<UserId, std::size_t> index_of;
  for (const replay::Person& person : population.people) {
    index_of.emplace(person.id, index_of.size());
  }
  std::vector<std::vector<LatLng>> paths(population.people.size());
  std::size_t missing = steps * paths.size();
  ReportSink sink([&](UserId user, Time /*time*/, LatLng location) {
    std::vector<LatLng>& path = paths[index_of.at(user)];
    if (path.size() == steps) return;
    path.push_back(location);
    --missing;
  });
  replay::MovementModel model = replay::MakeCityMovement(seed);
  // Everyone goes at one pace: no gaps.
  model.gap_seconds.clear();
  replay::TraceOptions options = EndlessLife(seed);
  options.min_interval_ms = kStepMs;
  options.max_interval_ms = kStepMs;
  replay::TraceMaker maker(population, model, options);
  while (missing > 0 && maker.WriteNext(&sink)) {
  }
  return paths;
}

}  // namespace phones
