#ifndef NEARBY_TESTS_CLUSTER_MADE_RINGS_H_
#define NEARBY_TESTS_CLUSTER_MADE_RINGS_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "nearby/hash_ring.h"
#include "nearby/ids.h"
#include "nearby/ring_source.h"

namespace nearby::test {

/// A ring with a seat for each of these servers, named after it. Rings take a while to make: each
/// is made once.
inline RingSource::Ring RingOf(const std::vector<std::string>& servers) {
  static auto* const made = new std::map<std::vector<std::string>, RingSource::Ring>();
  RingSource::Ring& ring = (*made)[servers];
  if (ring == nullptr) {
    std::vector<RingSeat> seats;
    seats.reserve(servers.size());
    for (const std::string& server : servers) seats.push_back({"seat of " + server, 100, server});
    ring = HashRing::Create(RingVersion{made->size()}, std::move(seats)).value();
  }
  return ring;
}

}  // namespace nearby::test

#endif  // NEARBY_TESTS_CLUSTER_MADE_RINGS_H_
