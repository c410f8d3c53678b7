#include "src/base/large_vector.h"

#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace nearby::internal {

void UseLargePages(void* memory, std::size_t bytes) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  // A wish. Where it is not granted everything works, only slower.
  static_cast<void>(madvise(memory, bytes, MADV_HUGEPAGE));
#else
  static_cast<void>(memory);
  static_cast<void>(bytes);
#endif
}

void UseSmallPages(void* memory, std::size_t bytes) {
#if defined(__linux__) && defined(MADV_NOHUGEPAGE)
  static_cast<void>(madvise(memory, bytes, MADV_NOHUGEPAGE));
#else
  static_cast<void>(memory);
  static_cast<void>(bytes);
#endif
}

void* AllocateLarge(std::size_t bytes, std::size_t alignment) {
  if (bytes < kLargeBytes) return ::operator new (bytes, std::align_val_t{alignment});
  void* const memory = ::operator new (bytes, std::align_val_t{kLargePageBytes});
  UseLargePages(memory, bytes);
  return memory;
}

void FreeLarge(void* memory, std::size_t bytes, std::size_t alignment) {
  ::operator delete (memory, std::align_val_t{bytes < kLargeBytes ? alignment : kLargePageBytes});
}

}  // namespace nearby::internal
