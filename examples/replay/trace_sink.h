#ifndef EXAMPLES_REPLAY_TRACE_SINK_H_
#define EXAMPLES_REPLAY_TRACE_SINK_H_

#include "absl/strings/string_view.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/time.h"

namespace replay {

/// Takes what happens in a trace, in order of time: a TraceWriter writes it down, others act on it.
class TraceSink {
 public:
  virtual ~TraceSink() = default;

  virtual void Report(nearby::UserId user, nearby::Time time, nearby::LatLng location) = 0;
  virtual void Disconnect(nearby::UserId user, nearby::Time time) = 0;
  /// `action` is one of "befriend", "unfriend", "hide", "share", "subscribe" and "unsubscribe".
  virtual void Pair(absl::string_view action, nearby::UserId first, nearby::UserId second,
                    nearby::Time time) = 0;
  virtual void Radius(nearby::UserId subscriber, double radius_m, nearby::Time time) = 0;
};

}  // namespace replay

#endif  // EXAMPLES_REPLAY_TRACE_SINK_H_
