#include "examples/echo_server/outbox.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/time/time.h"
#include "examples/echo_server/rate_limit.h"

namespace echo_server {
namespace {

using nearby::Time;
using nearby::WireFormat;

OutgoingFrame Answer(const std::string& bytes) { return {bytes, WireFormat::kJson, false}; }
OutgoingFrame Batch(const std::string& bytes) { return {bytes, WireFormat::kJson, true}; }

TEST(Outbox, KeepsOneOrder) {
  Outbox outbox;
  EXPECT_TRUE(outbox.empty());
  EXPECT_TRUE(outbox.Push(Answer("a"), {}));
  const OutgoingFrame* const front = &outbox.front();
  EXPECT_TRUE(outbox.Push(Batch("b"), {}));
  EXPECT_TRUE(outbox.Push(Answer("c"), {}));
  EXPECT_EQ(&outbox.front(), front) << "what is being written must not move";
  std::string order;
  for (; !outbox.empty(); outbox.Pop()) order += outbox.front().bytes;
  EXPECT_EQ(order, "abc");
}

TEST(Outbox, LimitsAnswersAndNotTheBatch) {
  const Outbox::Limits limits{3, 10};
  Outbox outbox;
  EXPECT_TRUE(outbox.Push(Answer(std::string(100, 'x')), limits)) << "a single one may be larger";
  EXPECT_FALSE(outbox.Push(Answer("x"), limits));
  EXPECT_TRUE(outbox.Push(Batch(std::string(1000, 'x')), limits));
  outbox.Pop();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(outbox.Push(Answer("x"), limits));
  EXPECT_FALSE(outbox.Push(Answer("x"), limits));
  outbox.Pop();  // the batch
  EXPECT_FALSE(outbox.Push(Answer("x"), limits));
  outbox.Pop();
  EXPECT_TRUE(outbox.Push(Answer("x"), limits));
}

TEST(RateBucket, FillsWithTime) {
  const RateLimit limit{2, 3};
  Time now = Time::Millis(1000);
  RateBucket bucket(limit, now);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(bucket.Take(limit, now));
  EXPECT_FALSE(bucket.Take(limit, now));
  EXPECT_EQ(bucket.Wait(limit), absl::Milliseconds(500));
  now.ms += 499;
  EXPECT_FALSE(bucket.Take(limit, now));
  now.ms += 1;
  EXPECT_TRUE(bucket.Take(limit, now));
  now.ms += 3'600'000;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(bucket.Take(limit, now));
  EXPECT_FALSE(bucket.Take(limit, now));
}

TEST(RateBucket, GainsNothingFromTimeThatGoesBackward) {
  const RateLimit limit{1, 1};
  RateBucket bucket(limit, Time::Millis(10'000));
  EXPECT_TRUE(bucket.Take(limit, Time::Millis(10'000)));
  EXPECT_FALSE(bucket.Take(limit, Time::Millis(0)));
  EXPECT_FALSE(bucket.Take(limit, Time::Millis(999)));
  EXPECT_TRUE(bucket.Take(limit, Time::Millis(1001)));
}

}  // namespace
}  // namespace echo_server
