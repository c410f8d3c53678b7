#ifndef NEARBY_TESTS_PHONES_FAKE_NETWORK_H_
#define NEARBY_TESTS_PHONES_FAKE_NETWORK_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "examples/phones/phone_clock.h"
#include "examples/phones/websocket.h"
#include "nearby/client_codec.h"
#include "nearby/server_codec.h"
#include "nearby/wire_format.h"

namespace phones {

/// A clock that stands still until it is set.
class FakeClock : public PhoneClock {
 public:
  std::int64_t NowMicros() const override { return now_us_; }
  void Pass(absl::Duration duration) { now_us_ += absl::ToInt64Microseconds(duration); }

 private:
  std::int64_t now_us_ = 1'700'000'000'000'000;
};

/// Connections that a test plays the server of: each has a number, in the order of dialling.
class FakeNetwork : public Dialer {
 public:
  std::unique_ptr<WebSocket> Dial(const DialRequest& request,
                                  WebSocketListener* listener) override {
    ends_.push_back(std::make_shared<End>());
    ends_.back()->request = request;
    ends_.back()->listener = listener;
    return std::make_unique<Socket>(ends_.back());
  }

  std::size_t dialled() const { return ends_.size(); }
  const DialRequest& request(std::size_t number) const { return ends_[number]->request; }
  /// Whether the phone has said goodbye, or dropped the connection.
  bool is_closing(std::size_t number) const { return ends_[number]->is_closing; }
  bool is_destroyed(std::size_t number) const { return ends_[number]->listener == nullptr; }

  /// What has been sent since the last time.
  std::vector<nearby::ClientCall> TakeCalls(std::size_t number) {
    std::vector<nearby::ClientCall> calls;
    for (const std::string& frame : ends_[number]->frames) {
      calls.push_back(decoder_.Decode(nearby::WireFormat::kProtobuf, frame).value());
    }
    ends_[number]->frames.clear();
    return calls;
  }

  void Open(std::size_t number) { ends_[number]->listener->OnOpen(); }
  void Deliver(std::size_t number, absl::string_view frame) {
    ends_[number]->listener->OnFrame(nearby::WireFormat::kProtobuf, frame);
  }
  void Close(std::size_t number, const Closure& closure) {
    ends_[number]->listener->OnClosed(closure);
  }
  /// From now on the server reads nothing on this connection.
  void Stall(std::size_t number) { ends_[number]->is_stalled = true; }

 private:
  struct End {
    DialRequest request;
    WebSocketListener* listener = nullptr;  // null once the phone's end is gone
    std::vector<std::string> frames;
    bool is_closing = false;
    bool is_stalled = false;
  };

  class Socket : public WebSocket {
   public:
    explicit Socket(std::shared_ptr<End> end) : end_(std::move(end)) {}
    ~Socket() override { end_->listener = nullptr; }

    bool Send(nearby::WireFormat /*format*/, absl::string_view frame) override {
      if (end_->is_stalled) return false;
      end_->frames.emplace_back(frame);
      return true;
    }
    void Close() override { end_->is_closing = true; }

   private:
    const std::shared_ptr<End> end_;
  };

  std::vector<std::shared_ptr<End>> ends_;
  nearby::ClientDecoder decoder_;
};

}  // namespace phones

#endif  // NEARBY_TESTS_PHONES_FAKE_NETWORK_H_
