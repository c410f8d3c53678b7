#include "examples/phones/load_worker.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "examples/phones/fleet.h"
#include "examples/phones/load_board.h"
#include "examples/phones/load_driver.h"
#include "examples/phones/loop.h"
#include "examples/phones/phone_clock.h"
#include "examples/phones/websocket_client.h"
#include "nearby/ids.h"

namespace phones {
namespace {

constexpr absl::Duration kHangUpTimeout = absl::Seconds(3);

}  // namespace

absl::StatusOr<std::unique_ptr<LoadWorker>> LoadWorker::Create(const LoadWorld& world,
                                                               absl::Span<const ServerName> servers,
                                                               const Fleet::Options& fleet,
                                                               const LoadDriver::Options& driver,
                                                               LoadDriver::OnHeard on_heard) {
  auto loop = std::make_unique<Loop>();
  absl::StatusOr<std::unique_ptr<Dialer>> dialer = MakeDialer(servers, loop.get());
  if (!dialer.ok()) return dialer.status();
  return std::unique_ptr<LoadWorker>(new LoadWorker(world, std::move(loop), *std::move(dialer),
                                                    fleet, driver, std::move(on_heard)));
}

LoadWorker::LoadWorker(const LoadWorld& world, std::unique_ptr<Loop> loop,
                       std::unique_ptr<Dialer> dialer, const Fleet::Options& fleet,
                       const LoadDriver::Options& driver, LoadDriver::OnHeard on_heard)
    : clock_(world.clock),
      loop_(std::move(loop)),
      dialer_(std::move(dialer)),
      driver_(driver, world.board, world.paths, world.clock, std::move(on_heard)),
      fleet_(fleet, dialer_.get(), world.credentials, world.clock, &driver_),
      timer_(loop_.get(), [this] { Tick(); }) {
  const std::size_t phones = world.board->PhonesOf(driver.driver);
  for (std::size_t phone = 0; phone < phones; ++phone) {
    const nearby::UserId user = world.board->UserAt({driver.driver, phone});
    fleet_.Add(user, (*world.friends)[nearby::ToInt(user) - 1]);
  }
}

LoadWorker::~LoadWorker() {
  loop_->Stop();
  Join();
}

void LoadWorker::Start() {
  driver_.Begin(&fleet_);
  timer_.SetAfter(absl::ZeroDuration());
  thread_ = std::thread([this] { loop_->Run(); });
}

LoadWorker::Status LoadWorker::status() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return status_;
}

void LoadWorker::HearOf(std::size_t phone) {
  loop_->Post([this, phone] { driver_.Heard(phone); });
}

void LoadWorker::HangUp() {
  loop_->Post([this] {
    fleet_.HangUp();
    is_hanging_up_ = true;
    end_by_us_ = clock_->NowMicros() + absl::ToInt64Microseconds(kHangUpTimeout);
  });
}

void LoadWorker::Join() {
  if (thread_.joinable()) thread_.join();
}

void LoadWorker::Tick() {
  absl::Duration wait = absl::Milliseconds(5);
  if (!is_hanging_up_) {
    wait = driver_.Advance();
  } else if (fleet_.sockets() == 0 || clock_->NowMicros() >= end_by_us_) {
    return loop_->Stop();
  }
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    status_.online = fleet_.online();
    status_.alone_for = fleet_.alone_for();
    if (!fleet_.last_failure().empty()) status_.last_failure = fleet_.last_failure();
    status_.fleet = fleet_.status();
  }
  timer_.SetAfter(wait);
}

}  // namespace phones
