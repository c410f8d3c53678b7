#include "nearby/runtime_stats.h"
#include "src/runtime/stats_fields.h"

namespace nearby {

RuntimeStats& RuntimeStats::operator+=(const RuntimeStats& other) {
  engine += other.engine;
  for (const auto& field : internal::kRuntimeFields) this->*field.member += other.*field.member;
  return *this;
}

}  // namespace nearby
