#include "tests/sim/rings.h"

#include <string>

#include "nearby/hash_ring.h"

namespace nearby::sim {

std::vector<RingSource::Ring> MakeRings() {
  const std::vector<std::vector<RingSeat>> seats = {
      {{"a", 100, "s1"}, {"b", 100, "s2"}},
      {{"a", 100, "s1"}, {"b", 100, "s2"}, {"c", 100, "s3"}},
      {{"a", 100, "s1"}, {"c", 100, "s3"}},
      {{"a", 100, "s4"}, {"c", 100, "s3"}},
      {{"a", 100, "s4"}, {"b", 100, "s2"}, {"c", 100, "s3"}},
      {{"a", 100, "s1"}, {"b", 100, "s2"}, {"c", 100, "s3"}},
      {{"b", 100, "s2"}, {"c", 100, "s1"}},
      {{"a", 100, "s3"}, {"b", 100, "s2"}, {"c", 100, "s1"}},
  };
  std::vector<RingSource::Ring> rings;
  for (std::size_t i = 0; i < seats.size(); ++i) {
    rings.push_back(HashRing::Create(RingVersion{i + 1}, seats[i]).value());
  }
  return rings;
}

}  // namespace nearby::sim
