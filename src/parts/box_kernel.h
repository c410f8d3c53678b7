#ifndef NEARBY_SRC_PARTS_BOX_KERNEL_H_
#define NEARBY_SRC_PARTS_BOX_KERNEL_H_

#include <cstddef>
#include <cstdint>

#include "nearby/geo.h"
#include "nearby/radius_filter.h"
#include "src/base/vectors.h"

namespace nearby::internal {

/// SelectInBox by these vectors, which the processor must have. Kernels exist for those of 16 bytes
/// and of 64: between them those of 32 gained too little to be worth their lines.
std::size_t SelectInBoxBy(Vectors vectors, Position center, FixedPointBox box, PositionTable table,
                          const IndexedRow& row, std::uint32_t* out);

}  // namespace nearby::internal

#endif  // NEARBY_SRC_PARTS_BOX_KERNEL_H_
