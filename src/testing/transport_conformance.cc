#include "nearby/testing/transport_conformance.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "nearby/ids.h"
#include "src/testing/awaited.h"
#include "src/testing/inbox.h"
#include "src/testing/trial.h"

namespace nearby {
namespace {

constexpr UserId kAlice{1};
constexpr UserId kBob{2};
constexpr UserId kCarol{3};
constexpr std::size_t kLeastMaxPayload = std::size_t{64} << 10;

class TransportTrial : public internal::Trial<TransportUnderTest> {
 public:
  TransportTrial(TransportUnderTest subject, ConformanceReport* report)
      : Trial(std::move(subject), report),
        first_(this->subject().first_server),
        second_(this->subject().second_server) {
    adapter().SetReceiver(&mine_);
    other().SetReceiver(&others_);
  }
  // Receivers outlive the transports.
  ~TransportTrial() override { Destroy(); }

  void Destroy() override;
  void Completion() { CheckCompletion(Calls()); }
  void CompletionWhileDown();
  void Blocking() { CheckBlocking(Calls()); }
  void CallsFromWithinDone() { CheckCallsFromWithinDone(Calls()); }
  void CallsFromWithinTheReceiver();
  void Threads();
  void Destruction() { CheckDestruction(Calls()); }
  void SetReceiverEndsTheFormer();
  void SetReceiverWaits();
  void SetReceiverFromWithinADone();
  void PublishesToNobody();
  void RepeatsNothing();
  void EachReceivesOnce();
  void SubscribeNeedsAReceiver();
  void UnsubscribesOneChannelOfOneServer();
  void UnsubscribesWhatIsNotSubscribedTo();
  void MessagesKeepTheirOrder();
  void LossIsTold();
  void LinksUpAgain();
  void CallsFromWithinOnLinkLost();
  void ADeadServerDelaysNoOther();
  void AStalledServerDelaysNoOther();
  void PayloadsAreBytes();
  void ServersHaveNames();

 private:
  Transport& other() { return *subject().other; }
  bool CanTakeDown();
  std::vector<internal::TrialCall> Calls();
  absl::Status Publish(Transport& from, const std::string& server, UserId channel,
                       absl::string_view payload);
  absl::Status Subscribe(Transport& to, const std::string& server, UserId channel);
  absl::Status Unsubscribe(Transport& from, const std::string& server, UserId channel);
  void MustPublish(Transport& from, const std::string& server, UserId channel,
                   absl::string_view payload) {
    report().ExpectOk(Publish(from, server, channel, payload), "Publish");
  }
  void MustSubscribe(Transport& to, const std::string& server, UserId channel) {
    report().ExpectOk(Subscribe(to, server, channel), "Subscribe");
  }
  void Await(const internal::Inbox& inbox, absl::string_view payload);
  void AwaitLost(std::size_t times);
  void ExpectOrder(const internal::Inbox& inbox);
  void CheckSecondServer();

