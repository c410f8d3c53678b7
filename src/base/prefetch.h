#ifndef NEARBY_SRC_BASE_PREFETCH_H_
#define NEARBY_SRC_BASE_PREFETCH_H_

namespace nearby::internal {

// g++ 12 takes a function that does nothing but prefetch for one without effects, and drops the
// calls of it; it keeps those of a function that calls this.
inline void KeepPrefetches() {
#if defined(__GNUC__)
  asm volatile("");
#endif
}

// Asks for the line at this address, to be there when it is read a little later. Into the second
// level of the cache: what is asked for far ahead would push its like out of the first.
inline void Prefetch(const void* address) {
#if defined(__GNUC__)
  __builtin_prefetch(address, 0, 2);
  KeepPrefetches();
#else
  static_cast<void>(address);
#endif
}

}  // namespace nearby::internal

#endif  // NEARBY_SRC_BASE_PREFETCH_H_
