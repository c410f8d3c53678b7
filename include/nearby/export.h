#ifndef NEARBY_EXPORT_H_
#define NEARBY_EXPORT_H_

/// Marks what a shared library of nearby lets others call; everything else is hidden. The same in
/// static libraries, so that a host's own shared library, linking one, shows nothing but this.
#if defined(__GNUC__)
#define NEARBY_API __attribute__((visibility("default")))
#else
#define NEARBY_API
#endif

#endif  // NEARBY_EXPORT_H_
