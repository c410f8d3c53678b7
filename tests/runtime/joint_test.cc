#include "src/runtime/joint.h"

#include <atomic>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nearby::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class JointTest : public ::testing::Test {
 protected:
  std::shared_ptr<Joint> Make(std::size_t parts) {
    return std::make_shared<Joint>(
        parts, [this](const absl::Status& status) { done_.push_back(status.code()); });
  }

  std::vector<absl::StatusCode> done_;
};

TEST_F(JointTest, IsDoneWhenTheLastPartLetsGo) {
  std::shared_ptr<Joint> one = Make(2);
  std::shared_ptr<Joint> other = one;
  one->Finish(absl::OkStatus());
  one.reset();
  other->Finish(absl::OkStatus());
  EXPECT_THAT(done_, IsEmpty());
  other.reset();
  EXPECT_THAT(done_, ElementsAre(absl::StatusCode::kOk));
}

TEST_F(JointTest, TellsTheFirstFailure) {
  std::shared_ptr<Joint> joint = Make(3);
  joint->Finish(absl::OkStatus());
  joint->Finish(absl::InvalidArgumentError("first"));
  joint->Finish(absl::InternalError("second"));
  joint.reset();
  EXPECT_THAT(done_, ElementsAre(absl::StatusCode::kInvalidArgument));
}

TEST_F(JointTest, IsCancelledWhereAPartWasLetGoOfUnfinished) {
  std::shared_ptr<Joint> joint = Make(2);
  joint->Finish(absl::OkStatus());
  joint.reset();
  EXPECT_THAT(done_, ElementsAre(absl::StatusCode::kCancelled));
}

TEST_F(JointTest, AFailureOfOnePartStandsThoughTheOtherWasCancelled) {
  std::shared_ptr<Joint> joint = Make(2);
  joint->Finish(absl::InvalidArgumentError("no"));
  joint.reset();
  EXPECT_THAT(done_, ElementsAre(absl::StatusCode::kInvalidArgument));
}

TEST_F(JointTest, IsDoneOnceWhicheverThreadIsLast) {
  constexpr int kParts = 4;
  for (int round = 0; round < 200; ++round) {
    std::atomic<int> calls{0};
    std::shared_ptr<Joint> joint = std::make_shared<Joint>(
        kParts, [&calls](const absl::Status& status) { calls += status.ok() ? 1 : 1000; });
    std::vector<std::thread> threads;
    for (int i = 0; i < kParts; ++i) {
      threads.emplace_back([part = joint]() mutable {
        part->Finish(absl::OkStatus());
        part.reset();
      });
    }
    joint.reset();
    for (std::thread& thread : threads) thread.join();
    ASSERT_EQ(calls, 1);
  }
}

}  // namespace
}  // namespace nearby::internal
