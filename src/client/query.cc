#include "client/query.h"

#include <algorithm>
#include <ostream>

#include "base/ids.h"
#include "client/connection.h"
#include "client/report.h"
#include "client/table.h"
#include "client/url.h"
#include "json/document.h"

namespace sd::client {
namespace {

constexpr std::chrono::seconds kConnectLimit{30};
constexpr std::chrono::seconds kCancelLimit{2};

bool is_binary(std::string_view format) {
  return format == "parquet" || format == "arrow" || format == "xlsx";
}

// The line of the statement that an error points at, and a mark under the place.
std::string pointed_out(std::string_view sql, std::uint64_t position) {
  if (position > sql.size()) return "";
  const std::size_t before = sql.substr(0, position).rfind('\n');
  const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
  const std::string_view line = sql.substr(begin, sql.find('\n', begin) - begin);
  const std::string mark(display_width(printable(line.substr(0, position - begin))), ' ');
  return "  " + printable(line) + "\n  " + mark + "^\n";
}

class Run {
 public:
  Run(const QueryOptions& options, const QueryContext& context, Url url)
      : options_(options), context_(context), url_(std::move(url)) {
    format_ = options.format;
    if (format_.empty()) format_ = context.out_width ? "table" : "ndjson";
    if (format_ == "table") table_.emplace(context.out, context.out_width);
  }

  const std::string& format() const { return format_; }

  QueryOutcome run(const std::string& params) {
    const std::string body = body_of(params);
    const auto connection = make_connection(url_, kConnectLimit);
    const HttpRequest request{
        .method = "POST", .target = "/api/data/query", .headers = headers(), .body = body};
    const StreamTransport::Sink sink{
        .head = [this](const HttpAnswer& answer) { return take_head(answer); },
        .bytes = [this](std::string_view bytes) { return take_bytes(bytes); },
        .should_stop = [this] { return context_.interrupted.load(); }};
    const Result<> done = connection->stream(request, sink);
    if (!done && context_.interrupted) return cancel();
    if (done && table_) table_->finish();
    context_.out.flush();
    if (done && context_.out) return QueryOutcome::kDone;
    context_.err << "scratchdata: "
                 << (done ? std::string("the output cannot be written")
                          : printable(done.error().message))
                 << "\n"
                 << hint_;
    return QueryOutcome::kFailed;
  }

 private:
  std::vector<std::pair<std::string, std::string>> headers() const {
    return {{"Authorization", "Bearer " + options_.key}, {"Content-Type", "application/json"}};
  }

  std::string body_of(const std::string& params) const {
    json::Writer w;
    w.begin_object().member("query", options_.sql).member("query_id", id_.to_string());
    w.member("format", table_ ? "jsoncompact" : format_);
    if (!params.empty()) w.raw_member("params", params);
    if (options_.timeout)
      w.member("timeout_ms", static_cast<std::int64_t>(options_.timeout->count()));
    return w.end_object().take();
  }

  Result<> take_head(const HttpAnswer& answer) {
    if (answer.status == 200) return {};
    if (const auto problem = json::parse_document(answer.body)) {
      const json::Value* position = problem->find("sql_position");
      const auto at = position == nullptr ? std::nullopt : position->as_uint();
      if (at) hint_ = pointed_out(options_.sql, *at);
    }
    return fail(refused_by_server(answer));
  }

  Result<> take_bytes(std::string_view bytes) {
    if (table_) return table_->feed(bytes);
    context_.out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    context_.out.flush();
    if (context_.out) return {};
    return fail(ErrorCode::kCancelled, "the output cannot be written");
  }

  // The connection is closed already, which ends the query too; but a proxy may keep it.
  QueryOutcome cancel() {
    const auto connection = make_connection(url_, kCancelLimit);
    const HttpRequest request{.method = "DELETE",
                              .target = "/api/data/query/" + id_.to_string(),
                              .headers = headers(),
                              .body = {}};
    const Result<HttpAnswer> answer = connection->send(request);
    const bool gone = answer && (answer->status == 204 || answer->status == 404);
    context_.err << (gone ? "cancelled\n" : "interrupted; the server may still be at it\n");
    return QueryOutcome::kInterrupted;
  }

  const QueryOptions& options_;
  const QueryContext& context_;
  const Url url_;
  const Id128 id_ = Id128::make();
  std::string format_;
  std::optional<TableWriter> table_;
  std::string hint_;
};

}  // namespace

Result<std::string> params_json(const std::vector<std::string>& params) {
  if (params.empty()) return std::string();
  json::Writer w;
  w.begin_object();
  for (const std::string& param : params) {
    const std::size_t equals = param.find('=');
    if (equals == 0 || equals == std::string::npos)
      return fail(invalid("--param " + printable(param) + ": NAME=VALUE is wanted"));
    const std::string name = param.substr(0, equals), value = param.substr(equals + 1);
    if (const auto parsed = json::parse_document(value))
      w.raw_member(name, json::to_json(*parsed));
    else
      w.member(name, value);
  }
  return w.end_object().take();
}

QueryOutcome run_query(const QueryOptions& options, const QueryContext& context) {
  const auto refuse = [&](const std::string& why) {
    context.err << "scratchdata: " << why << "\n";
    return QueryOutcome::kUsage;
  };
  const Result<Url> url = parse_url(options.url);
  if (!url) return refuse(url.error().message);
  const Result<std::string> params = params_json(options.params);
  if (!params) return refuse(params.error().message);
  Run run(options, context, *url);
  if (is_binary(run.format()) && context.out_width) {
    return refuse(run.format() + " is nothing for a terminal: send it to a file, as in > result." +
                  run.format());
  }
  return run.run(*params);
}

}  // namespace sd::client
