#include "examples/phones/stamp.h"

#include <gtest/gtest.h>

#include <cstdint>

#include "examples/replay/random.h"
#include "nearby/geo.h"
#include "nearby/time.h"

namespace phones {
namespace {

// A server keeps locations as positions: what comes back has been through one.
TEST(StampTest, SurvivesTheServer) {
  constexpr std::uint64_t kSeed = 20240117;
  replay::Random random(kSeed);
  for (int i = 0; i < 100'000; ++i) {
    const double lat = -90 + 180 * random.Uniform();
    const double lng = -180 + 360 * random.Uniform();
    const std::int64_t sent_us =
        1'700'000'000'000'000 + static_cast<std::int64_t>(random.Below(1'000'000'000));
    const nearby::LatLng stamped = Stamped({lat, lng}, sent_us);
    ASSERT_TRUE(nearby::IsValid(stamped)) << "seed " << kSeed;
    const nearby::Position position = nearby::Position::FromLatLng(stamped);
    ASSERT_EQ(SentMicros(nearby::Time::Millis(sent_us / 1000), position), sent_us)
        << lat << " " << lng << " seed " << kSeed;
    ASSERT_LT(nearby::HaversineMeters({lat, lng}, stamped), 10) << lat << " " << lng;
  }
}

TEST(StampTest, SurvivesAtTheSeams) {
  for (const nearby::LatLng location :
       {nearby::LatLng{90, 0}, {-90, 180}, {0, 180}, {0, -180}, {0, 0}, {1e-9, -1e-9}}) {
    for (const std::int64_t sent_us : {0, 1, 999, 123'456}) {
      const nearby::LatLng stamped = Stamped(location, sent_us);
      ASSERT_TRUE(nearby::IsValid(stamped)) << location;
      EXPECT_EQ(
          SentMicros(nearby::Time::Millis(sent_us / 1000), nearby::Position::FromLatLng(stamped)),
          sent_us)
          << location;
    }
  }
}

}  // namespace
}  // namespace phones
