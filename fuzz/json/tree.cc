// The walk of JSON and its tree: they agree with a reader that was written apart from them, what is written
// back out is the same tree, and numbers and strings survive on their way to columns. The first byte of
// the input says where it is cut; see input.h for bytes that stand for much text.
#include <cstddef>
#include <cstdint>
#include <string>

#include "fuzz/json/input.h"
#include "fuzz/json/oracle.h"
#include "fuzz/json/reference.h"
#include "json/document.h"
#include "json/shape.h"

namespace {

using namespace sd;
using namespace sd::fuzz;
using json::Outcome;

bool same(const RowTree& a, RowTree::Index i, const RowTree& b, RowTree::Index k) {
  if (i == RowTree::kNone || k == RowTree::kNone) return i == k;
  const RowTree::Value& x = a[i];
  const RowTree::Value& y = b[k];
  if (x.kind != y.kind || x.boolean != y.boolean || x.is_integer != y.is_integer) return false;
  if (x.key != y.key || x.text != y.text) return false;
  if (!same(a, x.first, b, y.first)) return false;
  return i == RowTree::kRoot || same(a, x.next, b, y.next);
}

bool same(const RowTree& tree, RowTree::Index i, const json::Value& value) {
  const RowTree::Value& node = tree[i];
  if (node.kind != value.kind() || node.text != value.text()) return false;
  if (node.kind == ValueKind::kBool && node.boolean != value.as_bool()) return false;
  std::size_t n = 0;
  for (RowTree::Index each = node.first; each != RowTree::kNone; each = tree[each].next, ++n) {
    if (value.is_array()) {
      if (n >= value.elements().size() || !same(tree, each, value.elements()[n])) return false;
    } else {
      if (n >= value.members().size() || tree[each].key != value.members()[n].first ||
          !same(tree, each, value.members()[n].second)) {
        return false;
      }
      // Of a key that is there twice a tree finds the first, a document the last.
      const RowTree::Index found = tree.find(i, tree[each].key);
      if (found > each || tree[found].key != tree[each].key) return false;
    }
  }
  return n == (value.is_array() ? value.elements().size() : value.members().size());
}

// A scalar on its way to a column of its own.
void check_scalar(const RowTree& tree, RowTree::Index i) {
  const Cell cell = json::cell_of(tree[i]);
  const std::string wanted = normal(tree, i);
  require(normal(cell) == wanted, "a cell holds what was sent", wanted);
  json::TypeState state;
  state.add(cell);
  if (state.has_values()) require(stored(cell, state.type()) == wanted, "its column does", wanted);
}

void check_tree(const RowTree& tree, std::string_view text) {
  std::string written;
  tree.append_json(RowTree::kRoot, written);
  RowTree again;
  require(read(again, written), "a tree is written as JSON", written);
  require(same(tree, RowTree::kRoot, again, RowTree::kRoot), "which is the same tree", written);
  std::string twice;
  again.append_json(RowTree::kRoot, twice);
  require(written == twice, "and written the same way", written);

  const auto document = json::parse_document(text);
  require(document && same(tree, RowTree::kRoot, *document), "a document is the tree", text);
  const RowTree::Value& root = tree[RowTree::kRoot];
  if (!root.is_container()) check_scalar(tree, RowTree::kRoot);
  for (RowTree::Index i = root.first; i != RowTree::kNone; i = tree[i].next) {
    if (!tree[i].is_container()) check_scalar(tree, i);
  }

  const json::Shape shape = json::Shape::of(tree, RowTree::kRoot);
  const auto back = json::Shape::parse(shape.to_json());
  require(back && *back == shape, "a shape is read back as it was written", shape.to_json());
  require(stored(tree, RowTree::kRoot, shape.type()) == normal(tree), "its type holds the value");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string text = written_out({reinterpret_cast<const char*>(data) + 1, size - 1});
  const Reference reference = Reference::read(text);
  const json::ParseResult parsed = json::validate(text);
  std::size_t end = parsed.end;
  while (parsed.outcome == Outcome::kOk && end < text.size() && json::is_space(text[end])) ++end;
  const bool whole = parsed.outcome == Outcome::kOk && end == text.size();
  require(whole == reference.is_json, "what is JSON is JSON", text);

  RowTree tree;
  tree.begin_row();
  const json::ParseResult walked = json::Parser<RowTree>(tree).parse(text, 0, true);
  require(walked.outcome == parsed.outcome && walked.end == parsed.end &&
              walked.kind == parsed.kind && walked.defect == parsed.defect &&
              walked.defect_offset == parsed.defect_offset &&
              std::string_view(walked.message) == parsed.message,
          "with and without a handler a walk ends the same", text);
  if (!whole) {
    require(!json::parse_document(text), "what is no JSON is no document", text);
    return 0;
  }
  // A part of it is never taken for the whole, nor for wrong.
  const std::size_t part = std::min<std::size_t>(data[0], parsed.end - 1);
  require(json::validate(std::string_view(text).substr(0, part), 0, false).outcome ==
              Outcome::kIncomplete,
          "a part is not complete", text);
  require((parsed.defect == json::Defect::kNone) == reference.defects.empty(),
          "a defect is a defect", text);
  if (parsed.defect != json::Defect::kNone) {
    require(reference.defects.contains(parsed.defect), "and this one", text);
    return 0;
  }
  require(normal(tree) == reference.normal, "a tree is what was sent", text);
  check_tree(tree, text);
  return 0;
}
