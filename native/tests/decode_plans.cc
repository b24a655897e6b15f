// Whether each of the files that are named is a plan: src/fuzz/config.test.ts writes those of random
// configurations.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <vector>

#include "wire/plan.h"

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    std::vector<char> memory(tsrunc::wire::arena_size(bytes.size()));
    tsrunc::wire::Arena arena(memory.data(), memory.size());
    tsrunc::wire::Plan plan;
    if (!tsrunc::wire::decode_plan(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), arena,
                                   plan)) {
      std::fprintf(stderr, "%s: not a plan to the engine\n", argv[i]);
      return 1;
    }
  }
  std::printf("%d plans of random configurations are plans to the engine\n", argc - 1);
  return argc > 1 ? 0 : 1;
}
