// main() of a fuzzer in an ordinary build: feeds it the empty input, every file of the folders
// given, and some seeded random changes of each. So the corpus is a regression test, and no fuzzer stops
// compiling unseen.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr std::size_t kChanges =
    4000;  // of all inputs together: a large corpus has tried them before
constexpr std::size_t kMostPerInput = 200;

void run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
}

// Flips, drops or doubles a stretch of the input.
std::string changed(std::string input, std::mt19937& random) {
  if (input.empty()) return std::string(1, static_cast<char>(random()));
  const size_t at = random() % input.size();
  const size_t length = 1 + random() % 8;
  switch (random() % 3) {
    case 0:
      input[at] = static_cast<char>(random());
      break;
    case 1:
      input.erase(at, length);
      break;
    default:
      input.insert(at, input.substr(random() % input.size(), length));
  }
  return input;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> inputs = {""};
  for (int i = 1; i < argc; ++i) {
    if (!std::filesystem::is_directory(argv[i])) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[i])) {
      if (!entry.is_regular_file()) continue;
      std::ifstream file(entry.path(), std::ios::binary);
      inputs.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
  }
  const std::size_t changes = std::min(kMostPerInput, kChanges / inputs.size());
  std::mt19937 random(1);
  for (const std::string& input : inputs) {
    run(input);
    std::string next = input;
    for (std::size_t i = 0; i < changes; ++i) {
      next = changed(i % 20 == 0 ? input : next, random);
      run(next);
    }
  }
  std::printf("%zu inputs, %zu changes of each\n", inputs.size(), changes);
  return 0;
}
