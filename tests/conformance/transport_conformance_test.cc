// A transport for each clause that keeps all but that one: the suite must say which.

#include "nearby/testing/transport_conformance.h"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/ids.h"
#include "nearby/in_memory_transport.h"
#include "nearby/transport.h"
#include "tests/conformance/failed_clauses.h"
#include "tests/conformance/flawed_calls.h"

namespace nearby {
namespace {

using test::CallFlaw;

enum class Flaw {
  kNone,
  kDoesNotWait,
  kNeedsAListener,
  kTellsOthersOnly,
  kNeedsASubscription,
  kSwapsMessages,
  kLosesLinksInSilence,
  kOneForAllServers,
  kEndsAtZero,
  kNeedsNoNames,
};

// What all transports of a test share.
struct World {
  explicit World(CallFlaw call_flaw) : calls(call_flaw) {}

  void SetDown(absl::string_view server, bool is_down) {
    const std::lock_guard<std::mutex> lock(mutex);
    if (is_down) {
      down.insert(std::string(server));
    } else {
      down.erase(std::string(server));
    }
  }
  bool is_any_down() {
    const std::lock_guard<std::mutex> lock(mutex);
    return !down.empty();
  }

  test::FlawedCalls calls;
  InMemoryBroker broker;
  std::atomic<bool> has_been_subscribed{false};
  std::mutex mutex;
  std::set<std::string> down;
};

// Between the transport and the receiver.
class FlawedReceiver : public Transport::Receiver {
 public:
  FlawedReceiver(Flaw flaw, Transport::Receiver* receiver) : flaw_(flaw), receiver_(receiver) {}

  void OnMessage(absl::string_view server, Channel channel, absl::string_view payload) override {
    if (flaw_ == Flaw::kEndsAtZero) payload = payload.substr(0, payload.find('\0'));
    if (flaw_ == Flaw::kTellsOthersOnly && publisher == this) return;
    if (flaw_ == Flaw::kSwapsMessages && server == "s1" && ++received_ == 30) {
      held_ = std::string(payload);
      return;
    }
    Tell(server, channel, payload);
    if (flaw_ == Flaw::kSwapsMessages && server == "s1" && received_ == 31) {
      Tell(server, channel, held_);
    }
  }
  void OnLinkLost(absl::string_view server, const absl::Status& why) override {
    if (flaw_ != Flaw::kLosesLinksInSilence) receiver_->OnLinkLost(server, why);
  }

  bool is_running() const { return calls_running_ > 0; }

  // That of the node for which this thread is publishing.
  static inline thread_local const FlawedReceiver* publisher = nullptr;

 private:
  void Tell(absl::string_view server, Channel channel, absl::string_view payload) {
    ++calls_running_;
    receiver_->OnMessage(server, channel, payload);
    --calls_running_;
  }

  const Flaw flaw_;
  Transport::Receiver* const receiver_;
  std::atomic<int> calls_running_{0};
  std::atomic<int> received_{0};
  std::string held_;
};

class FlawedTransport : public Transport {
 public:
  FlawedTransport(std::shared_ptr<World> world, Flaw flaw)
      : world_(std::move(world)), flaw_(flaw), transport_(&world_->broker) {}
  ~FlawedTransport() override {
    world_->calls.End();
    for (std::thread& thread : leaving_) thread.join();
  }

  void SetReceiver(Receiver* receiver) override {
    std::unique_ptr<FlawedReceiver> next;
    if (receiver != nullptr) next = std::make_unique<FlawedReceiver>(flaw_, receiver);
    if (flaw_ == Flaw::kDoesNotWait && receiver_ != nullptr && receiver_->is_running()) {
      leaving_.emplace_back([this] { transport_.SetReceiver(nullptr); });
      return;
    }
    transport_.SetReceiver(next.get());
    receiver_ = std::move(next);
  }

  void Publish(absl::string_view server, Channel channel, absl::string_view payload,
               Done done) override {
    if (payload.size() > max_payload() || server.empty()) {
      return transport_.Publish(server, channel, payload, std::move(done));
    }
    world_->calls.Do(std::move(done), [this, server = std::string(server), channel,
                                       payload = std::string(payload)](Done answer) {
      if (IsDelayed()) return answer(absl::UnavailableError("another server is down"));
      if (flaw_ == Flaw::kNeedsAListener && !world_->has_been_subscribed) {
        return answer(absl::NotFoundError("nobody listens"));
      }
      const auto* const before = std::exchange(FlawedReceiver::publisher, receiver_.get());
      transport_.Publish(server, channel, payload, std::move(answer));
      FlawedReceiver::publisher = before;
    });
  }

