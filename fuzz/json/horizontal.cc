// flatten=horizontal, by events or by way of a tree, and with a limit of depth: see checks.h for what must
// hold, input.h for what an input is. Here also: rows are the same whatever pieces a body comes in.
#include <cstddef>
#include <cstdint>
#include <string>

#include "fuzz/json/checks.h"

namespace {

using namespace sd;
using json::HorizontalFlattener;

// All of a batch, in the order in which it came to be.
std::string text(const json::TableBuilder& batch) {
  std::string out;
  for (const std::uint32_t used : batch.used()) {
    const json::BuilderColumn& column = batch.columns()[used];
    out += batch.tree().path(column.node) + " " + std::to_string(column.state.kinds()) + "\n";
    for (const json::Cell& cell : column.cells) {
      out += std::to_string(cell.row) + " ";
      json::append_json(out, cell);
      out += "\n";
    }
  }
  return out;
}

// Reads a body as it comes, as the loader does: what is not consumed is looked at again with more bytes.
std::string in_pieces(std::string_view body, std::size_t piece) {
  json::TableBuilder builder;
  HorizontalFlattener flattener(builder);
  json::RowSplitter<HorizontalFlattener> splitter(flattener);
  using State = decltype(splitter)::State;
  std::string rest;
  std::int64_t id = 0;
  while (true) {
    const auto step = splitter.next(rest, body.empty());
    const std::size_t consumed = splitter.consumed();
    if (step.state == State::kRow) builder.commit_row(id++, 1);
    if (step.state == State::kRefused) builder.begin_row();
    if (step.state == State::kEnd || step.state == State::kSyntax) break;
    rest.erase(0, consumed);
    if (step.state != State::kNeedMore) continue;
    rest += body.substr(0, piece);
    body.remove_prefix(std::min(piece, body.size()));
  }
  builder.begin_row();
  return text(builder) + std::to_string(splitter.offset());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view in(reinterpret_cast<const char*>(data), size);
  fuzz::check_flattening(json::Flatten::kHorizontal, in);
  const fuzz::Input input(json::Flatten::kHorizontal, in);
  // Small pieces of a long row would take long: it is looked at again for each.
  const std::size_t piece = 1 + input.cut + input.body.size() / 64;
  fuzz::require(in_pieces(input.body, piece) == in_pieces(input.body, SIZE_MAX),
                "rows are the same in pieces");
  return 0;
}
