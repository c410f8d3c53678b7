#include "src/runtime/mailbox.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <mutex>
#include <utility>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "nearby/effects.h"
#include "nearby/engine.h"
#include "src/runtime/calls.h"

namespace nearby::internal {

void Mailbox::Contents::Clear() {
  reports.clear();
  calls.clear();
  messages.Clear();
}

Mailbox::Mailbox(const Options& options, std::function<void()> wake)
    : options_(options), max_messages_(options.max_messages), wake_(std::move(wake)) {}

std::size_t Mailbox::AddReports(absl::Span<const LocationReport> reports) {
  std::unique_lock<std::mutex> lock(mutex_);
  const std::size_t room =
      options_.max_reports - std::min(options_.max_reports, contents_.reports.size());
  const std::size_t taken = std::min(room, reports.size());
  contents_.reports.insert(contents_.reports.end(), reports.begin(), reports.begin() + taken);
  counts_.reports_refused += reports.size() - taken;
  if (taken > 0) WakeIfIdle(std::move(lock));
  return taken;
}

bool Mailbox::AddCall(Call& call) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (unfinished_calls_ >= options_.max_calls) {
    ++counts_.calls_refused;
    return false;
  }
  ++unfinished_calls_;
  contents_.calls.push_back(std::move(call));
  WakeIfIdle(std::move(lock));
  return true;
}

void Mailbox::AddUnrefusable(Call call) {
  std::unique_lock<std::mutex> lock(mutex_);
  contents_.calls.push_back(std::move(call));
  WakeIfIdle(std::move(lock));
}

void Mailbox::AddMessages(const PeerItems& items) {
  std::unique_lock<std::mutex> lock(mutex_);
  PeerItems& waiting = contents_.messages;
  auto fence = items.fences.begin();
  for (std::size_t i = 0; i <= items.messages.size(); ++i) {
    for (; fence != items.fences.end() && fence->behind == i; ++fence) waiting.Add(*fence);
    if (i == items.messages.size()) break;
    const PeerMessage& message = items.messages[i];
    if (waiting.size() >= options_.max_messages && message.kind == PeerMessage::Kind::kLocation) {
      ++counts_.locations_dropped;
      continue;
    }
    waiting.Add(message);
  }
  waiting_messages_.store(waiting.size(), std::memory_order_relaxed);
  WakeIfIdle(std::move(lock));
}

void Mailbox::WakeIfIdle(std::unique_lock<std::mutex> lock) {
  const bool was_idle = std::exchange(is_idle_, false);
  lock.unlock();
  if (!was_idle) return;
  changed_.notify_one();
  if (wake_) wake_();
}

void Mailbox::Take(Contents* contents) {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::swap(*contents, contents_);
  // Whatever comes from now on is news to the taker, who may be at work still: better one wake too
  // many than one that is lost.
  is_idle_ = true;
  waiting_messages_.store(0, std::memory_order_relaxed);
}

void Mailbox::FinishCalls(std::size_t count) {
  if (count == 0) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  unfinished_calls_ -= count;
}

bool Mailbox::is_empty() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return contents_.empty();
}

void Mailbox::Wait(absl::Duration timeout) {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait_for(lock, absl::ToChronoMilliseconds(timeout),
                    [this] { return !is_idle_ || is_interrupted_; });
}

void Mailbox::Interrupt() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    is_interrupted_ = true;
  }
  changed_.notify_all();
}

Mailbox::Counts Mailbox::counts() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  Counts counts = counts_;
  counts.reports = contents_.reports.size();
  counts.calls = unfinished_calls_;
  counts.messages = contents_.messages.size();
  return counts;
}

}  // namespace nearby::internal
