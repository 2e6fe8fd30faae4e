// A library that ends the process which loads it, so that it can be seen to have run.
#include <unistd.h>

namespace {
struct Planted {
  Planted() { ::_exit(77); }
} planted;
}  // namespace
