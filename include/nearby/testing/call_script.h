#ifndef NEARBY_TESTING_CALL_SCRIPT_H_
#define NEARBY_TESTING_CALL_SCRIPT_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "nearby/export.h"
#include "nearby/ids.h"

namespace nearby {

/// What a scripted store (`ScriptedFriendStore` and its like) does with its calls of one kind:
/// answers them at once, as long as nothing else is asked for; holds the answers back; fails or
/// loses calls; answers from another thread.
///
///   store.lists().Hold();
///   runtime.Connect(...);                      // asks for a list
///   store.lists().AwaitHeld(1);
///   EXPECT_TRUE(store.lists().ReleaseOldest());  // and here it comes
///
/// What a call does happens when it is made; only the answer is held back. A list that is released
/// late is therefore an old list, and an edit has been made before it is acknowledged.
///
/// Thread-safe. No lock is held while an answer is given: whoever receives it may call anything
/// but the destructor. Answers are given by the thread that releases them, or that made the call.
/// Ownership: belongs to its store. Answers still held when the store is destroyed are destroyed
/// with it, uncalled; so are lost ones, which are kept until then.
class NEARBY_API CallScript {
 public:
  struct Counts {
    std::size_t calls = 0;     ///< Made.
    std::size_t answered = 0;  ///< Those of which the answer was given, or is about to be.
    std::size_t failed = 0;    ///< Those of which the answer was a scripted failure.
    std::size_t lost = 0;
  };

  CallScript();
  ~CallScript();
  CallScript(const CallScript&) = delete;
  CallScript& operator=(const CallScript&) = delete;

  /// From now on answers are held back, scripted failures included, and those of earlier calls that
  /// the store has not answered yet.
  void Hold();
  /// Stops that, and releases all that is held.
  void Resume();

  /// The next calls fail without having been carried out. Scripts follow each other: after
  /// FailNext(2, s) and LoseNext(1), two calls fail and the third is lost. An Ok becomes `Unknown`.
  void FailNext(std::size_t calls, const absl::Status& status);
  /// They are carried out, and yet answered with the failure: as when a database commits, and the
  /// link breaks.
  void FailNextAfterwards(std::size_t calls, const absl::Status& status);
  /// They are carried out and never answered.
  void LoseNext(std::size_t calls);

  /// Whether answers are given by a thread of the script's own, one after the other. It is started
  /// when it is first needed.
  void AnswerOnOwnThread(bool on);
  /// Waits until that thread has given all answers that were released to it. Not to be called from
  /// within one of them.
  void AwaitAnswers();

  /// For each answer held, in the order in which they came: the users that its call names. A call
  /// whose store has not answered yet is not among them.
  std::vector<std::vector<UserId>> held() const;
  /// Waits until that many answers are held: for tests in which another thread makes the calls.
  void AwaitHeld(std::size_t answers) const;

  /// Each gives one of the answers that are held, and is false if there is none such.
  bool ReleaseOldest();
  bool ReleaseNewest();
  /// The oldest that names the user.
  bool ReleaseFor(UserId user);
  /// Gives all answers held at the time of the call, oldest first. Answers their number.
  std::size_t ReleaseAll();

  Counts counts() const;

 private:
  friend class ScriptedCalls;
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace nearby

#endif  // NEARBY_TESTING_CALL_SCRIPT_H_
