#include "examples/replay/geolife.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "examples/replay/fields.h"
#include "examples/replay/great_circle.h"
#include "examples/replay/line_reader.h"
#include "examples/replay/movement.h"
#include "nearby/geo.h"

namespace replay {
namespace {

constexpr double kStepSeconds = static_cast<double>(MovementModel::kSpeedStepMs) / 1000;

// Between points at most this far apart in time the person's speed is known.
constexpr std::int64_t kLongestLegSeconds = 20;
// A longer silence than this is a gap, one longer than that the end of a recording.
constexpr std::int64_t kShortestGapSeconds = 60;
constexpr std::int64_t kLongestGapSeconds = 3600;
// 250 km/h: nothing in a city moves faster.
constexpr double kFastestRealSpeed = 70;
constexpr double kFlightSpeed = 230;

struct Fix {
  UnitVector point;
  std::int64_t time_s = 0;
  std::string person;
};

// Which mode a stretch is, by the speed that it exceeds for 15 % of the time: the top of what the
// person does, whatever the red lights.
Mode ModeForTopSpeed(float top_speed) {
  if (top_speed < 0.6F) return Mode::kStill;
  if (top_speed < 2.5F) return Mode::kWalk;
  if (top_speed < 7.0F) return Mode::kRide;
  return Mode::kDrive;
}

// Gathers fixes into stretches of even steps, and sorts their speeds by mode.
class Learner {
 public:
  void Add(Fix fix);
  absl::StatusOr<MovementModel> Finish(const std::string& path, double report_interval_s);

 private:
  void AddLeg(double seconds, double meters);
  void EndStretch();

  bool has_last_ = false;
  Fix last_;
  std::vector<float> stretch_;  // Speeds, one a step.
  double step_seconds_ = 0;     // Of the step that is being filled.
  double step_meters_ = 0;
  std::size_t legs_ = 0;
  double recorded_s_ = 0;
  MovementModel model_;
};

void Learner::Add(Fix fix) {
  const bool follows = has_last_ && fix.person == last_.person;
  const std::int64_t elapsed_s = follows ? fix.time_s - last_.time_s : kLongestGapSeconds + 1;
  // Two points of one second differ by noise alone.
  if (elapsed_s == 0) return;
  if (elapsed_s > 0 && elapsed_s <= kLongestLegSeconds) {
    const double seconds = static_cast<double>(elapsed_s);
    const double meters = DistanceMeters(last_.point, fix.point);
    const bool glitch = meters > kFastestRealSpeed * seconds;
    if (glitch) model_.glitch_speeds_mps.push_back(meters / seconds);
    AddLeg(seconds, glitch ? 0 : meters);
  } else {
    EndStretch();
    if (elapsed_s >= kShortestGapSeconds && elapsed_s <= kLongestGapSeconds) {
      model_.gap_seconds.push_back(static_cast<double>(elapsed_s));
      recorded_s_ += static_cast<double>(elapsed_s);
    }
  }
  last_ = std::move(fix);
  has_last_ = true;
}

void Learner::AddLeg(double seconds, double meters) {
  ++legs_;
  recorded_s_ += seconds;
  const double speed = meters / seconds;
  while (seconds > 0) {
    const double part = std::min(seconds, kStepSeconds - step_seconds_);
    seconds -= part;
    step_seconds_ += part;
    step_meters_ += speed * part;
    if (step_seconds_ < kStepSeconds) continue;
    stretch_.push_back(static_cast<float>(step_meters_ / kStepSeconds));
    step_seconds_ = 0;
    step_meters_ = 0;
  }
}

void Learner::EndStretch() {
  // Two minutes to either side.
  constexpr std::size_t kReach = 24;
  std::vector<float> window;
  for (std::size_t i = 0; i < stretch_.size(); ++i) {
    const auto begin = stretch_.begin() + static_cast<std::ptrdiff_t>(i - std::min(i, kReach));
    const auto end =
        stretch_.begin() + static_cast<std::ptrdiff_t>(std::min(stretch_.size(), i + kReach + 1));
    window.assign(begin, end);
    const auto top = window.begin() + static_cast<std::ptrdiff_t>(window.size() * 85 / 100);
    std::nth_element(window.begin(), top, window.end());
    model_.speeds[static_cast<std::size_t>(ModeForTopSpeed(*top))].push_back(stretch_[i]);
  }
  stretch_.clear();
  step_seconds_ = 0;
  step_meters_ = 0;
}

absl::StatusOr<MovementModel> Learner::Finish(const std::string& path, double report_interval_s) {
  EndStretch();
  for (const Mode mode : {Mode::kWalk, Mode::kRide, Mode::kDrive}) {
    if (!model_.speeds[static_cast<std::size_t>(mode)].empty()) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": too little movement: nobody is seen to ", ToString(mode)));
  }
  model_.speeds[static_cast<std::size_t>(Mode::kFly)] = {static_cast<float>(kFlightSpeed)};
  model_.glitches_per_report =
      static_cast<double>(model_.glitch_speeds_mps.size()) / static_cast<double>(legs_);
  // A gap can begin only while the phone reports, so time within gaps does not count.
  double reported_s = recorded_s_;
  for (const double gap_s : model_.gap_seconds) reported_s -= gap_s;
  const double gaps_per_second = static_cast<double>(model_.gap_seconds.size()) / reported_s;
  model_.gaps_per_report.fill(std::min(1.0, gaps_per_second * report_interval_s));
  return std::move(model_);
}

// "2008-10-23 05:53:05", taken as UTC: only differences count.
bool ParseDateTime(absl::string_view field, std::int64_t* time_s) {
  absl::CivilSecond civil;
  if (!absl::ParseLenientCivilTime(absl::StrReplaceAll(field, {{" ", "T"}}), &civil)) return false;
  *time_s = absl::ToUnixSeconds(absl::FromCivil(civil, absl::UTCTimeZone()));
  return true;
}

absl::Status ParseFix(const LineReader& reader, absl::string_view line, Fix* fix) {
  const std::vector<absl::string_view> fields = absl::StrSplit(line, ',');
  if (fields.size() != 4) {
    return reader.ErrorAt(reader.line_number(), "expected lat,lng,datetime,uid");
  }
  nearby::LatLng point;
  if (!ParseNumber(fields[0], &point.lat) || !ParseNumber(fields[1], &point.lng)) {
    return reader.ErrorAt(reader.line_number(), absl::StrCat("not coordinates: ", Quoted(fields[0]),
                                                             ", ", Quoted(fields[1])));
  }
  const absl::Status valid = nearby::Validate(point);
  if (!valid.ok()) return reader.ErrorAt(reader.line_number(), valid.message());
  if (!ParseDateTime(fields[2], &fix->time_s)) {
    return reader.ErrorAt(reader.line_number(),
                          absl::StrCat("not a date and time: ", Quoted(fields[2])));
  }
  fix->point = ToUnitVector(point);
  fix->person = std::string(fields[3]);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<MovementModel> LoadGeolife(const std::string& path, double report_interval_s) {
  absl::StatusOr<LineReader> reader = LineReader::Open(path);
  if (!reader.ok()) return reader.status();
  Learner learner;
  absl::string_view line;
  while (reader->Next(&line)) {
    if (line.empty() || reader->line_number() == 1) continue;
    Fix fix;
    absl::Status status = ParseFix(*reader, line, &fix);
    if (!status.ok()) return status;
    learner.Add(std::move(fix));
  }
  if (!reader->status().ok()) return reader->status();
  return learner.Finish(path, report_interval_s);
}

}  // namespace replay
