// What make_trace reads: Gowalla's friends and places, and GeoLife's recordings.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "examples/replay/geolife.h"
#include "examples/replay/gowalla.h"
#include "examples/replay/great_circle.h"
#include "examples/replay/movement.h"
#include "examples/replay/population.h"
#include "nearby/ids.h"
#include "tests/replay/files.h"

namespace replay {
namespace {

using nearby::UserId;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Pair;

// Recordings of a person who moves north.
class Recorder {
 public:
  // A point every `step_s` seconds.
  void Move(double speed_mps, int seconds, int step_s = 5) {
    for (int s = 0; s < seconds; s += step_s) {
      time_s_ += step_s;
      north_m_ += speed_mps * step_s;
      Write();
    }
  }
  void Jump(double meters) { north_m_ += meters; }
  void Pause(int seconds) { time_s_ += seconds; }
  void ChangePerson(absl::string_view person) { person_ = std::string(person); }

  const std::string& csv() const { return csv_; }

 private:
  void Write() {
    const UnitVector point =
        GreatCircle(ToUnitVector({39, 116}), ToUnitVector({60, 116})).At(north_m_);
    absl::StrAppendFormat(&csv_, "%.7f,%.7f,2008-10-23 %02d:%02d:%02d,%s\n", ToLatLng(point).lat,
                          ToLatLng(point).lng, time_s_ / 3600, time_s_ / 60 % 60, time_s_ % 60,
                          person_);
  }

