#ifndef EXAMPLES_ECHO_SERVER_CONNECTION_SLOTS_H_
#define EXAMPLES_ECHO_SERVER_CONNECTION_SLOTS_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

namespace echo_server {

/// How many connections there may be at once. Thread-safe. A slot may outlive it: the last
/// connections go with their loop, after the server.
class ConnectionSlots {
 public:
  /// The place of one connection, free again when this goes; or none.
  class Slot {
   public:
    Slot() = default;
    Slot(Slot&&) = default;
    Slot& operator=(Slot&&) = delete;
    ~Slot() {
      if (used_ != nullptr) used_->fetch_sub(1);
    }

    explicit operator bool() const { return used_ != nullptr; }

   private:
    friend class ConnectionSlots;
    explicit Slot(std::shared_ptr<std::atomic<std::size_t>> used) : used_(std::move(used)) {}

    std::shared_ptr<std::atomic<std::size_t>> used_;
  };

  explicit ConnectionSlots(std::size_t max)
      : max_(max), used_(std::make_shared<std::atomic<std::size_t>>(0)) {}

  std::size_t used() const { return used_->load(); }

  /// None if all are taken.
  Slot Take() {
    if (used_->fetch_add(1) < max_) return Slot(used_);
    used_->fetch_sub(1);
    return Slot();
  }

 private:
  const std::size_t max_;
  const std::shared_ptr<std::atomic<std::size_t>> used_;
};

}  // namespace echo_server

#endif  // EXAMPLES_ECHO_SERVER_CONNECTION_SLOTS_H_
