#include "benchmarks/peers/process_usage.h"

#include <sys/resource.h>
#include <sys/time.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace peers {
namespace {

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

std::uint64_t RssOf(const std::string& directory) {
  std::ifstream file(absl::StrCat(directory, "/statm"));
  std::uint64_t pages = 0;
  std::uint64_t resident = 0;
  file >> pages >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

// The 14th and 15th field of stat, behind the name in parentheses, which may hold anything.
double CpuOf(const std::string& directory) {
  std::ifstream file(absl::StrCat(directory, "/stat"));
  std::string text;
  std::getline(file, text, ')');
  while (file && file.peek() != ' ') std::getline(file, text, ')');
  std::string skipped;
  for (int field = 3; field < 14; ++field) file >> skipped;
  double user_ticks = 0;
  double system_ticks = 0;
  file >> user_ticks >> system_ticks;
  return (user_ticks + system_ticks) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

// Nanoseconds on a processor, of the threads that there are; 0 where the kernel keeps no such
// accounts.
double ScheduledOf(const std::string& directory) {
  double nanoseconds = 0;
  std::error_code error;
  for (const auto& thread : std::filesystem::directory_iterator(directory + "/task", error)) {
    std::ifstream file(thread.path() / "schedstat");
    double of_thread = 0;
    if (file >> of_thread) nanoseconds += of_thread;
  }
  return nanoseconds / 1e9;
}

}  // namespace

ProcessUsage OwnUsage() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return {Seconds(usage.ru_utime) + Seconds(usage.ru_stime), RssOf("/proc/self")};
}

ProcessUsage UsageOf(pid_t pid) {
  if (pid == 0) return {};
  const std::string directory = absl::StrCat("/proc/", pid);
  const double scheduled_s = ScheduledOf(directory);
  return {scheduled_s > 0 ? scheduled_s : CpuOf(directory), RssOf(directory)};
}

}  // namespace peers
