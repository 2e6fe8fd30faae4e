#include "server/config_yaml.h"

#include <yaml-cpp/yaml.h>

#include <set>

namespace sd::server {
namespace {

// Deeper than any configuration; an alias inside of itself would never end.
constexpr int kDeepest = 32;

struct Converter {
  const std::string& source;
  std::vector<Problem>& errors;

  static int line_of(const YAML::Mark& mark) { return mark.is_null() ? 0 : mark.line + 1; }

  void complain(int line, std::string key, std::string message) {
    errors.push_back(
        {.source = source, .line = line, .key = std::move(key), .message = std::move(message)});
  }

  YamlNode convert(const YAML::Node& from, int depth) {
    YamlNode out;
    out.line = line_of(from.Mark());
    if (depth > kDeepest) {
      complain(out.line, "", "is nested too deeply");
      return out;
    }
    if (from.IsScalar()) {
      out.kind = YamlNode::Kind::kScalar;
      out.scalar = from.Scalar();
    } else if (from.IsSequence()) {
      out.kind = YamlNode::Kind::kList;
      for (const YAML::Node& item : from) out.items.push_back(convert(item, depth + 1));
    } else if (from.IsMap()) {
      out.kind = YamlNode::Kind::kMap;
      convert_members(from, out, depth);
    }
    return out;
  }

  void convert_members(const YAML::Node& from, YamlNode& out, int depth) {
    std::set<std::string> seen;
    for (const auto& member : from) {
      const int line = line_of(member.first.Mark());
      if (!member.first.IsScalar()) {
        complain(line, "", "a key must be a word");
        continue;
      }
      const std::string& key = member.first.Scalar();
      if (!seen.insert(key).second) {
        complain(line, key, "stands twice in the same section");
        continue;
      }
      out.members.push_back({.key = key, .line = line, .value = convert(member.second, depth + 1)});
    }
  }
};

}  // namespace

YamlNode parse_yaml(std::string_view text, const std::string& source,
                    std::vector<Problem>& errors) {
  Converter converter{source, errors};
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(std::string(text));
    if (documents.empty()) return {};
    if (documents.size() > 1) {
      converter.complain(0, "", "holds more than one YAML document");
      return {};
    }
    return converter.convert(documents.front(), 0);
  } catch (const YAML::Exception& error) {
    converter.complain(Converter::line_of(error.mark), "", "is not valid YAML: " + error.msg);
  } catch (const std::exception&) {
    converter.complain(0, "", "is not valid YAML");
  }
  return {};
}

}  // namespace sd::server
