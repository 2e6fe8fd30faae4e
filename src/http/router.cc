#include "http/router.h"

#include <algorithm>
#include <array>

#include "base/result.h"

namespace sd::http {
namespace {

// A path cut at its slashes; on the stack, because every request does it. No pattern is deeper than
// kMaxSegments, so a path with more fits none and has no segments at all.
constexpr std::size_t kMaxSegments = 16;
struct Segments {
  std::array<std::string_view, kMaxSegments> items;
  std::size_t size = 0;
  std::string_view operator[](std::size_t i) const { return items[i]; }
};

Segments split_segments(std::string_view path) {
  Segments segments;
  if (path.empty() || path.front() != '/') return segments;
  path.remove_prefix(1);
  for (;;) {
    const std::size_t slash = path.find('/');
    if (segments.size == kMaxSegments) return {};
    segments.items[segments.size++] = path.substr(0, slash);
    if (slash == std::string_view::npos) return segments;
    path.remove_prefix(slash + 1);
  }
}

// A broken escape means itself: a table may be called "100%".
std::string decoded(std::string_view segment) {
  if (segment.find('%') == std::string_view::npos) return std::string(segment);
  return percent_decode(segment, false).value_or(std::string(segment));
}

bool is_parameter(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}
std::string_view parameter_name(std::string_view segment) {
  return segment.substr(1, segment.size() - 2);
}

}  // namespace

struct Router::Node {
  using Children = std::map<std::string, std::unique_ptr<Node>, std::less<>>;
  Children literals;
  Children stems;                   // by b, of b.{c}
  std::unique_ptr<Node> parameter;  // {name}
  std::unique_ptr<Node> dotted;     // {b}.{c}
  // Routes that end here, at most one a method. Names of parameters belong to the route: two
  // patterns of the same shape may call theirs differently.
  struct End {
    Route* route;
    std::vector<std::string> names;
  };
  std::vector<End> ends;

  Node& child(std::string_view segment, std::vector<std::string>& names);
  bool has(std::string_view method) const {
    return std::ranges::any_of(ends, [&](const End& end) { return end.route->method == method; });
  }
  // Whether a request of this method ends here; "" is any.
  bool answers(std::string_view method) const {
    return method.empty() ? !ends.empty() : has(method) || (method == "HEAD" && has("GET"));
  }
  const Node* find(std::string_view method, const Segments& segments, std::size_t at,
                   std::vector<std::string>& values) const;
};

Router::Node& Router::Node::child(std::string_view segment, std::vector<std::string>& names) {
  const std::size_t joint = segment.find("}.{");
  const std::size_t dot = segment.find(".{");
  std::unique_ptr<Node>* slot = nullptr;
  if (joint != std::string_view::npos) {
    names.emplace_back(parameter_name(segment.substr(0, joint + 1)));
    names.emplace_back(parameter_name(segment.substr(joint + 2)));
    slot = &dotted;
  } else if (dot != std::string_view::npos) {
    names.emplace_back(parameter_name(segment.substr(dot + 1)));
    slot = &stems[std::string(segment.substr(0, dot))];
  } else if (is_parameter(segment)) {
    names.emplace_back(parameter_name(segment));
    slot = &parameter;
  } else {
    slot = &literals[std::string(segment)];
  }
  if (*slot == nullptr) *slot = std::make_unique<Node>();
  return **slot;
}

// Depth first: the literal, then the literal stem, the dotted pair, the parameter, so that the most
// literal pattern that fits the whole path and the method wins.
const Router::Node* Router::Node::find(std::string_view method, const Segments& segments,
                                       std::size_t at, std::vector<std::string>& values) const {
  if (at == segments.size) return answers(method) ? this : nullptr;
  const std::string_view raw = segments[at];
  if (!literals.empty()) {
    const bool escaped = raw.find('%') != std::string_view::npos;
    const auto literal = escaped ? literals.find(decoded(raw)) : literals.find(raw);
    if (literal != literals.end()) {
      if (const Node* node = literal->second->find(method, segments, at + 1, values)) return node;
    }
  }
  const std::size_t held = values.size();
  const std::size_t dot = raw.rfind('.');
  const bool splits = dot != std::string_view::npos && dot > 0 && dot + 1 < raw.size();
  if (splits && !stems.empty()) {
    const auto stem = stems.find(decoded(raw.substr(0, dot)));
    if (stem != stems.end()) {
      values.push_back(decoded(raw.substr(dot + 1)));
      if (const Node* node = stem->second->find(method, segments, at + 1, values)) return node;
      values.resize(held);
    }
  }
  if (dotted && splits) {
    values.push_back(decoded(raw.substr(0, dot)));
    values.push_back(decoded(raw.substr(dot + 1)));
    if (const Node* node = dotted->find(method, segments, at + 1, values)) return node;
    values.resize(held);
  }
  if (parameter && !raw.empty()) {
    values.push_back(decoded(raw));
    if (const Node* node = parameter->find(method, segments, at + 1, values)) return node;
    values.resize(held);
  }
  return nullptr;
}

Router::Router() : root_(std::make_unique<Node>()) {}
Router::~Router() = default;
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;

void Router::add(std::string method, std::string pattern, Handler handler) {
  SD_ASSERT(pattern.starts_with('/'));
  auto route = std::make_unique<Route>(
      Route{std::move(method), std::move(pattern), std::move(handler), routes_.size()});
  std::vector<std::string> names;
  Node* node = root_.get();
  const Segments segments = split_segments(route->pattern);
  SD_ASSERT(segments.size > 0);
  for (std::size_t i = 0; i < segments.size; ++i) node = &node->child(segments[i], names);
  for (const Node::End& end : node->ends) SD_ASSERT(end.route->method != route->method);
  node->ends.push_back({route.get(), std::move(names)});
  routes_.push_back(std::move(route));
}

Match Router::match(std::string_view method, std::string_view path) const {
  Match match;
  std::vector<std::string> values;
  const Segments segments = split_segments(path);
  const Node* node = root_->find(method, segments, 0, values);
  if (node == nullptr) node = root_->find("", segments, 0, values);
  if (node == nullptr) return match;
  const auto with = [node](std::string_view wanted) {
    return std::find_if(node->ends.begin(), node->ends.end(),
                        [wanted](const Node::End& end) { return end.route->method == wanted; });
  };
  auto end = with(method);
  if (end == node->ends.end() && method == "HEAD") end = with("GET");
  if (end == node->ends.end()) {
    for (const Node::End& other : node->ends) {
      match.allow += other.route->method + ", ";
      if (other.route->method == "GET" && with("HEAD") == node->ends.end()) match.allow += "HEAD, ";
    }
    if (with("OPTIONS") == node->ends.end()) match.allow += "OPTIONS, ";
    match.allow.resize(match.allow.size() - 2);
    return match;
  }
  match.route = end->route;
  match.parameters.reserve(values.size());
  for (std::size_t i = 0; i < values.size(); ++i)
    match.parameters.emplace_back(end->names[i], std::move(values[i]));
  return match;
}

const std::vector<std::unique_ptr<Route>>& Router::routes() const {
  return routes_;
}

}  // namespace sd::http
