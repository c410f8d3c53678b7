// The codec of clients and nodes. The encoders keep their messages and use them again; beside that
// stands what a new message for each batch costs. Both run in turns in one loop, so that "speedup"
// is a ratio under the same conditions.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "benchmark/benchmark.h"
#include "nearby/client_codec.h"
#include "nearby/client_sink.h"
#include "nearby/friendship.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/node_batch.h"
#include "nearby/node_codec.h"
#include "nearby/server_codec.h"
#include "nearby/session_directory.h"
#include "nearby/time.h"
#include "nearby/wire_format.h"

namespace nearby {
namespace {

// A clock's reading takes as long as an event: several batches between two.
constexpr int kBatchesAtOnce = 16;
// Users of a service with a hundred million.
constexpr std::uint64_t kUsers = 100'000'000;
// As many have begun, and as many changes have been made to the friend graph.
constexpr std::uint64_t kSessions = 10'000'000'000;
constexpr Time kNow = Time::Millis(1'718'000'000'456);

double Uniform(std::mt19937_64* random) { return static_cast<double>((*random)() >> 11) * 0x1p-53; }

Position InTown(std::mt19937_64* random) {
  return Position::FromLatLng({48.0 + 0.38 * Uniform(random), 11.3 + 0.57 * Uniform(random)});
}

double SecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// One leave in ten, the rest moves.
std::vector<ClientEvent> Events(std::size_t count) {
  std::mt19937_64 random(1);
  std::vector<ClientEvent> events(count);
  for (std::size_t i = 0; i < count; ++i) {
    ClientEvent& event = events[i];
    event.friend_id = UserId{random() % kUsers};
    event.time = kNow;
    event.kind = i % 10 == 9 ? DeliveryKind::kLeave : DeliveryKind::kMove;
    if (event.kind == DeliveryKind::kLeave) {
      event.reason = LeaveReason::kRange;
      continue;
    }
    event.reported_at = Time::Millis(kNow.ms - static_cast<std::int64_t>(random() % 1000));
    event.position = InTown(&random);
    event.distance_mm = static_cast<std::int64_t>(random() % 8'046'720);
  }
  return events;
}

// What a node publishes on a user's channel has one or two; here are more, to see what one costs.
NodeBatch Locations(std::size_t count) {
  std::mt19937_64 random(2);
  NodeBatch batch;
  batch.from = {NodeId{7}, Epoch{kSessions}};
  batch.sequence = 1000;
  batch.events.resize(count);
  for (NodeEvent& event : batch.events) {
    event.kind = NodeEvent::Kind::kLocation;
    event.user = UserId{random() % kUsers};
    event.session = Epoch{kSessions - random() % kUsers};
    event.position = InTown(&random);
    event.accepted_at = kNow;
    event.reported_at = Time::Millis(kNow.ms - static_cast<std::int64_t>(random() % 1000));
  }
  return batch;
}

// What the friends of users who connect are told.
NodeBatch Announcements(std::size_t count) {
  std::mt19937_64 random(3);
  NodeBatch batch;
  batch.from = {NodeId{7}, Epoch{kSessions}};
  batch.to = Epoch{kSessions - 1};
  batch.sequence = batch.acknowledged = 1000;
  batch.events.resize(count);
  for (NodeEvent& event : batch.events) {
    event.kind = NodeEvent::Kind::kAnnounce;
    event.user = UserId{random() % kUsers};
    event.session = Epoch{kSessions - random() % kUsers};
    event.friend_id = UserId{random() % kUsers};
    event.friendship.friends = true;
    event.version = FriendVersion{kSessions - random() % kUsers};
  }
  return batch;
}

// Compares `reused`, which encodes a batch of `state.range(0)` events with an encoder that stays,
// with `fresh`, which makes one for each batch. Both append to a string.
template <typename Reused, typename Fresh>
void Compare(benchmark::State& state, const Reused& reused, const Fresh& fresh) {
  double seconds = 0;
  double fresh_seconds = 0;
  std::string frame;
  for (auto _ : state) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < kBatchesAtOnce; ++i) {
      frame.clear();
      reused(&frame);
      benchmark::ClobberMemory();
    }
    const double elapsed = SecondsSince(start);
    const auto fresh_start = std::chrono::steady_clock::now();
    for (int i = 0; i < kBatchesAtOnce; ++i) {
      frame.clear();
      fresh(&frame);
      benchmark::ClobberMemory();
    }
    fresh_seconds += SecondsSince(fresh_start);
    seconds += elapsed;
    state.SetIterationTime(elapsed);
  }
  const auto in_batch = static_cast<double>(state.range(0));
  const double events = in_batch * kBatchesAtOnce * static_cast<double>(state.iterations());
  state.SetItemsProcessed(static_cast<std::int64_t>(events));
  state.counters["bytes_per_event"] = static_cast<double>(frame.size()) / in_batch;
  state.counters["ns_per_event"] = 1e9 * seconds / events;
  state.counters["fresh_ns_per_event"] = 1e9 * fresh_seconds / events;
  state.counters["speedup"] = fresh_seconds / seconds;
}

