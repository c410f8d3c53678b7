#include "examples/phones/tally.h"

namespace phones {

void Tally::Add(const Tally& other) {
  reports += other.reports;
  calls += other.calls;
  bytes_sent += other.bytes_sent;
  frames += other.frames;
  bytes_received += other.bytes_received;
  enters += other.enters;
  moves += other.moves;
  leaves += other.leaves;
  resets += other.resets;
  resyncs += other.resyncs;
  drains += other.drains;
  refusals += other.refusals;
  errors += other.errors;
  if (first_error.empty()) first_error = other.first_error;
  violations.Add(other.violations);
  sessions += other.sessions;
  reconnects += other.reconnects;
  drops += other.drops;
  failed_connects += other.failed_connects;
}

}  // namespace phones
