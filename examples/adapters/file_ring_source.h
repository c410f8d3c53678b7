#ifndef EXAMPLES_ADAPTERS_FILE_RING_SOURCE_H_
#define EXAMPLES_ADAPTERS_FILE_RING_SOURCE_H_

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "nearby/hash_ring.h"
#include "nearby/in_memory_ring_source.h"
#include "nearby/ring_source.h"

namespace adapters {

/// A ring in a file (RingFile), which is looked at again and again: service discovery for a few
/// nodes on one machine, or on a disk that they share.
///
///   FileRingSource source("/etc/nearby/ring", {});
///   if (!source.first_read().ok()) return source.first_read();
///   cluster_host.ring = &source;
///
/// Whoever changes the ring writes another file, with a higher version, and renames it to this
/// one: a rename takes the old one's place at one instant. What is no ring, or an older one, is
/// complained of once and otherwise passed over: the last ring stays.
///
/// Thread-safe. Watchers are called by the source's own thread, or by that which begins to watch.
/// Ownership: owns the thread.
/// Cost: a read of the file at each interval; for each new ring 50 to 100 ms of the thread's time.
class FileRingSource : public nearby::RingSource {
 public:
  struct Options {
    absl::Duration interval = absl::Milliseconds(200);
    /// Whether the transport can do with a seat's server: a ring with one that it cannot is passed
    /// over as well. Absent: any will do.
    std::function<absl::Status(const nearby::RingSeat& seat)> check_seat = nullptr;
    /// Told of each file that cannot be taken, once, and of each file that is gone. On the source's
    /// thread.
    std::function<void(const absl::Status& why)> complain = nullptr;
  };

  /// Reads the file before it returns.
  FileRingSource(std::string path, Options options);
  ~FileRingSource() override;

  /// How the first read went. `NotFound`: there is no such file; `InvalidArgument`: it is no ring.
  /// The source goes on looking all the same.
  const absl::Status& first_read() const { return first_read_; }

  std::unique_ptr<Watcher> Watch(Changed changed) override;

 private:
  // Takes what the file says, if that is news.
  absl::Status Look();
  absl::Status Take(const std::string& text);
  void KeepLooking();

  const std::string path_;
  const Options options_;
  // What watchers are told, and in which order, is the same for every source.
  nearby::InMemoryRingSource rings_;
  std::optional<std::string> text_;  // as last read; of the thread alone
  bool is_missing_ = false;
  absl::Status first_read_;

  std::mutex mutex_;
  std::condition_variable stopping_;
  bool is_stopping_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace adapters

#endif  // EXAMPLES_ADAPTERS_FILE_RING_SOURCE_H_