void BM_EncodeBatch(benchmark::State& state, WireFormat format) {
  const std::vector<ClientEvent> events = Events(static_cast<std::size_t>(state.range(0)));
  ClientBatch batch;
  batch.events = events;
  ServerEncoder encoder;
  Compare(
      state, [&](std::string* frame) { encoder.EncodeBatch(format, batch, frame); },
      [&](std::string* frame) { ServerEncoder().EncodeBatch(format, batch, frame); });
}
BENCHMARK_CAPTURE(BM_EncodeBatch, Protobuf, WireFormat::kProtobuf)
    ->Arg(1)
    ->Arg(20)
    ->Arg(200)
    ->UseManualTime();
BENCHMARK_CAPTURE(BM_EncodeBatch, Json, WireFormat::kJson)->Arg(1)->Arg(20)->UseManualTime();

using MakeNodeBatch = NodeBatch(std::size_t events);

void BM_EncodeNodeBatch(benchmark::State& state, MakeNodeBatch* make) {
  const NodeBatch batch = make(static_cast<std::size_t>(state.range(0)));
  NodeEncoder encoder;
  Compare(
      state, [&](std::string* payload) { encoder.Encode(batch, payload); },
      [&](std::string* payload) { NodeEncoder().Encode(batch, payload); });
}
BENCHMARK_CAPTURE(BM_EncodeNodeBatch, Locations, Locations)
    ->Arg(1)
    ->Arg(20)
    ->Arg(200)
    ->UseManualTime();
BENCHMARK_CAPTURE(BM_EncodeNodeBatch, Announcements, Announcements)
    ->Arg(20)
    ->Arg(200)
    ->UseManualTime();

void BM_DecodeNodeBatch(benchmark::State& state, MakeNodeBatch* make) {
  std::string payload;
  NodeEncoder().Encode(make(static_cast<std::size_t>(state.range(0))), &payload);
  NodeDecoder decoder;
  NodeBatch batch;
  for (auto _ : state) {
    if (!decoder.Decode(payload, &batch).ok()) state.SkipWithError("refused");
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.range(0) * static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK_CAPTURE(BM_DecodeNodeBatch, Locations, Locations)->Arg(1)->Arg(20)->Arg(200);
BENCHMARK_CAPTURE(BM_DecodeNodeBatch, Announcements, Announcements)->Arg(20)->Arg(200);

// What a server reads most.
void BM_DecodeReport(benchmark::State& state, WireFormat format) {
  std::string frame;
  ClientEncoder().Encode(format, {0, ReportCall{{48.1375, 11.5755}, kNow}}, &frame);
  ClientDecoder decoder;
  for (auto _ : state) {
    if (!decoder.Decode(format, frame).ok()) state.SkipWithError("refused");
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
  state.counters["bytes"] = static_cast<double>(frame.size());
}
BENCHMARK_CAPTURE(BM_DecodeReport, Protobuf, WireFormat::kProtobuf);
BENCHMARK_CAPTURE(BM_DecodeReport, Json, WireFormat::kJson);

void BM_DecodeUpdate(benchmark::State& state, WireFormat format) {
  const std::vector<ClientEvent> events = Events(static_cast<std::size_t>(state.range(0)));
  ClientBatch batch;
  batch.events = events;
  std::string frame;
  ServerEncoder().EncodeBatch(format, batch, &frame);
  ServerDecoder decoder;
  for (auto _ : state) {
    if (!decoder.Decode(format, frame).ok()) state.SkipWithError("refused");
  }
  state.SetItemsProcessed(state.range(0) * static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK_CAPTURE(BM_DecodeUpdate, Protobuf, WireFormat::kProtobuf)->Arg(20);
BENCHMARK_CAPTURE(BM_DecodeUpdate, Json, WireFormat::kJson)->Arg(20);

}  // namespace
}  // namespace nearby
