#ifndef NEARBY_TESTS_WIRE_RANDOM_MESSAGES_H_
#define NEARBY_TESTS_WIRE_RANDOM_MESSAGES_H_

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "absl/time/time.h"
#include "nearby/client_codec.h"
#include "nearby/client_sink.h"
#include "nearby/engine.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/node_batch.h"
#include "nearby/time.h"

namespace nearby::test {

/// Valid messages of all kinds, with values small, large and at the ends of their ranges.
class RandomMessages {
 public:
  explicit RandomMessages(std::uint64_t seed) : random_(seed) {}

  std::uint64_t Below(std::uint64_t bound) { return random_() % bound; }
  /// Any 64 bits: small, large, and the ends.
  std::uint64_t Number();

  ClientCall Call();
  NearbyFriend Friend();
  NearbyPage Page();
  /// Of an update, with reasons that clients may not know among them.
  ClientEvent Event();
  std::vector<ClientEvent> Events();
  absl::Duration Wait();
  /// With the fields of its kind.
  NodeEvent EventOfNode();
  NodeBatch Batch();

 private:
  bool OneIn(std::uint64_t n) { return Below(n) == 0; }
  double Coordinate(double bound);
  LatLng Point() { return {Coordinate(90), Coordinate(180)}; }
  Position Place() { return Position::FromLatLng(Point()); }
  Time Instant();
  std::int64_t Distance();
  UserId User() { return UserId{Number()}; }
  PageToken Token() { return {Distance(), User()}; }
  ReportCall Report() { return {Point(), Instant()}; }
  InitCall Init();

  std::mt19937_64 random_;
};

}  // namespace nearby::test

#endif  // NEARBY_TESTS_WIRE_RANDOM_MESSAGES_H_
