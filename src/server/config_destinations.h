// Inside of the configuration: the lists `destinations` and `api_keys`, which no flag can spell.
#pragma once

#include <string>
#include <vector>

#include "server/config.h"
#include "server/config_yaml.h"

namespace sd::server {

struct Problems {
  std::vector<Problem>& warnings;
  std::vector<Problem>& errors;
  std::string source;

  void warn(int line, std::string key, std::string message) {
    warnings.push_back({source, line, std::move(key), std::move(message)});
  }
  void fail(int line, std::string key, std::string message) {
    errors.push_back({source, line, std::move(key), std::move(message)});
  }
};

// destinations: [{type, name, api_keys, settings}]
std::vector<DestinationConfig> read_destinations(const YamlNode& list, Problems problems);

// api_keys: [{key: TEXT}] or plain texts.
std::vector<std::string> read_admin_keys(const YamlNode& list, Problems problems);

// Names, files and keys that stand twice.
void check_destinations(const Config& config, Problems problems);

// A key is 1–255 bytes without blanks and control characters, so that it fits into a header.
bool is_usable_key(const std::string& key);

}  // namespace sd::server
