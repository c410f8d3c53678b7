#include "examples/echo_server/server.h"

#include <chrono>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "nearby/client_codec.h"
#include "nearby/clock.h"

namespace echo_server {
namespace {

// Connections that wait to be told that there are too many.
constexpr std::size_t kMaxRefusals = 64;
// So that /metrics shows what is, nearly.
constexpr absl::Duration kMetricsInterval = absl::Seconds(1);
// For goodbyes and answers at the very end.
constexpr std::chrono::milliseconds kStopInterval(50);
constexpr int kStopAttempts = 20;

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Create(const ServerOptions& options,
                                                       Authenticator authenticator,
                                                       EventLoops* loops,
                                                       const ServerStores& stores) {
  std::unique_ptr<Server> server(new Server(options, std::move(authenticator), loops, stores));
  if (absl::Status status = server->CreateRuntime(); !status.ok()) return status;
  for (std::size_t i = 0; i < loops->size(); ++i) {
    if (absl::Status status = server->CreateWorker(i); !status.ok()) return status;
  }
  if (absl::Status status = server->Listen(); !status.ok()) return status;
  return server;
}

Server::Server(const ServerOptions& options, Authenticator authenticator, EventLoops* loops,
               const ServerStores& stores)
    : options_(options),
      authenticator_(std::move(authenticator)),
      loops_(loops),
      stores_(stores),
      requests_(options.friend_requests),
      request_limit_({options.session.calls}),
      metrics_(&stats_, &requests_, &slots_, &requests_under_way_),
      slots_(options.max_connections),
      refusal_slots_(kMaxRefusals),
      // One for each connection, so that there is always one left.
      requests_under_way_(options.max_connections + kMaxRefusals),
      clients_(loops->size()),
      drain_timer_((*loops)[0].context()) {
  for (std::size_t i = 0; i < loops->size(); ++i) {
    workers_.push_back(std::make_unique<Worker>());
    workers_[i]->poller =
        std::make_unique<ShardPoller>(nearby::ShardId{static_cast<std::uint32_t>(i)}, &(*loops)[i]);
  }
}

absl::Status Server::CreateRuntime() {
  metrics_.Add(stores_.cluster);
  nearby::RuntimeOptions options = options_.runtime;
  options.shards = static_cast<std::uint32_t>(loops_->size());
  options.metrics_interval = kMetricsInterval;
  nearby::RuntimeHost host;
  host.sink = &clients_;
  host.friends = stores_.friends;
  host.locations = stores_.locations;
  host.cluster = stores_.cluster;
  host.metrics = &metrics_;
  host.wake = [this](nearby::ShardId shard) { workers_[nearby::ToInt(shard)]->poller->Wake(); };
  absl::StatusOr<std::unique_ptr<nearby::Runtime>> runtime =
      nearby::Runtime::Create(options, std::move(host));
  if (!runtime.ok()) return runtime.status();
  runtime_ = *std::move(runtime);
  return absl::OkStatus();
}

absl::Status Server::CreateWorker(std::size_t i) {
  Worker* const worker = workers_[i].get();
  EventLoop* const loop = &(*loops_)[i];
  nearby::ClientDecoderOptions decoder_options;
  decoder_options.max_frame_bytes = options_.connection.max_message_bytes;
  decoder_options.max_page_size = options_.max_page_size;
  absl::StatusOr<nearby::ClientDecoder> decoder = nearby::ClientDecoder::Create(decoder_options);
  if (!decoder.ok()) return decoder.status();
  worker->codec.decoder = *std::move(decoder);

  worker->sessions.runtime = runtime_.get();
  worker->sessions.connections = &clients_;
  worker->sessions.loop = loop;
  worker->sessions.codec = &worker->codec;
  worker->sessions.stats = &stats_;
  worker->sessions.is_draining = &is_draining_;
  worker->sessions.options = options_.session;

  Router::Parts parts;
  parts.api = {runtime_.get(), stores_.friends, &requests_, &worker->codec, loop};
  parts.authenticator = &authenticator_;
  parts.metrics = &metrics_;
  parts.requests = &request_limit_;
  parts.is_draining = &is_draining_;
  parts.cluster = stores_.cluster;
  worker->router = std::make_unique<Router>(parts);

  worker->connections = {loop,    worker->router.get(), &worker->sessions,
                         &stats_, &requests_under_way_, options_.connection};
  return absl::OkStatus();
}

absl::Status Server::Listen() {
  Listener::Parts parts;
  parts.loop = &(*loops_)[0];
  for (const std::unique_ptr<Worker>& worker : workers_) {
    parts.hosts.push_back(&worker->connections);
  }
  parts.slots = &slots_;
  parts.refusal_slots = &refusal_slots_;
  parts.stats = &stats_;
  absl::StatusOr<std::unique_ptr<Listener>> listener =
      Listener::Open(options_.address, options_.port, parts);
  if (!listener.ok()) return listener.status();
  listener_ = *std::move(listener);
  return absl::OkStatus();
}

void Server::Start() {
  for (const std::unique_ptr<Worker>& worker : workers_) worker->poller->Start(runtime_.get());
  listener_->Start();
}

void Server::Drain() {
  if (is_draining_.exchange(true)) return;
  (*loops_)[0].Post([this] { BeginDrain(); });
}

void Server::BeginDrain() {
  drain_timer_.expires_after(absl::ToChronoMilliseconds(options_.drain_timeout));
  drain_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) FinishDrain();
  });
  runtime_->Drain([this](const absl::Status&) {
    (*loops_)[0].Post([this] {
      is_drained_ = true;
      FinishDrain();
    });
  });
}

void Server::FinishDrain() {
  if (is_finishing_) return;
  is_finishing_ = true;
  listener_->Stop();
  clients_.ShutDown();
  StopWhenEmpty(kStopAttempts);
}

void Server::StopWhenEmpty(int attempts) {
  // After the drain timeout: those who were sent away have gone, and other nodes know it.
  const bool is_empty =
      is_drained_ && stats_.websockets.value() == 0 && requests_under_way_.used() == 0;
  if (attempts == 0 || is_empty) return loops_->Stop();
  drain_timer_.expires_after(kStopInterval);
  drain_timer_.async_wait([this, attempts](const boost::system::error_code& error) {
    if (!error) StopWhenEmpty(attempts - 1);
  });
}

}  // namespace echo_server
