#include "query/gate_tree.h"

#include <charconv>
#include <optional>

#include "base/ascii.h"
#include "query/gate_policy.h"
#include "query/sql_tokens.h"

namespace sd::query {
namespace {

constexpr std::size_t kMaxNesting = 1'000'000;
constexpr std::string_view kNotSelect = "Only SELECT statements can be serialized to json!";

// What is remembered of an object until it closes.
struct Node {
  std::string_view key;  // under which it stands in its parent
  bool array = false;
  // Values still as they stand in the text, between their quotes.
  std::string_view expression_class, type, function;
  std::string_view table, table_schema, table_catalog;
  std::string_view error, position;
  std::string_view location;
  bool at_clause = false;
  bool export_state = false;
  bool failed = false;
  bool has_node = false;
};

// The text of a JSON string, escapes resolved.
std::string unescape(std::string_view raw) {
  std::string out;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '\\' || i + 1 == raw.size()) {
      out += raw[i];
      continue;
    }
    switch (raw[++i]) {
      case 'n':
        out += '\n';
        break;
      case 't':
        out += '\t';
        break;
      case 'r':
        out += '\r';
        break;
      case 'b':
        out += '\b';
        break;
      case 'f':
        out += '\f';
        break;
      case 'u': {
        // yyjson writes control characters so, and nothing else.
        unsigned code = 0;
        if (i + 4 < raw.size()) std::from_chars(&raw[i + 1], &raw[i + 1] + 4, code, 16);
        out += static_cast<char>(code & 0x7F);
        i += 4;
        break;
      }
      default:
        out += raw[i];
    }
  }
  return out;
}

class Walk {
 public:
  Walk(std::string_view tree, const std::function<std::size_t(std::size_t)>& where)
      : rest_(tree), where_(where) {}

  Result<TreeFindings> run() {
    while (!rest_.empty()) TRY(step());
    if (!nodes_.empty() || !done_) return broken();
    return std::move(findings_);
  }

 private:
  static std::unexpected<Error> broken() {
    return fail(ErrorCode::kInternal, "the statement's syntax tree could not be read");
  }

  // One token of JSON.
  Result<> step() {
    const char c = rest_.front();
    switch (c) {
      case '{':
      case '[':
        if (nodes_.size() >= kMaxNesting) return fail(refusal("a statement nested so deeply", {}));
        nodes_.push_back({.key = key_, .array = c == '['});
        key_ = {};
        rest_.remove_prefix(1);
        return {};
      case '}':
      case ']': {
        rest_.remove_prefix(1);
        if (nodes_.empty() || nodes_.back().array != (c == ']')) return broken();
        const Node node = nodes_.back();
        nodes_.pop_back();
        done_ = nodes_.empty();
        if (!nodes_.empty() && !node.array) {
          if (node.key == "at_clause") nodes_.back().at_clause = true;
          if (node.key == "node") nodes_.back().has_node = true;
        }
        return node.array ? Result<>() : judge(node);
      }
      case ',':
        rest_.remove_prefix(1);
        return {};
      case '"':
        return string();
      default:
        return scalar();
    }
  }

  Result<> string() {
    std::size_t end = 1;
    while (true) {
      end = rest_.find_first_of("\"\\", end);
      if (end == std::string_view::npos) return broken();
      if (rest_[end] == '"') break;
      end += 2;
    }
    const std::string_view text = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    if (nodes_.empty()) return broken();
    if (nodes_.back().array) return {};
    if (key_.empty()) {
      if (rest_.empty() || rest_.front() != ':') return broken();
      rest_.remove_prefix(1);
      key_ = text;
      return {};
    }
    remember(text);
    return {};
  }

  Result<> scalar() {
    const std::size_t end = rest_.find_first_of(",]}");
    if (end == 0 || end == std::string_view::npos || nodes_.empty()) return broken();
    const std::string_view text = rest_.substr(0, end);
    rest_.remove_prefix(end);
    if (nodes_.back().array) return {};
    Node& node = nodes_.back();
    if (key_ == "query_location") node.location = text;
    if (key_ == "export_state") node.export_state = text == "true";
    if (key_ == "error") node.failed = text == "true";
    key_ = {};
    return {};
  }

