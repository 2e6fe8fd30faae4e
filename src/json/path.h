// The keys on the way to a value, as a tree that is shared by the rows of a table: each node is one
// place in a document, each leaf place becomes a column. Looking up the next key of a row that is
// shaped like the one before costs one comparison.
//
// Two different places never share a node: the key "0" and the array element 0 are two, and the second
// value of a key that stands twice in one object is a place of its own (again()).
//
// One thread. Nodes live as long as the tree.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sd::json {

class PathTree {
 public:
  using Node = std::int32_t;
  static constexpr Node kRoot = 0;

  PathTree();

  Node child(Node node, std::string_view key);
  Node element(Node node, std::uint32_t index);
  // The place of the next value where `node` has one in this row already.
  Node again(Node node);

  // The identity of a place, as JSON: ["user","tags",0], and ["a",{"again":1}] for a repeated key.
  std::string path(Node node) const;
  // Keys and indexes joined with '_': user_tags_0. What a column is named where nothing collides.
  std::string name(Node node) const;
  std::size_t size() const { return nodes_.size(); }

 private:
  enum class Tag : std::uint8_t { kRoot, kKey, kElement, kAgain };
  struct Place {
    Node parent = -1;
    Tag tag = Tag::kRoot;
    std::uint32_t index = 0;  // of an element; how often again
    std::string key;
    std::uint32_t expected = 0;  // which child the next look-up probably wants
    std::vector<Node> children;  // by key, in order of appearance
    std::unordered_map<std::string_view, Node> by_key;  // used from kSmall children on
    std::vector<Node> elements;
    Node again = -1;
  };
  static constexpr std::size_t kSmall = 8;

  Node add(Node parent, Tag tag);

  std::deque<Place> nodes_;  // a deque: keys stay where they are
};

}  // namespace sd::json