  std::string csv_ = "lat,lng,datetime,uid\n";
  std::string person_ = "001";
  int time_s_ = 0;
  double north_m_ = 0;
};

absl::StatusOr<MovementModel> Learn(const std::string& csv) {
  const TempDirectory directory;
  return LoadGeolife(directory.Write("geolife", csv), 30);
}

double Mean(const std::vector<float>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

TEST(GeolifeTest, TellsModesApartBySpeed) {
  Recorder recorder;
  recorder.Move(0.1, 1200);
  recorder.Pause(100);
  recorder.Move(1.5, 1200);
  recorder.Pause(100);
  recorder.Move(5, 1200, 3);
  recorder.Pause(100);
  for (int i = 0; i < 20; ++i) {
    recorder.Move(15, 50);
    recorder.Move(0, 10);
  }
  const absl::StatusOr<MovementModel> model = Learn(recorder.csv());
  ASSERT_TRUE(model.ok()) << model.status();
  const auto speeds = [&](Mode mode) { return model->speeds[static_cast<std::size_t>(mode)]; };
  EXPECT_NEAR(Mean(speeds(Mode::kWalk)), 1.5, 0.01);
  EXPECT_NEAR(Mean(speeds(Mode::kRide)), 5, 0.01);
  // Stops at red lights belong to the drive.
  EXPECT_NEAR(Mean(speeds(Mode::kDrive)), 12.5, 0.2);
  const std::vector<float> drive = speeds(Mode::kDrive);
  EXPECT_NEAR(*std::max_element(drive.begin(), drive.end()), 15, 0.01);
  EXPECT_EQ(*std::min_element(drive.begin(), drive.end()), 0);
  EXPECT_THAT(speeds(Mode::kWalk), ::testing::SizeIs(239));
  EXPECT_THAT(speeds(Mode::kRail), ::testing::IsEmpty());
  EXPECT_THAT(speeds(Mode::kFly), ElementsAre(230.0F));
}

TEST(GeolifeTest, CountsGlitchesAndGaps) {
  Recorder recorder;
  recorder.Move(1.5, 1000);
  recorder.Jump(4500);  // And 7.5 m walked.
  recorder.Move(1.5, 1000);
  recorder.Pause(395);  // 400 s from point to point.
  recorder.Move(5, 1000);
  recorder.Pause(3 * 3600);  // Another recording.
  recorder.Move(15, 1000);
  recorder.ChangePerson("002");
  recorder.Move(15, 1000);
  const absl::StatusOr<MovementModel> model = Learn(recorder.csv());
  ASSERT_TRUE(model.ok()) << model.status();
  ASSERT_THAT(model->glitch_speeds_mps, ::testing::SizeIs(1));
  EXPECT_NEAR(model->glitch_speeds_mps[0], 901.5, 0.1);
  // 1,000 points, of which four begin a stretch.
  EXPECT_NEAR(model->glitches_per_report, 1.0 / 996, 1e-6);
  EXPECT_THAT(model->gap_seconds, ElementsAre(400));
  EXPECT_NEAR(model->gaps_per_report[0], 30.0 / (996 * 5), 1e-6);
  for (const float speed : model->speeds[static_cast<std::size_t>(Mode::kWalk)]) {
    ASSERT_LT(speed, 2) << "the glitch was taken for movement";
  }
}

TEST(GeolifeTest, SaysWhatIsWrong) {
  const auto message = [](const std::string& csv) {
    const absl::Status status = Learn(csv).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  };
  const std::string header = "lat,lng,datetime,uid\n";
  EXPECT_THAT(message(""), EndsWith("too little movement: nobody is seen to walk"));
  EXPECT_THAT(message(header + "1,2,2008-10-23 00:00:00\n"),
              EndsWith(":2: expected lat,lng,datetime,uid"));
  EXPECT_THAT(message(header + "x,2,2008-10-23 00:00:00,1\n"), HasSubstr(":2: not coordinates"));
  EXPECT_THAT(message(header + "91,2,2008-10-23 00:00:00,1\n"), HasSubstr(":2: "));
  EXPECT_THAT(message(header + "\n1,2,yesterday,1\n"),
              EndsWith(":3: not a date and time: \"yesterday\""));
  EXPECT_THAT(std::string(LoadGeolife("/no/such/file", 30).status().message()),
              HasSubstr("/no/such/file: cannot open"));
}

TEST(GeolifeTest, LearnsFromTheRealRecordings) {
  const char* data = std::getenv("NEARBY_DATA_DIR");
  if (data == nullptr) GTEST_SKIP() << "NEARBY_DATA_DIR names no directory with geolife/";
  const absl::StatusOr<MovementModel> model =
      LoadGeolife(absl::StrCat(data, "/geolife/geolife_sample.txt.gz"), 30);
  ASSERT_TRUE(model.ok()) << model.status();
  const auto mean = [&](Mode mode) { return Mean(model->speeds[static_cast<std::size_t>(mode)]); };
  EXPECT_GT(mean(Mode::kWalk), 0.6);
  EXPECT_LT(mean(Mode::kWalk), 1.6);
  EXPECT_GT(mean(Mode::kDrive), 5);
  EXPECT_LT(mean(Mode::kDrive), 15);
  const std::vector<double>& glitches = model->glitch_speeds_mps;
  ASSERT_FALSE(glitches.empty());
  EXPECT_NEAR(*std::max_element(glitches.begin(), glitches.end()), 916, 1);
  EXPECT_GT(model->glitches_per_report, 0.0001);
  EXPECT_LT(model->glitches_per_report, 0.001);
  EXPECT_GT(model->gaps_per_report[0], 0.005);
  EXPECT_LT(model->gaps_per_report[0], 0.05);
}

class GowallaTest : public ::testing::Test {
 protected:
  GowallaTest() {
    directory_.Write("socialRelations.txt.gz", Gzipped("2\t1\n1\t2\n3\t3\n1\t9\n"));
    directory_.Write("poiCoos.txt.gz", "0\t30.2\t-97.7\n7\t-37.6\t174.7\n");
    directory_.Write("train.txt.gz", Gzipped("2\t7\t1\n0\t0\t28\n2\t0\t5\n"));
    directory_.Write("tune.txt.gz", "2\t7\t3\n");
    directory_.Write("test.txt.gz", "1\t0\t1\n");
  }

  std::string Message() {
    const absl::Status status = LoadGowalla(directory_.Path("")).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  }

  TempDirectory directory_;
};

TEST_F(GowallaTest, GathersPeoplePlacesAndFriends) {
  const absl::StatusOr<Population> population = LoadGowalla(directory_.Path(""));
  ASSERT_TRUE(population.ok()) << population.status();
  EXPECT_THAT(population->friendships,
              ElementsAre(Pair(UserId{1}, UserId{2}), Pair(UserId{1}, UserId{9})));
  ASSERT_THAT(population->people, ::testing::SizeIs(3));
  EXPECT_EQ(population->people[0].id, UserId{0});
  EXPECT_EQ(population->people[1].id, UserId{1});
  const Person& traveller = population->people[2];
  EXPECT_EQ(traveller.id, UserId{2});
  ASSERT_THAT(traveller.places, ::testing::SizeIs(2));
  EXPECT_EQ(traveller.places[0].weight, 5);
  EXPECT_EQ(traveller.places[1].weight, 4) << "visits of several files add up";
  EXPECT_NEAR(ToLatLng(traveller.places[1].point).lat, -37.6, 1e-9);
  EXPECT_NEAR(ToLatLng(traveller.places[1].point).lng, 174.7, 1e-9);
}

TEST_F(GowallaTest, SaysWhatIsWrong) {
  directory_.Write("test.txt.gz", "1\t8\t1\n");
  EXPECT_THAT(Message(), EndsWith("test.txt.gz:1: unknown place 8"));
  directory_.Write("test.txt.gz", "1\t0\t0\n");
  EXPECT_THAT(Message(), EndsWith("test.txt.gz:1: not a number of visits: \"0\""));
  directory_.Write("test.txt.gz", "1\t0\t1\n-1\t0\t1\n");
  EXPECT_THAT(Message(), EndsWith("test.txt.gz:2: not a user: \"-1\""));
  directory_.Write("poiCoos.txt.gz", "0\t30.2\n");
  EXPECT_THAT(Message(), EndsWith("poiCoos.txt.gz:1: expected: place lat lng"));
  directory_.Write("poiCoos.txt.gz", "0\t30.2\t-190\n");
  EXPECT_THAT(Message(), HasSubstr("poiCoos.txt.gz:1: "));
  directory_.Write("socialRelations.txt.gz", "1\n");
  EXPECT_THAT(Message(), EndsWith("socialRelations.txt.gz:1: not a user: \"\""));
}

TEST_F(GowallaTest, NeedsVisits) {
  for (const char* name : {"train", "tune", "test"}) {
    directory_.Write(absl::StrCat(name, ".txt.gz"), Gzipped(""));
  }
  EXPECT_THAT(Message(), EndsWith("nobody visits anything"));
}

}  // namespace
}  // namespace replay
