#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "benchmarks/capacity/engine_side.h"
#include "benchmarks/capacity/load.h"
#include "benchmarks/capacity/median.h"
#include "benchmarks/capacity/movement.h"
#include "benchmarks/capacity/sink.h"
#include "benchmarks/capacity/stage.h"
#include "benchmarks/capacity/stopwatch.h"
#include "benchmarks/capacity/world.h"
#include "benchmarks/scenarios/scenarios.h"
#include "benchmarks/scenarios/setup.h"
#include "benchmarks/scenarios/worlds.h"
#include "nearby/client_sink.h"
#include "nearby/effects.h"
#include "nearby/server_codec.h"
#include "nearby/time.h"
#include "nearby/wire_format.h"

namespace scenarios {
namespace {

using capacity::Batch;
using capacity::Served;
using nearby::Delivery;

/// The floor: deliveries written by a plain loop that has been told, in a row, what no loop over
/// reports and friends could know without asking. To write them is all it does.
class PlainWriter {
 public:
  /// Learns what is to be written; this is not measured.
  void Learn(absl::Span<const Delivery> deliveries) {
    known_.clear();
    for (const Delivery& delivery : deliveries) {
      known_.push_back({delivery.subscriber, delivery.friend_id,
                        static_cast<std::uint32_t>(delivery.cookie), delivery.kind, delivery.reason,
                        delivery.distance_mm, delivery.position, delivery.reported_at});
    }
  }

  absl::Span<const Delivery> deliveries() const {
    return absl::MakeConstSpan(deliveries_).subspan(0, known_.size());
  }

  Served Write(nearby::Time now) {
    if (deliveries_.size() < known_.size()) deliveries_.resize(known_.size());
    Served served;
    const capacity::Stopwatch watch;
    Delivery* out = deliveries_.data();
    for (const Known& known : known_) {
      out->cookie = known.cookie;
      out->subscriber = known.subscriber;
      out->friend_id = known.friend_id;
      out->time = now;
      out->reported_at = known.reported_at;
      out->position = known.position;
      out->distance_mm = known.distance_mm;
      out->kind = known.kind;
      out->reason = known.reason;
      ++out;
    }
    sink_.Encode(deliveries());
    served.seconds = watch.Seconds();
    served.delivered = sink_.Take();
    return served;
  }

 private:
  struct Known {
    nearby::UserId subscriber{};
    nearby::UserId friend_id{};
    std::uint32_t cookie = 0;
    nearby::DeliveryKind kind{};
    nearby::LeaveReason reason{};
    std::int64_t distance_mm = 0;
    nearby::Position position;
    nearby::Time reported_at;
  };

  std::vector<Known> known_;
  std::vector<Delivery> deliveries_;
  capacity::Sink sink_;
};

/// Deliveries as phones read them: a protobuf frame of nearby::wire for each client.
class FrameWriter {
 public:
  /// How long it took.
  double Write(absl::Span<const Delivery> deliveries) {
    frames_.clear();
    const capacity::Stopwatch watch;
    for (const Delivery& delivery : deliveries) {
      nearby::ClientEvent event;
      event.friend_id = delivery.friend_id;
      event.time = delivery.time;
      event.reported_at = delivery.reported_at;
      event.position = delivery.position;
      event.distance_mm = delivery.distance_mm;
      event.kind = delivery.kind;
      event.reason = nearby::ReasonForClient(delivery.reason);
      nearby::ClientBatch batch;
      batch.cookie = delivery.cookie;
      batch.user = delivery.subscriber;
      batch.events = {&event, 1};
      encoder_.EncodeBatch(nearby::WireFormat::kProtobuf, batch, &frames_);
    }
    return watch.Seconds();
  }

  const std::string& frames() const { return frames_; }

 private:
  nearby::ServerEncoder encoder_;
  std::string frames_;
};

struct Slice {
  Served engine;
  Served floor;
  double engine_frames_s = 0;
  double floor_frames_s = 0;
  bool same_frames = true;
};

// Batch by batch in turn, so that what else the machine does falls on both alike.
Slice MeasureSlice(const Flags& flags, capacity::Load* load, PlainWriter* writer) {
  Slice slice;
  FrameWriter engine_frames;
  FrameWriter floor_frames;
  for (const Batch& batch : load->NextBatches(flags.chunk)) {
    slice.engine += load->engine().ReportAll({&batch, 1});
    slice.engine_frames_s += engine_frames.Write(load->engine().deliveries());
    writer->Learn(load->engine().deliveries());
    slice.floor += writer->Write(batch.now);
    slice.floor_frames_s += floor_frames.Write(writer->deliveries());
    slice.same_frames = slice.same_frames && engine_frames.frames() == floor_frames.frames();
  }
  return slice;
}

}  // namespace

Findings MeasureAllInSight(const Flags& flags) {
  const capacity::World world = MakeTown(WorldOptionsOf(flags));
  capacity::Load load(world, LoadOptionsOf(flags, capacity::Mobility::kNobody));
  Start(flags, world, &load);
  PlainWriter writer;
  std::vector<double> ratios;
  std::vector<double> frame_ratios;
  Slice sum;
  {
    const capacity::Stage stage("measuring");
    for (std::uint32_t i = 0; i < flags.repetitions; ++i) {
      const Slice slice = MeasureSlice(flags, &load, &writer);
      ratios.push_back(slice.engine.seconds / slice.floor.seconds);
      frame_ratios.push_back((slice.engine.seconds + slice.engine_frames_s) /
                             (slice.floor.seconds + slice.floor_frames_s));
      sum.engine += slice.engine;
      sum.floor += slice.floor;
      sum.floor_frames_s += slice.floor_frames_s;
      sum.same_frames = sum.same_frames && slice.same_frames;
    }
  }
  Findings findings;
  findings.AddText("scenario", "in-sight");
  findings.Heading("All friends in sight");
  findings.AddCount("users", "users", flags.users);
  const auto deliveries = static_cast<double>(sum.engine.delivered.count);
  findings.Add("deliveries_per_report", "deliveries a report",
               deliveries / static_cast<double>(sum.engine.calls));
  findings.Add("engine_ns_per_delivery", "engine, ns a delivery",
               1e9 * sum.engine.seconds / deliveries);
  findings.Add("floor_ns_per_delivery", "writing them alone, ns a delivery",
               1e9 * sum.floor.seconds / deliveries);
  findings.Add("engine_to_floor", "engine to writing them alone", capacity::Median(ratios));
  findings.Add("frames_ns_per_delivery", "a frame of nearby::wire, ns a delivery",
               1e9 * sum.floor_frames_s / deliveries);
  findings.Add("engine_to_floor_frames", "both with frames: engine to writing them alone",
               capacity::Median(frame_ratios));
  if (sum.engine.delivered != sum.floor.delivered || !sum.same_frames) {
    findings.Void("the plain loop wrote something else");
  }
  Judge(&load, &findings);
  return findings;
}

}  // namespace scenarios
