#ifndef EXAMPLES_PHONES_LOAD_WORKER_H_
#define EXAMPLES_PHONES_LOAD_WORKER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "examples/phones/credentials.h"
#include "examples/phones/fleet.h"
#include "examples/phones/load_board.h"
#include "examples/phones/load_driver.h"
#include "examples/phones/loop.h"
#include "examples/phones/phone_clock.h"
#include "examples/phones/report.h"
#include "examples/phones/tally.h"
#include "examples/phones/websocket_client.h"
#include "nearby/ids.h"

namespace phones {

/// Friends of each user, from 1 on, ascending.
using FriendLists = std::vector<std::vector<nearby::UserId>>;

/// What the workers of a load share. All of it outlives them.
struct LoadWorld {
  const Credentials* credentials = nullptr;
  const PhoneClock* clock = nullptr;
  LoadBoard* board = nullptr;
  const Paths* paths = nullptr;
  const FriendLists* friends = nullptr;
};

/// One thread of a load: a loop, its phones, and what drives them.
///
/// Thread-compatible; the loop's thread is inside between Start and Join. Status and HearOf are
/// thread-safe.
class LoadWorker {
 public:
  /// How it is doing.
  struct Status {
    std::size_t online = 0;
    absl::Duration alone_for;  ///< See Fleet.
    std::string last_failure;
    absl::Status fleet;
  };

  /// `on_heard`: see LoadDriver. `Unavailable`: there is no such host.
  static absl::StatusOr<std::unique_ptr<LoadWorker>> Create(const LoadWorld& world,
                                                            absl::Span<const ServerName> servers,
                                                            const Fleet::Options& fleet,
                                                            const LoadDriver::Options& driver,
                                                            LoadDriver::OnHeard on_heard);
  ~LoadWorker();
  LoadWorker(const LoadWorker&) = delete;
  LoadWorker& operator=(const LoadWorker&) = delete;

  void Start();
  Status status() const;
  /// All who see that phone have heard of its report, as another worker has noticed.
  void HearOf(std::size_t phone);
  /// Says goodbye to the server; the thread then ends.
  void HangUp();
  void Join();

  // After Join.
  const Tally& tally() const { return fleet_.tally(); }
  const LoadFigures& figures() const { return driver_.figures(); }

 private:
  LoadWorker(const LoadWorld& world, std::unique_ptr<Loop> loop, std::unique_ptr<Dialer> dialer,
             const Fleet::Options& fleet, const LoadDriver::Options& driver,
             LoadDriver::OnHeard on_heard);

  void Tick();

  const PhoneClock* const clock_;
  const std::unique_ptr<Loop> loop_;
  const std::unique_ptr<Dialer> dialer_;
  LoadDriver driver_;
  Fleet fleet_;
  Loop::Timer timer_;
  bool is_hanging_up_ = false;
  std::int64_t end_by_us_ = 0;

  mutable std::mutex mutex_;
  Status status_;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace phones

#endif  // EXAMPLES_PHONES_LOAD_WORKER_H_
