// What the resources of the API have in common: pages of lists, JSON bodies, errors.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "api/access.h"
#include "base/words.h"
#include "json/document.h"

namespace sd::api {

inline constexpr std::uint64_t kMaxObjectBytes = 4U << 20;

// 400 /problems/invalid-parameter, with the member "parameter" where it is about one.
Error parameter_error(std::string message, std::string_view name = {});
// The same of an error that another room has put into words.
Error as_parameter(Error error);
// A member that is null where there is no limit, 0.
void write_limit(json::Writer& w, std::string_view name, std::uint64_t limit);
// A list that is null where nothing is left out.
void write_names(json::Writer& w, std::string_view member,
                 const std::optional<std::vector<std::string>>& names);
void write_scopes(json::Writer& w, catalog::Scopes scopes);
// 404 in the same words whether the thing never was or belongs to somebody else.
Error no_such(std::string_view what);

// ?limit= (1–1000, default 100) and ?after=, as every list takes them.
struct ListRequest {
  int limit = 100;
  std::optional<std::string> after;
};
Result<ListRequest> read_list_request(const Query& query);
// The same where `after` is an id; kInvalidArgument where it is none.
Result<catalog::PageRequest> read_page_request(const Query& query);

// Answers with what the work results in, or with its error as a problem.
using Work = Task<Result<http::Response>> (*)(App& app, http::Exchange& exchange);
Task<void> answer_with(App& app, http::Exchange& exchange, Work work);
http::Response no_content();  // 204

// {"data":[…],"next":…}: `items` are JSON already; next is null at the end of the list.
std::string list_json(const std::vector<std::string>& items,
                      const std::optional<std::string>& next);

// A request's body that must be one JSON object. An empty body is an empty object.
Task<Result<json::Value>> read_object(http::Exchange& exchange);

// {"a","b"} → 400 that names the first member that is none of `known`, and the nearest of them.
Result<> check_members(const json::Value& object, const std::vector<std::string>& known);

// The same of the parameters of a URL.
Result<> check_parameters(const Query& query, const std::vector<std::string>& known);

// Items of a catalog's list for which `keep` holds, as many as asked for: the pages behind it hold
// those also that are over.
template <typename T>
Result<catalog::Page<T>> kept_page(
    const catalog::PageRequest& wanted,
    const std::function<Result<catalog::Page<T>>(catalog::PageRequest)>& fetch,
    const std::function<bool(const T&)>& keep) {
  catalog::Page<T> out;
  catalog::PageRequest request{.limit = 1000, .after = wanted.after};
  while (true) {
    TRY_ASSIGN(catalog::Page<T> page, fetch(request));
    for (T& item : page.items) {
      if (!keep(item)) continue;
      if (static_cast<int>(out.items.size()) == wanted.limit) {
        out.next = out.items.back().id;
        return out;
      }
      out.items.push_back(std::move(item));
    }
    if (!page.next) return out;
    request.after = page.next;
  }
}

}  // namespace sd::api
