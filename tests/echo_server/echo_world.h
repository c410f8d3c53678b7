#ifndef TESTS_ECHO_SERVER_ECHO_WORLD_H_
#define TESTS_ECHO_SERVER_ECHO_WORLD_H_

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "examples/echo_server/client_session.h"
#include "examples/echo_server/codec.h"
#include "examples/echo_server/connections.h"
#include "examples/echo_server/frame_channel.h"
#include "examples/echo_server/server_stats.h"
#include "examples/echo_server/task_queue.h"
#include "nearby/client_codec.h"
#include "nearby/in_memory_friend_store.h"
#include "nearby/runtime.h"
#include "nearby/server_codec.h"
#include "nearby/testing/scripted_friend_store.h"
#include "nearby/testing/simulated_clock.h"

namespace echo_server {

// A loop that runs when the test says so. For one thread.
class ManualQueue : public TaskQueue {
 public:
  void Post(Task task) override { tasks_.push_back(std::move(task)); }
  // Whether there was anything to run.
  bool RunAll();

 private:
  std::deque<Task> tasks_;
};

// The connection of a phone that keeps what it is sent.
class FakeChannel : public FrameChannel {
 public:
  struct Frame {
    nearby::WireFormat format;
    std::string bytes;
  };

  void Write(nearby::WireFormat format, absl::string_view frame) override;
  void Close(CloseCode code, absl::string_view reason) override;
  void Abort() override { is_aborted = true; }
  void SetDeadline(absl::Duration after) override { deadline = after; }

  std::vector<Frame> frames;
  bool is_writing = false;
  std::optional<CloseCode> close_code;
  std::string close_reason;
  bool is_aborted = false;
  absl::Duration deadline = absl::InfiniteDuration();
};

class EchoWorld;

// A phone, its connection and its session.
class Phone {
 public:
  Phone(EchoWorld* world, const Identity& identity);
  ~Phone() { session->OnClosed(); }

  // Says something, and takes all that comes of it.
  void Say(const nearby::ClientCall& call);
  void SayText(absl::string_view text);
  // What has come since the last call.
  std::vector<nearby::ServerMessage> Hear();
  // The one message that has come; fails the test if it is not one.
  nearby::ServerMessage HearOne();
  template <typename Message>
  Message HearOne();

  void Init(nearby::LatLng location);
  void Report(nearby::LatLng location);

  EchoWorld* const world;
  FakeChannel channel;
  std::shared_ptr<ClientSession> session;
  nearby::WireFormat format = nearby::WireFormat::kProtobuf;
  // False: writes begin and do not end, as for one who does not read.
  bool reads = true;
  std::size_t heard = 0;
};

template <typename Message>
Message Phone::HearOne() {
  const nearby::ServerMessage message = HearOne();
  const Message* const wanted = std::get_if<Message>(&message.message);
  if (wanted == nullptr) ADD_FAILURE() << "another kind of message: " << message.message.index();
  return wanted == nullptr ? Message() : *wanted;
}

// A server without sockets: a runtime, its clock, and the sessions' loop.
class EchoWorld {
 public:
  EchoWorld() : EchoWorld(nearby::RuntimeOptions()) {}
  explicit EchoWorld(const nearby::RuntimeOptions& options);

  // Until nobody has anything to do.
  void Settle();
  // Time passes; whose deadline it is, is told.
  void Pass(absl::Duration time);
  void Befriend(std::uint64_t a, std::uint64_t b);
  void Edit(nearby::FriendEdit::Kind kind, std::uint64_t user, std::uint64_t friend_id);

  nearby::SimulatedClock clock{nearby::Time::Millis(1'700'000'000'000)};
  nearby::InMemoryFriendStore friends;
  nearby::ScriptedFriendStore store{&friends};
  ServerStats stats;
  std::atomic<bool> is_draining{false};
  ManualQueue loop;
  Codec codec;
  Connections connections{1};
  std::unique_ptr<nearby::Runtime> runtime;
  ClientSessionHost host;
  std::vector<Phone*> phones;
};

}  // namespace echo_server

#endif  // TESTS_ECHO_SERVER_ECHO_WORLD_H_
