#include "examples/adapters/sqlite_friend_store.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "examples/adapters/sqlite_database.h"
#include "examples/adapters/sqlite_friend_tables.h"

namespace adapters {

using nearby::FriendEdit;
using nearby::FriendshipOutcome;
using nearby::UserId;

// The thread that owns the tables, and what waits for it.
class SqliteFriendStore::Worker {
 public:
  Worker(SqliteFriendTables tables, const Options& options)
      : options_(options), tables_(std::move(tables)), thread_([this] { Run(); }) {}

  ~Worker() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      is_stopping_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }

  struct ListJob {
    UserId user{};
    ListDone done;
  };
  struct EditJob {
    FriendEdit edit;
    EditDone done;
  };
  using Job = std::variant<ListJob, EditJob>;

  // False, and the job as it was, if too many wait.
  bool Add(Job& job) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (waiting_.size() >= options_.max_waiting) return false;
      waiting_.push_back(std::move(job));
    }
    changed_.notify_one();
    return true;
  }

 private:
  void Run() {
    while (true) {
      std::vector<Job> jobs = Take();
      if (jobs.empty()) return;
      if (auto* const list = std::get_if<ListJob>(&jobs.front())) {
        list->done(tables_.List(list->user));
      } else {
        EditAll(&jobs);
      }
    }
  }

  // Waits for the next list, or the next edits that follow each other; none when it is time to
  // stop.
  std::vector<Job> Take() {
    std::vector<Job> jobs;
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return is_stopping_ || !waiting_.empty(); });
    if (is_stopping_) return jobs;
    do {
      jobs.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    } while (std::holds_alternative<EditJob>(jobs.front()) && jobs.size() < options_.max_batch &&
             !waiting_.empty() && std::holds_alternative<EditJob>(waiting_.front()));
    return jobs;
  }

  void EditAll(std::vector<Job>* jobs) {
    std::vector<FriendEdit> edits;
    for (const Job& job : *jobs) edits.push_back(std::get<EditJob>(job).edit);
    std::vector<absl::StatusOr<FriendshipOutcome>> outcomes;
    const absl::Status status = tables_.EditAll(edits, &outcomes);
    if (!status.ok()) outcomes.assign(edits.size(), status);
    for (std::size_t i = 0; i < jobs->size(); ++i) {
      std::get<EditJob>((*jobs)[i]).done(std::move(outcomes[i]));
    }
  }

  const Options options_;
  SqliteFriendTables tables_;  // the thread's alone
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> waiting_;
  bool is_stopping_ = false;
  std::thread thread_;  // last: it uses all the others
};

namespace {

absl::Status TooManyWait() {
  return absl::ResourceExhaustedError("the friend store has too much to do");
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteFriendStore>> SqliteFriendStore::Open(const std::string& path,
                                                                           const Options& options) {
  absl::StatusOr<SqliteDatabase> database = SqliteDatabase::Open(path);
  if (!database.ok()) return database.status();
  absl::StatusOr<SqliteFriendTables> tables =
      SqliteFriendTables::Create(*std::move(database), options.limits);
  if (!tables.ok()) return tables.status();
  return std::unique_ptr<SqliteFriendStore>(
      new SqliteFriendStore(std::make_unique<Worker>(*std::move(tables), options)));
}

SqliteFriendStore::SqliteFriendStore(std::unique_ptr<Worker> worker) : worker_(std::move(worker)) {}

SqliteFriendStore::~SqliteFriendStore() = default;

void SqliteFriendStore::List(UserId user, ListDone done) {
  Worker::Job job = Worker::ListJob{user, std::move(done)};
  if (worker_->Add(job)) return;
  std::get<Worker::ListJob>(job).done(TooManyWait());
}

void SqliteFriendStore::Edit(const FriendEdit& edit, EditDone done) {
  Worker::Job job = Worker::EditJob{edit, std::move(done)};
  if (worker_->Add(job)) return;
  std::get<Worker::EditJob>(job).done(TooManyWait());
}

}  // namespace adapters
