#ifndef NEARBY_SRC_RUNTIME_MAILBOX_H_
#define NEARBY_SRC_RUNTIME_MAILBOX_H_

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "nearby/engine.h"
#include "src/runtime/calls.h"

namespace nearby::internal {

// Where other threads leave what a shard is to do. Three lanes, each in order and with a limit of
// its own, so that reports never crowd out control; what must not be refused has no limit here,
// because its sender has one.
//
// Thread-safe; one thread takes.
class Mailbox {
 public:
  struct Options {
    std::size_t max_reports = 0;
    std::size_t max_calls = 0;
    std::size_t max_messages = 0;
  };

  // Lanes as they are taken.
  struct Contents {
    std::vector<LocationReport> reports;
    std::vector<Call> calls;
    PeerItems messages;

    bool empty() const { return reports.empty() && calls.empty() && messages.empty(); }
    void Clear();
  };

  // What was let in or refused so far, and what waits.
  struct Counts {
    std::uint64_t reports_refused = 0;
    std::uint64_t calls_refused = 0;
    std::uint64_t locations_dropped = 0;
    std::size_t reports = 0;
    std::size_t calls = 0;
    std::size_t messages = 0;
  };

  // `wake` is called, outside the lock, when the first thing comes after a Take.
  Mailbox(const Options& options, std::function<void()> wake);
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  // Takes as many as there is room for, from the first on; returns how many.
  std::size_t AddReports(absl::Span<const LocationReport> reports);
  // False if there is no room; the call is then left as it was. A call that was let in counts until
  // FinishCalls.
  bool AddCall(Call& call);
  void AddUnrefusable(Call call);
  // Reports of users elsewhere are dropped where there is no room: the next one makes up for it.
  // Answers are not: whoever has asked would wait for them.
  void AddMessages(const PeerItems& items);
  // Whether more messages wait than there should.
  bool is_behind() const {
    return waiting_messages_.load(std::memory_order_relaxed) > max_messages_;
  }

  // Swaps what waits for `contents`, which must be empty. The next to come wakes.
  void Take(Contents* contents);
  void FinishCalls(std::size_t count);

  bool is_empty() const;

  // Waits until something comes or Interrupt is called, but no longer than that.
  void Wait(absl::Duration timeout);
  void Interrupt();

  Counts counts() const;

 private:
  // Ends a change of the lanes: wakes the taker if they were empty.
  void WakeIfIdle(std::unique_lock<std::mutex> lock);

  const Options options_;
  const std::size_t max_messages_;
  const std::function<void()> wake_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Contents contents_;
  bool is_idle_ = true;
  bool is_interrupted_ = false;
  std::size_t unfinished_calls_ = 0;
  Counts counts_;
  std::atomic<std::size_t> waiting_messages_{0};
};

}  // namespace nearby::internal

#endif  // NEARBY_SRC_RUNTIME_MAILBOX_H_
