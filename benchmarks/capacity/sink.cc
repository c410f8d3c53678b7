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

/// Of a Delivery or a ClientEvent.
template <typename Event>
void WriteRecord(std::uint64_t cookie, const Event& event, std::uint64_t* out) {
  out[0] = cookie;
  out[1] = nearby::ToInt(event.friend_id);
  out[2] = static_cast<std::uint64_t>(event.time.ms);
  out[3] = static_cast<std::uint64_t>(event.reported_at.ms);
  out[4] = PositionWord(event.position);
  // Half the earth's circumference in millimetres takes 35 bits.
  out[5] = static_cast<std::uint64_t>(event.distance_mm) << 16 |
           static_cast<std::uint64_t>(event.kind) << 8 |
           static_cast<std::uint64_t>(nearby::ReasonForClient(event.reason));
}

}  // namespace

std::uint64_t* Sink::Append(std::size_t records) {
  const std::size_t needed = used_ + records * kRecordWords;
  if (buffer_.size() < needed) buffer_.resize(std::max(needed, 2 * buffer_.size()));
  std::uint64_t* out = buffer_.data() + used_;
  used_ = needed;
  return out;
}

void Sink::Encode(absl::Span<const nearby::Delivery> deliveries) {
  std::uint64_t* out = Append(deliveries.size());
  for (const nearby::Delivery& delivery : deliveries) {
    WriteRecord(delivery.cookie, delivery, out);
    out += kRecordWords;
  }
}

void Sink::Encode(const nearby::ClientBatch& batch) {
  std::uint64_t* out = Append(batch.events.size());
  for (const nearby::ClientEvent& event : batch.events) {
    WriteRecord(batch.cookie, event, out);
    out += kRecordWords;
  }
}

std::uint64_t Sink::Discard() {
  const std::size_t records = used_ / kRecordWords;
  used_ = 0;
  return records;
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
