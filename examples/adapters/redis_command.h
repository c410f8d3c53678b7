#ifndef EXAMPLES_ADAPTERS_REDIS_COMMAND_H_
#define EXAMPLES_ADAPTERS_REDIS_COMMAND_H_

#include <cstddef>
#include <initializer_list>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace adapters {

/// A command as it goes over the wire (RESP 2): words of any bytes, the first of which is its name.
///
///   RedisCommand({"SET", key, value}).Take()
///   RedisCommand get(1 + keys.size());
///   get.Add("MGET");
///   for (const std::string& key : keys) get.Add(key);
///
/// Thread-compatible.
class RedisCommand {
 public:
  /// That many words have to be added.
  explicit RedisCommand(std::size_t words) { absl::StrAppend(&bytes_, "*", words, "\r\n"); }
  RedisCommand(std::initializer_list<absl::string_view> words) : RedisCommand(words.size()) {
    for (const absl::string_view word : words) Add(word);
  }

  void Add(absl::string_view word) {
    absl::StrAppend(&bytes_, "$", word.size(), "\r\n", word, "\r\n");
  }

  std::string Take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

}  // namespace adapters

#endif  // EXAMPLES_ADAPTERS_REDIS_COMMAND_H_
