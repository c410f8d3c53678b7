#ifndef NEARBY_TESTS_SIM_CATCH_BUGS_H_
#define NEARBY_TESTS_SIM_CATCH_BUGS_H_

#include <vector>

#include "nearby/ring_source.h"
#include "tests/sim/arguments.h"

namespace nearby::sim {

/// Plants the bug that is asked for, or each in turn, and says how it was caught: by a violation,
/// or by an assertion of the library's, which ends a process of the bug's own. Not caught is also
/// one that is caught by a seed which is not right without it. The program's exit code.
int CatchBugs(const Arguments& arguments, const std::vector<RingSource::Ring>& rings);

}  // namespace nearby::sim

#endif  // NEARBY_TESTS_SIM_CATCH_BUGS_H_
