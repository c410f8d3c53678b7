#ifndef NEARBY_EXPORT_H_
#define NEARBY_EXPORT_H_

/// Marks what a shared library of nearby lets others call; everything else is hidden. The same in
/// static libraries, so that a host's own shared library, linking one, shows nothing but this.
#if defined(__GNUC__)
#define NEARBY_API __attribute__((visibility("default")))
/// Hides a member, or a nested class, of a class that is not hidden.
#define NEARBY_LOCAL __attribute__((visibility("hidden")))
#else
#define NEARBY_API
#define NEARBY_LOCAL
#endif

#endif  // NEARBY_EXPORT_H_
