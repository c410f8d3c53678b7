#ifndef BENCHMARKS_CAPACITY_SINK_H_
#define BENCHMARKS_CAPACITY_SINK_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "nearby/client_sink.h"
#include "nearby/effects.h"

namespace capacity {

/// What was delivered: how often, and a sum over hashes of each delivery's every byte. The sum does
/// not depend on the order, and two sums that agree mean the same deliveries.
struct Delivered {
  std::uint64_t count = 0;
  std::uint64_t checksum = 0;

  Delivered& operator+=(const Delivered& other) {
    count += other.count;
    checksum += other.checksum;
    return *this;
  }
  friend bool operator==(const Delivered& a, const Delivered& b) {
    return a.count == b.count && a.checksum == b.checksum;
  }
  friend bool operator!=(const Delivered& a, const Delivered& b) { return !(a == b); }
};

/// Where deliveries end: a client's share of a send buffer, in compact records of fixed size.
/// Engine and baseline write to the same kind of sink, so what is compared is what clients would
/// read.
///
/// Thread-compatible.
class Sink {
 public:
  /// Writes the deliveries to the buffer, behind what is there. This is part of what is measured.
  void Encode(absl::Span<const nearby::Delivery> deliveries);

  /// The same for what a runtime hands over to one client.
  void Encode(const nearby::ClientBatch& batch);

  /// Counts what the buffer holds and empties it. This is not.
  Delivered Take();

  /// Empties the buffer and answers how many deliveries it held: at no cost, for who has a pace to
  /// keep.
  std::uint64_t Discard();

 private:
  /// Room for so many records more.
  std::uint64_t* Append(std::size_t records);

  std::vector<std::uint64_t> buffer_;
  std::size_t used_ = 0;
};

}  // namespace capacity

#endif  // BENCHMARKS_CAPACITY_SINK_H_
