#include "tests/echo_server/echo_world.h"

#include <algorithm>

#include "nearby/ids.h"

namespace echo_server {

using nearby::ServerMessage;
using nearby::UserId;

bool ManualQueue::RunAll() {
  const bool any = !tasks_.empty();
  while (!tasks_.empty()) {
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    task();
  }
  return any;
}

void FakeChannel::Write(nearby::WireFormat format, absl::string_view frame) {
  EXPECT_FALSE(is_writing) << "two frames at once";
  EXPECT_FALSE(close_code.has_value()) << "a frame after the goodbye";
  is_writing = true;
  frames.push_back({format, std::string(frame)});
}

void FakeChannel::Close(CloseCode code, absl::string_view reason) {
  EXPECT_FALSE(is_writing) << "closed in the middle of a frame";
  EXPECT_FALSE(close_code.has_value()) << "closed twice";
  close_code = code;
  close_reason = std::string(reason);
}

Phone::Phone(EchoWorld* w, const Identity& identity)
    : world(w), session(std::make_shared<ClientSession>(&w->host, &channel, identity)) {
  world->phones.push_back(this);
  session->Start();
}

void Phone::Say(const nearby::ClientCall& call) {
  std::string frame;
  nearby::ClientEncoder encoder;
  encoder.Encode(format, call, &frame);
  session->OnFrame(format, frame);
  world->Settle();
}

void Phone::SayText(absl::string_view text) {
  session->OnFrame(nearby::WireFormat::kJson, text);
  world->Settle();
}

std::vector<ServerMessage> Phone::Hear() {
  nearby::ServerDecoder decoder;
  std::vector<ServerMessage> messages;
  for (; heard < channel.frames.size(); ++heard) {
    const FakeChannel::Frame& frame = channel.frames[heard];
    absl::StatusOr<ServerMessage> message = decoder.Decode(frame.format, frame.bytes);
    EXPECT_TRUE(message.ok()) << message.status();
    if (message.ok()) messages.push_back(*std::move(message));
  }
  return messages;
}

ServerMessage Phone::HearOne() {
  const std::vector<ServerMessage> messages = Hear();
  EXPECT_EQ(messages.size(), 1u);
  return messages.empty() ? ServerMessage() : messages[0];
}

void Phone::Init(nearby::LatLng location) {
  Say({1, nearby::InitCall{nearby::ReportCall{location, world->clock.Now()}, {}}});
}

void Phone::Report(nearby::LatLng location) {
  Say({0, nearby::ReportCall{location, world->clock.Now()}});
}

EchoWorld::EchoWorld(const nearby::RuntimeOptions& options) {
  nearby::RuntimeHost runtime_host;
  runtime_host.sink = &connections;
  runtime_host.friends = &store;
  runtime_host.clock = &clock;
  runtime = nearby::Runtime::Create(options, std::move(runtime_host)).value();
  host.runtime = runtime.get();
  host.connections = &connections;
  host.loop = &loop;
  host.codec = &codec;
  host.stats = &stats;
  host.clock = &clock;
  host.is_draining = &is_draining;
}

void EchoWorld::Settle() {
  bool goes_on = true;
  while (goes_on) {
    runtime->PollAll();
    goes_on = loop.RunAll();
    for (Phone* const phone : phones) {
      if (!phone->channel.is_writing || !phone->reads) continue;
      phone->channel.is_writing = false;
      phone->session->OnWritten();
      goes_on = true;
    }
  }
}

void EchoWorld::Pass(absl::Duration time) {
  clock.Advance(time);
  for (Phone* const phone : phones) {
    if (phone->channel.deadline == absl::InfiniteDuration()) continue;
    phone->channel.deadline -= time;
    if (phone->channel.deadline > absl::ZeroDuration()) continue;
    phone->channel.deadline = absl::InfiniteDuration();
    phone->session->OnDeadline();
  }
  Settle();
}

void EchoWorld::Befriend(std::uint64_t a, std::uint64_t b) {
  Edit(nearby::FriendEdit::Kind::kBefriend, a, b);
}

void EchoWorld::Edit(nearby::FriendEdit::Kind kind, std::uint64_t user, std::uint64_t friend_id) {
  absl::Status status = absl::UnknownError("not completed");
  runtime->Edit({kind, UserId{user}, UserId{friend_id}},
                [&status](const auto& result) { status = result.status(); });
  Settle();
  EXPECT_TRUE(status.ok()) << status;
}

}  // namespace echo_server