  void remember(std::string_view text) {
    Node& node = nodes_.back();
    const auto take = [&](std::string_view key, std::string_view Node::*member) {
      if (key_ == key) node.*member = text;
    };
    take("class", &Node::expression_class);
    take("type", &Node::type);
    take("function_name", &Node::function);
    take("table_name", &Node::table);
    take("schema_name", &Node::table_schema);
    take("catalog_name", &Node::table_catalog);
    take("error_message", &Node::error);
    take("position", &Node::position);
    key_ = {};
  }

  Error refusal(const std::string& what, std::string_view location) const {
    Error error = invalid(what + " is not allowed here").with_slug("sql-not-allowed");
    if (const auto at = offset(location)) {
      error.members.emplace_back("sql_position", std::to_string(where_(*at)));
    }
    return error;
  }
  static std::optional<std::size_t> offset(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc() || end != text.data() + text.size() || value == UINT64_MAX) {
      return std::nullopt;
    }
    return value;
  }

  Result<> judge(const Node& node) {
    if (node.failed) {
      Error error = invalid(unescape(node.error)).with_slug("sql-syntax");
      if (const auto at = offset(node.position)) {
        error.members.emplace_back("sql_position", std::to_string(where_(*at)));
      }
      return fail(std::move(error));
    }
    if (!node.expression_class.empty()) return judge_expression(node);
    if (node.type.empty()) {
      // {"node":…} in "statements" is a whole statement; elsewhere a subquery.
      if (node.has_node && nodes_.size() == 2) ++findings_.statements;
      return {};
    }
    if (!is_allowed_node_type(node.type)) {
      return fail(refusal("a " + unescape(node.type), node.location));
    }
    if (node.type == "BASE_TABLE") return judge_table(node);
    if (node.type == "SHOW_REF") return judge_show(node);
    return {};
  }

  Result<> judge_expression(const Node& node) {
    if (!is_allowed_expression_class(node.expression_class)) {
      return fail(refusal("a " + unescape(node.expression_class), node.location));
    }
    if (node.function.empty()) return {};
    const std::string name = fold_ascii(unescape(node.function));
    if (node.key == "function") {  // of a TABLE_FUNCTION
      if (is_allowed_table_function(name)) return {};
      return fail(refusal("the table function \"" + name + "\"", node.location));
    }
    if (is_denied_function(name))
      return fail(refusal("the function \"" + name + "\"", node.location));
    if (node.export_state) return fail(refusal("EXPORT_STATE", node.location));
    return {};
  }

  Result<> judge_table(const Node& node) {
    if (node.at_clause) return fail(refusal("AT (time travel)", node.location));
    TableReference table{unescape(node.table_catalog), unescape(node.table_schema),
                         unescape(node.table), 0};
    if (is_denied_view(fold_ascii(table.table))) {
      return fail(refusal("the view \"" + fold_ascii(table.table) + "\"", node.location));
    }
    if (table.catalog.empty() && table.schema.empty() &&
        table.table.find('.') == std::string::npos) {
      return {};
    }
    // The rows so far of a recursive CTE USING KEY.
    if (table.catalog.empty() && table.schema == "recurring") return {};
    if (const auto at = offset(node.location)) table.position = where_(*at);
    findings_.to_resolve.push_back(std::move(table));
    return {};
  }

  Result<> judge_show(const Node& node) {
    std::string name = fold_ascii(unescape(node.table));
    if (name.size() >= 2 && name.front() == '"' && name.back() == '"') {
      name = name.substr(1, name.size() - 2);
    }
    if (is_allowed_show(name)) return {};
    return fail(refusal("SHOW " + name, node.location));
  }

  std::string_view rest_;
  const std::function<std::size_t(std::size_t)>& where_;
  std::string_view key_;
  std::vector<Node> nodes_;
  bool done_ = false;
  TreeFindings findings_;
};

}  // namespace

Result<TreeFindings> walk_tree(std::string_view tree,
                               const std::function<std::size_t(std::size_t)>& where) {
  return Walk(tree, where).run();
}

bool is_not_a_select(std::string_view tree) {
  return tree.starts_with("{\"error\":true") && tree.find(kNotSelect) != std::string_view::npos;
}

}  // namespace sd::query
