#include "benchmarks/capacity/sink.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "benchmarks/capacity/random.h"

namespace capacity {
namespace {

// Words of a record: the client's cookie, by which a host finds the connection, and what goes out
// to it: friend, time of the event, time of the friend's report, position, distance with kind and
// reason.
constexpr std::size_t kRecordWords = 6;

std::uint64_t PositionWord(nearby::Position position) {
  return std::uint64_t{static_cast<std::uint32_t>(position.lat_units())} << 32 |
         static_cast<std::uint32_t>(position.lng_units());
}

}  // namespace

void Sink::Encode(absl::Span<const nearby::Delivery> deliveries) {
  const std::size_t needed = used_ + deliveries.size() * kRecordWords;
  if (buffer_.size() < needed) buffer_.resize(std::max(needed, 2 * buffer_.size()));
  std::uint64_t* out = buffer_.data() + used_;
  for (const nearby::Delivery& delivery : deliveries) {
    out[0] = delivery.cookie;
    out[1] = nearby::ToInt(delivery.friend_id);
    out[2] = static_cast<std::uint64_t>(delivery.time.ms);
    out[3] = static_cast<std::uint64_t>(delivery.reported_at.ms);
    out[4] = PositionWord(delivery.position);
    // Half the earth's circumference in millimetres takes 35 bits.
    out[5] = static_cast<std::uint64_t>(delivery.distance_mm) << 16 |
             static_cast<std::uint64_t>(delivery.kind) << 8 |
             static_cast<std::uint64_t>(nearby::ReasonForClient(delivery.reason));
    out += kRecordWords;
  }
  used_ = needed;
}

Delivered Sink::Take() {
  Delivered delivered;
  delivered.count = used_ / kRecordWords;
  for (std::size_t i = 0; i < used_; i += kRecordWords) {
    std::uint64_t hash = 0;
    for (std::size_t j = 0; j < kRecordWords; ++j) hash = Mix(hash + kGoldenRatio + buffer_[i + j]);
    delivered.checksum += hash;
  }
  used_ = 0;
  return delivered;
}

}  // namespace capacity
