// The golden values, which an implementation in another language computes as well:
// hash_ring_reference.py, whose head says what the lines of the file mean.

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/hash_ring.h"
#include "src/parts/ring_assignment.h"
#include "tests/parts/hash_ring_builder.h"

namespace nearby {
namespace {

using Fields = std::vector<std::string>;

std::uint64_t Number(const std::string& field) {
  std::uint64_t number = 0;
  EXPECT_TRUE(absl::SimpleAtoi(field, &number)) << field;
  return number;
}

std::string Hex(std::uint64_t number) { return absl::StrCat(absl::Hex(number, absl::kZeroPad16)); }

// Holds each line against the library.
class GoldenFile {
 public:
  void Check(const std::string& line) {
    const Fields fields = absl::StrSplit(line, ' ');
    const auto check = checks_.find(fields[0]);
    ASSERT_NE(check, checks_.end()) << line;
    ++lines_[fields[0]];
    (this->*check->second)(fields);
  }

  const std::map<std::string, int>& lines() const { return lines_; }

 private:
  void CheckSeed(const Fields& fields) {
    EXPECT_EQ(Hex(RingSeed(absl::HexStringToBytes(fields[1]))), fields[2]) << fields[1];
  }
  void CheckChannel(const Fields& fields) {
    EXPECT_EQ(ToInt(HashRing::PartitionOf(UserId{Number(fields[1])})), Number(fields[2]))
        << fields[1];
  }
  void BeginRing(const Fields& fields) {
    name_ = fields[1];
    seats_.clear();
    ring_.reset();
  }
  void AddSeats(const Fields& fields) {
    const auto weight = static_cast<std::uint32_t>(Number(fields[4]));
    for (RingSeat& seat : MakeSeats(fields[1], Number(fields[3]), weight, Number(fields[2]))) {
      seats_.push_back(std::move(seat));
    }
  }
  void CheckCounts(const Fields& fields) {
    Fields counts = {"counts"};
    for (std::size_t i = 0; i < seats_.size(); ++i) {
      counts.push_back(absl::StrCat(ring().partition_count(i)));
    }
    EXPECT_EQ(counts, fields) << name_;
  }
  void CheckOwner(const Fields& fields) {
    const RingPartition partition{static_cast<std::uint32_t>(Number(fields[1]))};
    EXPECT_EQ(ring().Owner(partition)->name, fields[2]) << name_ << " " << fields[1];
  }
  void CheckOwners(const Fields& fields) {
    std::vector<const RingSeat*> owners;
    ring().Owners(UserId{Number(fields[1])}, 8, &owners);
    Fields names = {"owners", fields[1]};
    for (const RingSeat* owner : owners) names.push_back(owner->name);
    EXPECT_EQ(names, fields) << name_;
  }
  void CheckTable(const Fields& fields) {
    std::string table;
    for (std::uint32_t partition = 0; partition < HashRing::kPartitions; ++partition) {
      const std::ptrdiff_t index = ring().Owner(RingPartition{partition}) - ring().seats().data();
      table += static_cast<char>(index & 0xFF);
      table += static_cast<char>(index >> 8);
    }
    EXPECT_EQ(Hex(RingSeed(table)), fields[1]) << name_;
  }

  const HashRing& ring() {
    if (ring_ == nullptr) ring_ = MakeRing(seats_);
    return *ring_;
  }

  const std::map<std::string, void (GoldenFile::*)(const Fields&)> checks_ = {
      {"seed", &GoldenFile::CheckSeed},     {"channel", &GoldenFile::CheckChannel},
      {"ring", &GoldenFile::BeginRing},     {"seats", &GoldenFile::AddSeats},
      {"counts", &GoldenFile::CheckCounts}, {"owner", &GoldenFile::CheckOwner},
      {"owners", &GoldenFile::CheckOwners}, {"table", &GoldenFile::CheckTable}};
  std::map<std::string, int> lines_;
  std::string name_;
  std::vector<RingSeat> seats_;
  Ring ring_;
};

TEST(HashRingGoldenTest, AgreesWithTheReference) {
  std::ifstream file(NEARBY_TESTS_DIR "/parts/hash_ring_golden.txt");
  GoldenFile golden;
  for (std::string line; std::getline(file, line);) {
    if (line[0] == '#') continue;
    ASSERT_NO_FATAL_FAILURE(golden.Check(line));
  }
  EXPECT_GE(golden.lines().at("seed"), 20);
  EXPECT_GE(golden.lines().at("channel"), 80);
  EXPECT_EQ(golden.lines().at("ring"), 7);
  EXPECT_EQ(golden.lines().at("table"), 7);
}

}  // namespace
}  // namespace nearby