  const std::string first_;
  const std::string second_;
  internal::Inbox mine_;
  internal::Inbox others_;
};

void TransportTrial::Destroy() {
  if (subject().adapter != nullptr) adapter().SetReceiver(nullptr);
  if (subject().other != nullptr) other().SetReceiver(nullptr);
  Trial::Destroy();
  subject().other.reset();
}

bool TransportTrial::CanTakeDown() {
  if (subject().take_down && subject().bring_up) return true;
  report().Skip("needs the hooks take_down and bring_up");
  return false;
}

std::vector<internal::TrialCall> TransportTrial::Calls() {
  return {{"Subscribe",
           [this](internal::Completion& completion, auto then) {
             adapter().Subscribe(first_, kAlice, completion.AnyDone(std::move(then)));
           }},
          {"Publish",
           [this](internal::Completion& completion, auto then) {
             adapter().Publish(first_, kBob, "x", completion.AnyDone(std::move(then)));
           }},
          {"Unsubscribe", [this](internal::Completion& completion, auto then) {
             adapter().Unsubscribe(first_, kAlice, completion.AnyDone(std::move(then)));
           }}};
}

absl::Status TransportTrial::Publish(Transport& from, const std::string& server, UserId channel,
                                     absl::string_view payload) {
  internal::Completion published;
  from.Publish(server, channel, payload, published.Done());
  return Get(published);
}

absl::Status TransportTrial::Subscribe(Transport& to, const std::string& server, UserId channel) {
  internal::Completion subscribed;
  to.Subscribe(server, channel, subscribed.Done());
  return Get(subscribed);
}

absl::Status TransportTrial::Unsubscribe(Transport& from, const std::string& server,
                                         UserId channel) {
  internal::Completion unsubscribed;
  from.Unsubscribe(server, channel, unsubscribed.Done());
  return Get(unsubscribed);
}

void TransportTrial::Await(const internal::Inbox& inbox, absl::string_view payload) {
  report().Expect(Eventually([&] { return inbox.has(payload); }),
                  absl::StrCat("the message ", payload, " does not reach a subscriber"));
}

void TransportTrial::AwaitLost(std::size_t times) {
  report().Expect(Eventually([&] { return mine_.lost(first_) >= times; }),
                  "the receiver is not told of the loss of a link");
}

void TransportTrial::CompletionWhileDown() {
  if (!CanTakeDown()) return;
  subject().take_down(first_);
  std::vector<internal::TrialCall> calls = Calls();
  std::vector<internal::Completion> completions(calls.size());
  for (std::size_t i = 0; i < calls.size(); ++i) {
    calls[i].start(completions[i], nullptr);
    (void)Get(completions[i]);
  }
  Destroy();
  for (std::size_t i = 0; i < calls.size(); ++i) {
    report().Expect(completions[i].times() == 1,
                    absl::StrCat(calls[i].name, " to a server that is down called its done ",
                                 completions[i].times(), " times"));
  }
}

void TransportTrial::CallsFromWithinTheReceiver() {
  std::vector<internal::TrialCall> calls = Calls();
  std::vector<internal::Completion> completions(calls.size());
  mine_.OnEachMessage([&](absl::string_view) {
    for (std::size_t i = 0; i < calls.size(); ++i) calls[i].start(completions[i], nullptr);
  });
  MustSubscribe(adapter(), second_, kAlice);
  MustPublish(other(), second_, kAlice, "x");
  for (std::size_t i = 0; i < calls.size(); ++i) {
    report().ExpectOk(Get(completions[i]),
                      absl::StrCat(calls[i].name, " from within the receiver"));
  }
  adapter().SetReceiver(nullptr);
}

void TransportTrial::Threads() {
  constexpr std::size_t kMessages = 25;
  internal::InThreads(4, [this](std::size_t thread) {
    const UserId own{100 + thread};
    MustSubscribe(adapter(), first_, own);
    for (std::size_t i = 0; i < kMessages; ++i) {
      MustPublish(other(), first_, own, absl::StrCat("of ", thread));
    }
    const std::string payload = absl::StrCat("of ", thread);
    report().Expect(Eventually([&] { return mine_.count(payload) == kMessages; }),
                    "messages of several threads at once got lost");
    report().ExpectOk(Unsubscribe(adapter(), first_, own), "Unsubscribe");
  });
}

void TransportTrial::SetReceiverEndsTheFormer() {
  internal::Inbox next;
  MustSubscribe(adapter(), first_, kAlice);
  MustPublish(other(), first_, kAlice, "to the former");
  Await(mine_, "to the former");
  adapter().SetReceiver(&next);
  MustPublish(other(), first_, kAlice, "to nobody");
  MustSubscribe(adapter(), first_, kAlice);
  MustPublish(other(), first_, kAlice, "to the next");
  Await(next, "to the next");
  report().Expect(mine_.messages().size() == 1, "the former receiver is still called");
  report().Expect(!next.has("to nobody"), "the next receiver inherits a subscription");
  adapter().SetReceiver(nullptr);
}

void TransportTrial::SetReceiverFromWithinADone() {
  internal::Inbox next;
  // Of a call that concerns the receiver, and of one that does not.
  internal::Completion set[2];
  internal::Completion made[2];
  const auto set_next = [&](std::size_t i) {
    return [this, &next, done = std::make_shared<Transport::Done>(set[i].AnyDone())] {
      adapter().SetReceiver(&next);
      (*done)(absl::OkStatus());
    };
  };
  adapter().Subscribe(first_, kAlice, made[0].AnyDone(set_next(0)));
  report().ExpectOk(Get(set[0]), "SetReceiver from within the done of Subscribe");
  adapter().Publish(first_, kAlice, "x", made[1].AnyDone(set_next(1)));
  report().ExpectOk(Get(set[1]), "SetReceiver from within the done of Publish");
  MustSubscribe(adapter(), first_, kAlice);
  MustPublish(other(), first_, kAlice, "to the next");
  Await(next, "to the next");
  report().Expect(!mine_.has("to the next"), "the former receiver is still called");
  adapter().SetReceiver(nullptr);
}

void TransportTrial::SetReceiverWaits() {
  internal::Completion entered;
  internal::Completion leave;
  auto leave_done = leave.AnyDone();
  const auto entered_done = std::make_shared<Transport::Done>(entered.AnyDone());
  mine_.OnEachMessage([&](absl::string_view) {
    (*entered_done)(absl::OkStatus());
    (void)leave.Get(patience());
  });
  MustSubscribe(adapter(), first_, kAlice);
  std::thread publisher([&] { (void)Publish(other(), first_, kAlice, "x"); });
  (void)Get(entered);
  internal::Completion ended;
  std::thread ender([&, done = ended.AnyDone()] {
    adapter().SetReceiver(nullptr);
    report().Expect(!mine_.is_running(), "SetReceiver returns during a call of the former");
    done(absl::OkStatus());
  });
  (void)ended.Get(grace());
  leave_done(absl::OkStatus());
  publisher.join();
  ender.join();
}

void TransportTrial::PublishesToNobody() {
  MustPublish(adapter(), first_, kAlice, "x");
  MustSubscribe(other(), first_, kBob);
  MustSubscribe(other(), second_, kAlice);
  MustPublish(adapter(), first_, kAlice, "x");
  MustPublish(adapter(), first_, kBob, "end");
  Await(others_, "end");
  report().Expect(!others_.has("x"), "a message reaches another channel or server than its own");
}

void TransportTrial::RepeatsNothing() {
  if (!CanTakeDown()) return;
  MustPublish(adapter(), first_, kAlice, "before");
  subject().take_down(first_);
  report().Expect(!Publish(adapter(), first_, kAlice, "while down").ok(),
                  "Publish to a server that is down is Ok");
  subject().bring_up(first_);
  report().Expect(Eventually([&] { return Subscribe(other(), first_, kAlice).ok(); }),
                  "no Subscribe succeeds after a server has come back");
  report().Expect(Eventually([&] { return Publish(adapter(), first_, kAlice, "end").ok(); }),
                  "no Publish succeeds after a server has come back");
  Await(others_, "end");
  report().Expect(!others_.has("while down"), "a message is sent after its Publish has failed");
}

void TransportTrial::EachReceivesOnce() {
  for (int i = 0; i < 2; ++i) {
    MustSubscribe(adapter(), first_, kAlice);
    MustSubscribe(other(), first_, kAlice);
  }
  MustPublish(adapter(), first_, kAlice, "x");
  MustPublish(adapter(), first_, kAlice, "end");
  for (const internal::Inbox* inbox : {&mine_, &others_}) {
    Await(*inbox, "end");
    report().Expect(inbox->count("x") == 1,
                    absl::StrCat("a message reaches a subscriber ", inbox->count("x"), " times"));
  }
}

void TransportTrial::SubscribeNeedsAReceiver() {
  adapter().SetReceiver(nullptr);
  report().ExpectCode(Subscribe(adapter(), first_, kAlice), absl::StatusCode::kFailedPrecondition,
                      "Subscribe without a receiver");
}

void TransportTrial::UnsubscribesOneChannelOfOneServer() {
  for (const std::string& server : {first_, second_}) {
    for (const UserId channel : {kAlice, kBob}) MustSubscribe(adapter(), server, channel);
  }
  report().ExpectOk(Unsubscribe(adapter(), first_, kAlice), "Unsubscribe");
  MustPublish(other(), first_, kAlice, "to nobody");
  MustPublish(other(), first_, kBob, "another channel");
  MustPublish(other(), second_, kAlice, "another server");
  Await(mine_, "another channel");
  Await(mine_, "another server");
  report().Expect(!mine_.has("to nobody"), "messages come after Unsubscribe has completed");
}

void TransportTrial::UnsubscribesWhatIsNotSubscribedTo() {
  report().ExpectOk(Unsubscribe(adapter(), first_, kAlice), "Unsubscribe of nothing");
  MustSubscribe(adapter(), first_, kAlice);
  report().ExpectOk(Unsubscribe(adapter(), first_, kBob), "Unsubscribe of another channel");
  if (!subject().take_down) return;
  subject().take_down(first_);
  report().ExpectOk(Unsubscribe(adapter(), first_, kAlice),
                    "Unsubscribe from a server that is down");
}

// Of one publisher's messages on each server, which end in ascending numbers.
void TransportTrial::ExpectOrder(const internal::Inbox& inbox) {
  std::map<std::string, int> last;  // by server
  for (const internal::Inbox::Message& message : inbox.messages()) {
    const std::size_t space = message.payload.rfind(' ');
    int number = -1;
    if (!absl::SimpleAtoi(message.payload.substr(space + 1), &number)) continue;
    const auto [it, is_first] = last.try_emplace(message.server, number);
    report().Expect(is_first || it->second < number,
                    absl::StrCat("message ", number, " of one publisher comes after ", it->second));
    it->second = number;
  }
  report().Expect(!inbox.has_overlapped(), "the receiver's calls for one server overlap");
}

void TransportTrial::MessagesKeepTheirOrder() {
  constexpr int kMessages = 200;
  for (const std::string& server : {first_, second_}) {
    MustSubscribe(adapter(), server, kAlice);
    MustSubscribe(other(), server, kBob);
  }
  // Each publishes to the other.
  internal::InThreads(2, [this](std::size_t i) {
    Transport& from = i == 0 ? adapter() : other();
    const UserId channel = i == 0 ? kBob : kAlice;
    for (int message = 0; message < kMessages; ++message) {
      MustPublish(from, message % 3 == 0 ? second_ : first_, channel, absl::StrCat("of ", message));
    }
    for (const std::string& server : {first_, second_}) {
      MustPublish(from, server, channel, absl::StrCat("end on ", server));
    }
  });
  for (const internal::Inbox* inbox : {&mine_, &others_}) {
    for (const std::string& server : {first_, second_}) {
      Await(*inbox, absl::StrCat("end on ", server));
    }
    ExpectOrder(*inbox);
  }
}

void TransportTrial::LossIsTold() {
  if (!CanTakeDown()) return;
  for (const UserId channel : {kAlice, kBob}) MustSubscribe(adapter(), first_, channel);
  subject().take_down(first_);
  AwaitLost(1);
  report().ExpectCode(Subscribe(adapter(), first_, kAlice), absl::StatusCode::kUnavailable,
                      "Subscribe to a server that is down");
  report().ExpectCode(Publish(adapter(), first_, kAlice, "x"), absl::StatusCode::kUnavailable,
                      "Publish to a server that is down");
  report().Expect(mine_.lost(first_) == 1, "the receiver is told of one loss several times");
}

void TransportTrial::LinksUpAgain() {
  if (!CanTakeDown()) return;
  MustSubscribe(adapter(), first_, kAlice);
  subject().take_down(first_);
  AwaitLost(1);
  subject().bring_up(first_);
  report().Expect(Eventually([&] { return Publish(other(), first_, kAlice, "unheard").ok(); }),
                  "no Publish succeeds after a server has come back");
  report().Expect(Eventually([&] { return Subscribe(adapter(), first_, kAlice).ok(); }),
                  "no Subscribe succeeds after a server has come back");
  MustPublish(other(), first_, kAlice, "end");
  Await(mine_, "end");
  report().Expect(!mine_.has("unheard"), "a subscription outlives the loss of its link");
}

void TransportTrial::CallsFromWithinOnLinkLost() {
  if (!CanTakeDown()) return;
  std::vector<internal::TrialCall> calls = Calls();
  std::vector<internal::Completion> completions(calls.size());
  mine_.OnEachLoss([&](absl::string_view) {
    for (std::size_t i = 0; i < calls.size(); ++i) calls[i].start(completions[i], nullptr);
  });
  MustSubscribe(adapter(), first_, kAlice);
  subject().take_down(first_);
  AwaitLost(1);
  for (std::size_t i = 0; i < calls.size(); ++i) {
    report().Expect(!absl::IsDeadlineExceeded(Get(completions[i])),
                    absl::StrCat(calls[i].name, " from within OnLinkLost does not complete"));
  }
  adapter().SetReceiver(nullptr);
}

void TransportTrial::CheckSecondServer() {
  MustSubscribe(adapter(), second_, kCarol);
  MustPublish(other(), second_, kAlice, "to one who subscribed before");
  MustPublish(other(), second_, kCarol, "to one who subscribed after");
  Await(mine_, "to one who subscribed before");
  Await(mine_, "to one who subscribed after");
  report().Expect(mine_.lost(second_) == 0, "the link to another server is lost");
}

void TransportTrial::ADeadServerDelaysNoOther() {
  if (!CanTakeDown()) return;
  for (const std::string& server : {first_, second_}) MustSubscribe(adapter(), server, kAlice);
  subject().take_down(first_);
  internal::Completion to_the_dead;
  adapter().Publish(first_, kAlice, "x", to_the_dead.Done());
  CheckSecondServer();
  (void)Get(to_the_dead);
}

void TransportTrial::AStalledServerDelaysNoOther() {
  const auto& stall_server = subject().stall_server;
  if (!stall_server) return report().Skip("needs the hook stall_server");
  for (const std::string& server : {first_, second_}) MustSubscribe(adapter(), server, kAlice);
  stall_server(first_, true);
  internal::Completion to_the_stalled;
  adapter().Publish(first_, kBob, "x", to_the_stalled.Done());
  CheckSecondServer();
  stall_server(first_, false);
  (void)Get(to_the_stalled);
}

void TransportTrial::PayloadsAreBytes() {
  const std::size_t max_payload = adapter().max_payload();
  report().Expect(max_payload >= kLeastMaxPayload, "max_payload() is less than 64 KiB");
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  const std::vector<std::string> payloads = {"", std::string(1, '\0'), all, "\r\n$-1\r\n",
                                             std::string(max_payload, 'x')};
  MustSubscribe(adapter(), first_, kAlice);
  for (const std::string& payload : payloads) {
    MustPublish(other(), first_, kAlice, payload);
    report().Expect(Eventually([&] { return mine_.has(payload); }),
                    absl::StrCat("a payload of ", payload.size(), " bytes does not come as it is"));
  }
  report().ExpectCode(Publish(other(), first_, kAlice, std::string(max_payload + 1, 'x')),
                      absl::StatusCode::kInvalidArgument, "a payload that is too long");
}

void TransportTrial::ServersHaveNames() {
  report().ExpectCode(Publish(adapter(), "", kAlice, "x"), absl::StatusCode::kInvalidArgument,
                      "Publish to a server without a name");
  report().ExpectCode(Subscribe(adapter(), "", kAlice), absl::StatusCode::kInvalidArgument,
                      "Subscribe to a server without a name");
}

}  // namespace

std::vector<ConformanceCase> TransportConformance(const std::function<TransportUnderTest()>& make) {
  using T = TransportTrial;
  return internal::MakeCases<T>(
      {{1, "Completion", &T::Completion},
       {1, "CompletionWhileDown", &T::CompletionWhileDown},
       {2, "Blocking", &T::Blocking},
       {3, "CallsFromWithinDone", &T::CallsFromWithinDone},
       {3, "CallsFromWithinTheReceiver", &T::CallsFromWithinTheReceiver},
       {3, "Threads", &T::Threads},
       {4, "Destruction", &T::Destruction},
       {4, "SetReceiverEndsTheFormer", &T::SetReceiverEndsTheFormer},
       {4, "SetReceiverWaits", &T::SetReceiverWaits},
       {4, "SetReceiverFromWithinADone", &T::SetReceiverFromWithinADone},
       {5, "PublishesToNobody", &T::PublishesToNobody},
       {5, "RepeatsNothing", &T::RepeatsNothing},
       {6, "EachReceivesOnce", &T::EachReceivesOnce},
       {6, "SubscribeNeedsAReceiver", &T::SubscribeNeedsAReceiver},
       {7, "UnsubscribesOneChannelOfOneServer", &T::UnsubscribesOneChannelOfOneServer},
       {7, "UnsubscribesWhatIsNotSubscribedTo", &T::UnsubscribesWhatIsNotSubscribedTo},
       {8, "MessagesKeepTheirOrder", &T::MessagesKeepTheirOrder},
       {9, "LossIsTold", &T::LossIsTold},
       {9, "LinksUpAgain", &T::LinksUpAgain},
       {9, "CallsFromWithinOnLinkLost", &T::CallsFromWithinOnLinkLost},
       {10, "ADeadServerDelaysNoOther", &T::ADeadServerDelaysNoOther},
       {10, "AStalledServerDelaysNoOther", &T::AStalledServerDelaysNoOther},
       {11, "PayloadsAreBytes", &T::PayloadsAreBytes},
       {12, "ServersHaveNames", &T::ServersHaveNames}},
      make);
}

}  // namespace nearby
