#include "examples/echo_server/outbox.h"

#include <utility>

namespace echo_server {

bool Outbox::Push(OutgoingFrame frame, const Limits& limits) {
  if (!frame.is_batch) {
    if (answers_ >= limits.max_answers) return false;
    if (answers_ > 0 && answer_bytes_ + frame.bytes.size() > limits.max_bytes) return false;
    ++answers_;
    answer_bytes_ += frame.bytes.size();
  }
  frames_.push_back(std::make_unique<OutgoingFrame>(std::move(frame)));
  return true;
}

void Outbox::Pop() {
  const OutgoingFrame& frame = *frames_.front();
  if (!frame.is_batch) {
    --answers_;
    answer_bytes_ -= frame.bytes.size();
  }
  frames_.erase(frames_.begin());
  if (frames_.empty()) frames_.shrink_to_fit();
}

}  // namespace echo_server
