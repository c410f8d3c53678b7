#ifndef NEARBY_SRC_BASE_LARGE_VECTOR_H_
#define NEARBY_SRC_BASE_LARGE_VECTOR_H_

#include <cstddef>
#include <vector>

namespace nearby::internal {

// Memory of this many bytes or more is asked for in pages of 2 MB where the system has them: with
// pages of 4 kB nearly every random read of a large table misses the processor's table of pages as
// well, which costs a fifth to a third of the reads a second.
inline constexpr std::size_t kLargeBytes = std::size_t{8} << 20;
inline constexpr std::size_t kLargePageBytes = std::size_t{2} << 20;

// As operator new and delete, but for the pages. `bytes` and `alignment`, up to that of a large
// page, must be the same for both.
void* AllocateLarge(std::size_t bytes, std::size_t alignment);
void FreeLarge(void* memory, std::size_t bytes, std::size_t alignment);
// Asks for large pages for memory that lies on a boundary of them, or for none.
void UseLargePages(void* memory, std::size_t bytes);
void UseSmallPages(void* memory, std::size_t bytes);

template <typename T>
struct LargeAllocator {
  using value_type = T;

  LargeAllocator() = default;
  template <typename U>
  LargeAllocator(const LargeAllocator<U>&) {}  // NOLINT(google-explicit-constructor)

  T* allocate(std::size_t count) {
    return static_cast<T*>(AllocateLarge(count * sizeof(T), alignof(T)));
  }
  void deallocate(T* memory, std::size_t count) {
    FreeLarge(memory, count * sizeof(T), alignof(T));
  }

  friend bool operator==(LargeAllocator, LargeAllocator) { return true; }
  friend bool operator!=(LargeAllocator, LargeAllocator) { return false; }
};

// A vector for tables that grow with the number of users and are read at random.
template <typename T>
using LargeVector = std::vector<T, LargeAllocator<T>>;

}  // namespace nearby::internal

#endif  // NEARBY_SRC_BASE_LARGE_VECTOR_H_
