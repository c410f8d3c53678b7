#ifndef NEARBY_SRC_TESTING_INBOX_H_
#define NEARBY_SRC_TESTING_INBOX_H_

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "nearby/ids.h"
#include "nearby/transport.h"

namespace nearby::internal {

/// A receiver that keeps what comes in.
///
/// Thread-safe. No lock is held while a hook runs.
class Inbox : public Transport::Receiver {
 public:
  struct Message {
    std::string server;
    Channel channel;
    std::string payload;

    friend bool operator==(const Message& a, const Message& b) {
      return a.server == b.server && a.channel == b.channel && a.payload == b.payload;
    }
  };

  void OnMessage(absl::string_view server, Channel channel, absl::string_view payload) override {
    Begin(server);
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      messages_.push_back({Copy(server), channel, Copy(payload)});
    }
    if (on_message_) on_message_(payload);
    End(server);
  }

  void OnLinkLost(absl::string_view server, const absl::Status&) override {
    Begin(server);
    if (on_lost_) on_lost_(server);
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ++lost_[Copy(server)];
    }
    End(server);
  }

  std::vector<Message> messages() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return messages_;
  }
  std::size_t count(absl::string_view payload) const {
    const std::vector<Message> all = messages();
    return static_cast<std::size_t>(
        std::count_if(all.begin(), all.end(),
                      [&](const Message& message) { return message.payload == payload; }));
  }
  bool has(absl::string_view payload) const { return count(payload) > 0; }
  std::size_t lost(const std::string& server) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto it = lost_.find(server);
    return it == lost_.end() ? 0 : it->second;
  }
  /// Of any server.
  bool is_running() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return std::any_of(running_.begin(), running_.end(),
                       [](const auto& server) { return server.second > 0; });
  }
  bool has_overlapped() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return has_overlapped_;
  }

  /// Hooks, run within the calls. To be set before the first.
  void OnEachMessage(std::function<void(absl::string_view payload)> hook) {
    on_message_ = std::move(hook);
  }
  void OnEachLoss(std::function<void(absl::string_view server)> hook) {
    on_lost_ = std::move(hook);
  }

 private:
  static std::string Copy(absl::string_view view) { return {view.data(), view.size()}; }
  void Begin(absl::string_view server) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (++running_[Copy(server)] > 1) has_overlapped_ = true;
  }
  void End(absl::string_view server) {
    const std::lock_guard<std::mutex> lock(mutex_);
    --running_[Copy(server)];
  }

  std::function<void(absl::string_view)> on_message_;
  std::function<void(absl::string_view)> on_lost_;
  mutable std::mutex mutex_;
  std::vector<Message> messages_;
  std::map<std::string, std::size_t> lost_;
  std::map<std::string, int> running_;  // calls, by server
  bool has_overlapped_ = false;
};

}  // namespace nearby::internal

#endif  // NEARBY_SRC_TESTING_INBOX_H_
