#include "benchmarks/scenarios/shard_mail.h"

#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

namespace scenarios {

using nearby::PeerMessage;
using nearby::ShardId;

void ShardMail::Send(ShardId to, std::vector<PeerMessage>* messages) {
  if (messages->empty()) return;
  Box& box = boxes_[ToInt(to)];
  ++open_;
  {
    const std::lock_guard<std::mutex> lock(box.mutex);
    ++box.sendings;
    if (box.mail.empty()) {
      std::swap(box.mail, *messages);
    } else {
      box.mail.insert(box.mail.end(), messages->begin(), messages->end());
    }
  }
  box.changed.notify_one();
  messages->clear();
}

void ShardMail::Take(ShardId shard, std::vector<PeerMessage>* mail) {
  mail->clear();
  Box& box = boxes_[ToInt(shard)];
  const std::lock_guard<std::mutex> lock(box.mutex);
  std::swap(box.mail, *mail);
  open_ -= std::exchange(box.sendings, 0);
}

bool ShardMail::Await(ShardId shard, std::vector<PeerMessage>* mail) {
  mail->clear();
  Box& box = boxes_[ToInt(shard)];
  if (--open_ == 0) {
    // Nobody can be between a look at `open_` and falling asleep while this holds the lock.
    for (Box& other : boxes_) {
      const std::lock_guard<std::mutex> lock(other.mutex);
      other.changed.notify_one();
    }
    return false;
  }
  std::unique_lock<std::mutex> lock(box.mutex);
  box.changed.wait(lock, [this, &box] { return !box.mail.empty() || open_ == 0; });
  if (box.mail.empty()) return false;
  std::swap(box.mail, *mail);
  // At work again.
  open_ += 1 - std::exchange(box.sendings, 0);
  return true;
}

}  // namespace scenarios
