// ?column=value: which rows a tail shows.
//
// A column is a key of the document, or a path in it that is joined with '_', as flattening names columns, or with '.';
// in any ASCII case. Where several places could be meant, one that matches suffices; of several filters each must match.
// Values are compared as they are spelled: a number by its token, a string by its text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/exchange.h"

namespace sd::api {

class TailFilter {
 public:
  TailFilter() = default;
  // Of all of a URL's parameters but `own`.
  TailFilter(std::vector<http::Parameter> parameters, const std::vector<std::string>& own);

  bool empty() const { return filters_.empty(); }
  bool matches(std::string_view document) const;

 private:
  std::vector<http::Parameter> filters_;
};

}  // namespace sd::api
