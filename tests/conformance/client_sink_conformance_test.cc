// A client sink for each clause that keeps all but that one: the suite must say which.

#include "nearby/testing/client_sink_conformance.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/client_sink.h"
#include "nearby/testing/recording_client_sink.h"
#include "tests/conformance/failed_clauses.h"

namespace nearby {
namespace {

using Events = std::vector<ClientEvent>;
using Flow = ClientSink::Flow;

constexpr std::size_t kMaxUnread = 1'000;

enum class Flaw {
  kNone,
  kTellsTheWrongClient,
  kTurnsBatchesRound,
  kBlocks,
  kKeepsSpans,
  kIsNeverReady,
  kIsNeverBusy,
};

// The connections of a small host: what a client has not read waits in a buffer.
class SmallHost {
 public:
  explicit SmallHost(Flaw flaw) : flaw_(flaw) {}

  void Connect(std::uint64_t cookie) {
    const std::lock_guard<std::mutex> lock(mutex_);
    clients_[cookie];
  }
  void Disconnect(std::uint64_t cookie) {
    const std::lock_guard<std::mutex> lock(mutex_);
    clients_.erase(cookie);
  }
  Flow Write(std::uint64_t cookie, absl::Span<const ClientEvent> events);
  void Stall(bool on);
  Events Read(std::uint64_t cookie) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return clients_[cookie].read;
  }
  std::size_t ReadyCalls(std::uint64_t cookie) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return clients_[cookie].ready_calls;
  }

 private:
  struct Client {
    std::vector<absl::Span<const ClientEvent>> spans;  // for the flaw
    Events unread;
    Events read;
    bool is_busy = false;
    std::size_t ready_calls = 0;
  };

  void Flush(Client& client) const;

  const Flaw flaw_;
  std::mutex mutex_;
  std::condition_variable resumed_;
  bool is_stalled_ = false;
  std::map<std::uint64_t, Client> clients_;
};

Flow SmallHost::Write(std::uint64_t cookie, absl::Span<const ClientEvent> events) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (flaw_ == Flaw::kBlocks) resumed_.wait(lock, [this] { return !is_stalled_; });
  auto it = clients_.find(cookie);
  if (it == clients_.end() && flaw_ == Flaw::kTellsTheWrongClient) it = clients_.begin();
  if (it == clients_.end()) return Flow::kReady;
  Client& client = it->second;
  // Of two events: those of the test that keeps them alive.
  if (flaw_ == Flaw::kKeepsSpans && is_stalled_ && events.size() == 2) {
    client.spans.push_back(events);
  } else {
    client.unread.insert(client.unread.end(), events.begin(), events.end());
  }
  if (flaw_ == Flaw::kTurnsBatchesRound && events.size() == 3) {
    std::reverse(client.unread.end() - 3, client.unread.end());
  }
  if (!is_stalled_) Flush(client);
  client.is_busy = client.unread.size() > kMaxUnread && flaw_ != Flaw::kIsNeverBusy;
  return client.is_busy ? Flow::kBusy : Flow::kReady;
}

void SmallHost::Flush(Client& client) const {
  for (const auto span : client.spans) {
    client.read.insert(client.read.end(), span.begin(), span.end());
  }
  client.spans.clear();
  client.read.insert(client.read.end(), client.unread.begin(), client.unread.end());
  client.unread.clear();
  if (std::exchange(client.is_busy, false) && flaw_ != Flaw::kIsNeverReady) ++client.ready_calls;
}

void SmallHost::Stall(bool on) {
  const std::lock_guard<std::mutex> lock(mutex_);
  is_stalled_ = on;
  resumed_.notify_all();
  if (on) return;
  for (auto& [cookie, client] : clients_) Flush(client);
}

class SmallSink : public ClientSink {
 public:
  explicit SmallSink(SmallHost* host) : host_(host) {}

  Flow Deliver(const ClientBatch& batch) override {
    return host_->Write(batch.cookie, batch.events);
  }
  void Ended(SessionId, std::uint64_t cookie, EndReason) override { host_->Disconnect(cookie); }

 private:
  SmallHost* const host_;
};

std::vector<ConformanceCase> Cases(Flaw flaw) {
  return ClientSinkConformance([=] {
    const auto host = std::make_shared<SmallHost>(flaw);
    ClientSinkUnderTest test;
    test.keeps = host;
    test.adapter = std::make_unique<SmallSink>(host.get());
    test.connect = [host](std::uint64_t cookie, UserId) { host->Connect(cookie); };
    test.disconnect = [host](std::uint64_t cookie) { host->Disconnect(cookie); };
    test.received = [host](std::uint64_t cookie) { return host->Read(cookie); };
    test.stall = [host](bool on) { host->Stall(on); };
    test.ready_calls = [host](std::uint64_t cookie) { return host->ReadyCalls(cookie); };
    test.patience = absl::Seconds(2);
    return test;
  });
}

TEST(ClientSinkConformanceTest, PassesWhatIsRight) {
  test::ExpectFails(0, Cases(Flaw::kNone));
  EXPECT_THAT(test::SkippedCases(Cases(Flaw::kNone)), ::testing::IsEmpty());
}

TEST(ClientSinkConformanceTest, FindsEachFlaw) {
  test::ExpectFails(1, Cases(Flaw::kTellsTheWrongClient));
  test::ExpectFails(2, Cases(Flaw::kTurnsBatchesRound));
  test::ExpectFails(3, Cases(Flaw::kBlocks));
  test::ExpectFails(3, Cases(Flaw::kKeepsSpans));
  test::ExpectFails(4, Cases(Flaw::kIsNeverReady));
}

TEST(ClientSinkConformanceTest, SaysThatASinkIsNeverBusy) {
  test::ExpectFails(0, Cases(Flaw::kIsNeverBusy));
  EXPECT_THAT(test::SkippedCases(Cases(Flaw::kIsNeverBusy)),
              ::testing::ElementsAre("Clause4IsReadyAgain"));
}

TEST(ClientSinkConformanceTest, PassesTheRecordingSink) {
  const auto cases = ClientSinkConformance([] {
    auto sink = std::make_unique<RecordingClientSink>();
    RecordingClientSink* const borrowed = sink.get();
    ClientSinkUnderTest test;
    test.adapter = std::move(sink);
    test.connect = [=](std::uint64_t cookie, UserId user) { borrowed->Connected(cookie, user); };
    test.disconnect = [=](std::uint64_t cookie) { borrowed->Disconnected(cookie); };
    test.received = [=](std::uint64_t cookie) {
      Events events;
      for (const auto& batch : borrowed->batches(cookie)) {
        events.insert(events.end(), batch.events.begin(), batch.events.end());
      }
      return events;
    };
    return test;
  });
  test::ExpectFails(0, cases);
  EXPECT_THAT(test::SkippedCases(cases),
              ::testing::ElementsAre("Clause3Blocking", "Clause4IsReadyAgain"));
}

}  // namespace
}  // namespace nearby
