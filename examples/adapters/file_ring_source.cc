#include "examples/adapters/file_ring_source.h"

#include <fstream>
#include <sstream>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "examples/adapters/ring_file.h"
#include "nearby/hash_ring.h"

namespace adapters {

FileRingSource::FileRingSource(std::string path, Options options)
    : path_(std::move(path)),
      options_(std::move(options)),
      first_read_(Look()),
      thread_([this] { KeepLooking(); }) {}

FileRingSource::~FileRingSource() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    is_stopping_ = true;
  }
  stopping_.notify_one();
  thread_.join();
}

std::unique_ptr<nearby::RingSource::Watcher> FileRingSource::Watch(Changed changed) {
  return rings_.Watch(std::move(changed));
}

absl::Status FileRingSource::Look() {
  std::ifstream file(path_, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  if (!file.is_open() || file.bad()) {
    if (std::exchange(is_missing_, true)) return absl::OkStatus();
    return absl::NotFoundError(absl::StrCat(path_, ": cannot be read"));
  }
  is_missing_ = false;
  std::string text = std::move(content).str();
  // Compared by content: times are too coarse to tell two writes from one.
  if (text == text_) return absl::OkStatus();
  text_ = std::move(text);
  absl::Status status = Take(*text_);
  if (status.ok()) return status;
  return {status.code(), absl::StrCat(path_, ": ", status.message())};
}

absl::Status FileRingSource::Take(const std::string& text) {
  absl::StatusOr<RingFile> file = ParseRingFile(text);
  if (!file.ok()) return file.status();
  for (const nearby::RingSeat& seat : file->seats) {
    if (options_.check_seat == nullptr) break;
    if (absl::Status status = options_.check_seat(seat); !status.ok()) return status;
  }
  const absl::StatusOr<Ring> ring = nearby::HashRing::Create(file->version, std::move(file->seats));
  if (!ring.ok()) return ring.status();
  return rings_.Set(*ring);
}

void FileRingSource::KeepLooking() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopping_.wait_for(lock, absl::ToChronoMilliseconds(options_.interval),
                             [this] { return is_stopping_; })) {
    lock.unlock();
    const absl::Status status = Look();
    if (!status.ok() && options_.complain != nullptr) options_.complain(status);
    lock.lock();
  }
}

}  // namespace adapters
