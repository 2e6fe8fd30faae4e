// Inside of the configuration: a YAML document as a tree of ours, with line numbers. yaml-cpp is
// seen by config_yaml.cc only.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/config.h"

namespace sd::server {

struct YamlNode {
  enum class Kind { kNull, kScalar, kList, kMap };
  struct Member;

  Kind kind = Kind::kNull;
  int line = 0;  // from 1
  std::string scalar;
  std::vector<YamlNode> items;
  std::vector<Member> members;  // in the order of the file
};

struct YamlNode::Member {
  std::string key;
  int line = 0;
  YamlNode value;
};

// The tree (null for an empty document). Syntax errors, keys given twice and keys that are no words
// are added to `errors`; what could be read stays in the tree.
YamlNode parse_yaml(std::string_view text, const std::string& source, std::vector<Problem>& errors);

}  // namespace sd::server
