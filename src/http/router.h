// The table of routes. Patterns are literal segments and {name} segments; "/a/{b}.{c}" and
// "/a/b.{c}" split a segment at its last dot. Among the patterns that fit the path and have a route of
// the request's method, a literal wins over a parameter; where a path fits and no pattern has the method,
// that is a 405. Segments are cut first, then percent-decoded, so an encoded slash is part of a
// parameter. Built once at start, then only read.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/exchange.h"

namespace sd::http {

using Handler = std::function<Task<void>(Exchange&)>;

struct Route {
  std::string method;
  std::string pattern;
  Handler handler;
  std::size_t index = 0;  // in Router::routes()
};

struct Match {
  const Route* route = nullptr;  // null: no route
  // Where the path exists with other methods: for the Allow header of a 405. Empty: 404.
  std::string allow;
  std::vector<std::pair<std::string_view, std::string>> parameters;  // decoded
};

class Router {
 public:
  Router();
  ~Router();
  Router(Router&&) noexcept;
  Router& operator=(Router&&) noexcept;

  // A GET route answers HEAD too. Panics on the same method and pattern twice.
  void add(std::string method, std::string pattern, Handler handler);
  Match match(std::string_view method, std::string_view path) const;
  // Every route, in the order of add().
  const std::vector<std::unique_ptr<Route>>& routes() const;

 private:
  struct Node;
  std::unique_ptr<Node> root_;
  std::vector<std::unique_ptr<Route>> routes_;
};

}  // namespace sd::http
