// Prints the gate's probes as [{"sql":…,"expect":…}], for tests that run them elsewhere: against the sandbox alone,
// or over HTTP. Expectations: query/gate_probe.h. Those that are not UTF-8 are left out.
#include <cstdio>

#include "base/json_text.h"
#include "query/gate_bombs.h"

int main() {
  std::string out = "[";
  for (const sd::query::MadeProbe& probe : sd::query::all_probes()) {
    if (!sd::is_valid_utf8(probe.sql)) continue;
    if (out.size() > 1) out += ",\n";
    out += "{\"sql\":";
    sd::append_json_string(out, probe.sql);
    out += ",\"expect\":\"" + std::string(to_string(probe.expect)) + "\"}";
  }
  out += "]\n";
  return std::fwrite(out.data(), 1, out.size(), stdout) == out.size() ? 0 : 1;
}
