#include "json/path.h"

#include "base/json_text.h"

namespace sd::json {

PathTree::PathTree() {
  nodes_.emplace_back();
}

PathTree::Node PathTree::add(Node parent, Tag tag) {
  Place& place = nodes_.emplace_back();
  place.parent = parent;
  place.tag = tag;
  return static_cast<Node>(nodes_.size() - 1);
}

PathTree::Node PathTree::child(Node node, std::string_view key) {
  Place& place = nodes_[static_cast<std::size_t>(node)];
  auto& children = place.children;
  const auto key_of = [&](Node n) -> std::string_view {
    return nodes_[static_cast<std::size_t>(n)].key;
  };
  if (place.expected >= children.size()) place.expected = 0;
  if (place.expected < children.size() && key_of(children[place.expected]) == key) {
    return children[place.expected++];
  }
  if (children.size() < kSmall) {
    for (std::uint32_t i = 0; i < children.size(); ++i) {
      if (key_of(children[i]) == key) {
        place.expected = i + 1;
        return children[i];
      }
    }
  } else {
    const auto found = place.by_key.find(key);
    if (found != place.by_key.end()) {
      // The children of a wide object rarely come in order of appearance: guess the next one.
      place.expected = nodes_[static_cast<std::size_t>(found->second)].index + 1;
      return found->second;
    }
  }
  const Node added = add(node, Tag::kKey);
  Place& leaf = nodes_[static_cast<std::size_t>(added)];
  leaf.key = key;
  leaf.index = static_cast<std::uint32_t>(children.size());
  children.push_back(added);
  if (children.size() == kSmall) {
    for (const Node n : children) place.by_key.emplace(key_of(n), n);
  } else if (children.size() > kSmall) {
    place.by_key.emplace(leaf.key, added);
  }
  place.expected = static_cast<std::uint32_t>(children.size());
  return added;
}

PathTree::Node PathTree::element(Node node, std::uint32_t index) {
  auto& elements = nodes_[static_cast<std::size_t>(node)].elements;
  while (elements.size() <= index) {
    const Node added = add(node, Tag::kElement);
    nodes_[static_cast<std::size_t>(added)].index = static_cast<std::uint32_t>(elements.size());
    elements.push_back(added);
  }
  return elements[index];
}

PathTree::Node PathTree::again(Node node) {
  Place& place = nodes_[static_cast<std::size_t>(node)];
  if (place.again < 0) {
    const Node added = add(node, Tag::kAgain);
    nodes_[static_cast<std::size_t>(added)].index = place.tag == Tag::kAgain ? place.index + 1 : 1;
    place.again = added;
  }
  return place.again;
}

std::string PathTree::path(Node node) const {
  std::vector<Node> way;
  for (Node n = node; n != kRoot;) {
    way.push_back(n);
    const Place& place = nodes_[static_cast<std::size_t>(n)];
    n = place.parent;
    // A chain of "again" counts once, with the last one's number.
    while (place.tag == Tag::kAgain && nodes_[static_cast<std::size_t>(n)].tag == Tag::kAgain) {
      n = nodes_[static_cast<std::size_t>(n)].parent;
    }
  }
  std::string out = "[";
  for (auto it = way.rbegin(); it != way.rend(); ++it) {
    const Place& place = nodes_[static_cast<std::size_t>(*it)];
    if (out.size() > 1) out += ',';
    if (place.tag == Tag::kKey)
      append_json_string(out, place.key);
    else if (place.tag == Tag::kElement)
      out += std::to_string(place.index);
    else
      out += "{\"again\":" + std::to_string(place.index) + "}";
  }
  return out + "]";
}

std::string PathTree::name(Node node) const {
  std::string out;
  bool first = true;
  for (Node n = node; n != kRoot;) {
    const Place& place = nodes_[static_cast<std::size_t>(n)];
    n = place.parent;
    if (place.tag == Tag::kAgain) continue;
    const std::string part = place.tag == Tag::kKey ? place.key : std::to_string(place.index);
    out = first ? part : part + "_" + out;
    first = false;
  }
  return out;
}

}  // namespace sd::json
