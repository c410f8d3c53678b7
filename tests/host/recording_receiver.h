#ifndef NEARBY_TESTS_HOST_RECORDING_RECEIVER_H_
#define NEARBY_TESTS_HOST_RECORDING_RECEIVER_H_

#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "nearby/ids.h"
#include "nearby/transport.h"

namespace nearby::test {

/// Writes down what comes in, a line each: "server/channel payload", or "server lost". Fails the
/// test if calls of one server overlap. Thread-safe.
class RecordingReceiver : public Transport::Receiver {
 public:
  using Hook =
      std::function<void(absl::string_view server, Channel channel, absl::string_view payload)>;

  void OnMessage(absl::string_view server, Channel channel, absl::string_view payload) override {
    Begin(server, absl::StrCat(server, "/", channel.kind == Channel::Kind::kInbox ? "inbox " : "",
                               channel.id, " ", payload));
    if (on_message) on_message(server, channel, payload);
    End(server);
  }

  void OnLinkLost(absl::string_view server, const absl::Status& why) override {
    Begin(server, absl::StrCat(server, " lost"));
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      reasons_.push_back(why.code());
    }
    if (on_lost) on_lost(server);
    End(server);
  }

  std::vector<std::string> lines() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return lines_;
  }
  /// The lines since the last call of it.
  std::vector<std::string> TakeLines() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return std::exchange(lines_, {});
  }
  std::vector<absl::StatusCode> reasons() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return reasons_;
  }
  bool is_running() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return !running_.empty();
  }

  /// Run within the calls, without a lock. To be set before the first.
  Hook on_message;
  std::function<void(absl::string_view server)> on_lost;

 private:
  void Begin(absl::string_view server, std::string line) {
    const std::lock_guard<std::mutex> lock(mutex_);
    EXPECT_TRUE(running_.insert(std::string(server)).second) << "calls of one server overlap";
    lines_.push_back(std::move(line));
  }
  void End(absl::string_view server) {
    const std::lock_guard<std::mutex> lock(mutex_);
    running_.erase(std::string(server));
  }

  mutable std::mutex mutex_;
  std::set<std::string> running_;
  std::vector<std::string> lines_;
  std::vector<absl::StatusCode> reasons_;
};

}  // namespace nearby::test

#endif  // NEARBY_TESTS_HOST_RECORDING_RECEIVER_H_
