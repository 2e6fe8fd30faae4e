// flatten=none: see checks.h for what must hold, input.h for what an input is.
#include <cstddef>
#include <cstdint>

#include "fuzz/json/checks.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  sd::fuzz::check_flattening(sd::json::Flatten::kNone, {reinterpret_cast<const char*>(data), size});
  return 0;
}
