// Prints the statements of gate_probes.h as a JSON array of texts, for sandbox.test.mjs.
#include "query/gate_probes.h"

#include <iostream>

#include "base/json_text.h"

int main() {
  std::string out = "[";
  for (const sd::query::Probe& probe : sd::query::kProbes) {
    if (out.size() > 1) out += ',';
    sd::append_json_string(out, probe.sql);
  }
  std::cout << out << "]\n";
  return std::cout.flush() ? 0 : 1;
}