  void Subscribe(absl::string_view server, Channel channel, Done done) override {
    world_->calls.Do(std::move(done), [this, server = std::string(server), channel](Done answer) {
      if (IsDelayed()) return answer(absl::UnavailableError("another server is down"));
      if (flaw_ == Flaw::kNeedsNoNames && server.empty()) return answer(absl::OkStatus());
      world_->has_been_subscribed = true;
      transport_.Subscribe(server, channel, std::move(answer));
    });
  }

  void Unsubscribe(absl::string_view server, Channel channel, Done done) override {
    world_->calls.Do(std::move(done), [this, server = std::string(server), channel](Done answer) {
      const std::size_t before = world_->broker.subscription_count();
      absl::Status status;
      transport_.Unsubscribe(server, channel, [&](absl::Status s) { status = std::move(s); });
      if (flaw_ == Flaw::kNeedsASubscription && world_->broker.subscription_count() == before) {
        status = absl::NotFoundError("it is not subscribed to");
      }
      answer(std::move(status));
    });
  }

  std::size_t max_payload() const override { return transport_.max_payload(); }

 private:
  bool IsDelayed() const { return flaw_ == Flaw::kOneForAllServers && world_->is_any_down(); }

  std::shared_ptr<World> world_;
  const Flaw flaw_;
  std::unique_ptr<FlawedReceiver> receiver_;
  InMemoryTransport transport_;
  std::vector<std::thread> leaving_;
};

std::vector<ConformanceCase> Cases(CallFlaw call_flaw, Flaw flaw) {
  return TransportConformance([=] {
    const auto world = std::make_shared<World>(call_flaw);
    TransportUnderTest test;
    test.adapter = std::make_unique<FlawedTransport>(world, flaw);
    test.other = std::make_unique<FlawedTransport>(world, flaw);
    test.stall = [world](bool on) { world->calls.Stall(on); };
    test.take_down = [world](absl::string_view server) {
      world->SetDown(server, true);
      world->broker.TakeDown(server);
    };
    test.bring_up = [world](absl::string_view server) {
      world->SetDown(server, false);
      world->broker.BringUp(server);
    };
    test.patience = absl::Seconds(2);
    return test;
  });
}

TEST(TransportConformanceTest, PassesWhatIsRight) {
  test::ExpectFails(0, Cases(CallFlaw::kNone, Flaw::kNone));
}

TEST(TransportConformanceTest, FindsEachFlawInTheCalls) {
  test::ExpectFails(1, Cases(CallFlaw::kCompletesTwice, Flaw::kNone));
  test::ExpectFails(2, Cases(CallFlaw::kBlocks, Flaw::kNone));
  test::ExpectFails(3, Cases(CallFlaw::kRefusesReentrantCalls, Flaw::kNone));
  test::ExpectFails(4, Cases(CallFlaw::kKeepsDones, Flaw::kNone));
}

TEST(TransportConformanceTest, FindsEachFlawInTheMessages) {
  test::ExpectFails(4, Cases(CallFlaw::kNone, Flaw::kDoesNotWait));
  test::ExpectFails(5, Cases(CallFlaw::kNone, Flaw::kNeedsAListener));
  test::ExpectFails(6, Cases(CallFlaw::kNone, Flaw::kTellsOthersOnly));
  test::ExpectFails(7, Cases(CallFlaw::kNone, Flaw::kNeedsASubscription));
  test::ExpectFails(8, Cases(CallFlaw::kNone, Flaw::kSwapsMessages));
  test::ExpectFails(9, Cases(CallFlaw::kNone, Flaw::kLosesLinksInSilence));
  test::ExpectFails(10, Cases(CallFlaw::kNone, Flaw::kOneForAllServers));
  test::ExpectFails(11, Cases(CallFlaw::kNone, Flaw::kEndsAtZero));
  test::ExpectFails(12, Cases(CallFlaw::kNone, Flaw::kNeedsNoNames));
}

TEST(TransportConformanceTest, SkipsWhatNeedsAHook) {
  const auto cases = TransportConformance([] {
    const auto broker = std::make_shared<InMemoryBroker>();
    TransportUnderTest test;
    test.keeps = broker;
    test.adapter = std::make_unique<InMemoryTransport>(broker.get());
    test.other = std::make_unique<InMemoryTransport>(broker.get());
    return test;
  });
  EXPECT_THAT(test::SkippedCases(cases),
              ::testing::ElementsAre(
                  "Clause1CompletionWhileDown", "Clause2Blocking", "Clause5RepeatsNothing",
                  "Clause9LossIsTold", "Clause9LinksUpAgain", "Clause9CallsFromWithinOnLinkLost",
                  "Clause10ADeadServerDelaysNoOther", "Clause10AStalledServerDelaysNoOther"));
}

}  // namespace
}  // namespace nearby
