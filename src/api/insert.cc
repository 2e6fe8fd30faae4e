#include "api/insert.h"

#include "api/idempotency.h"
#include "api/insert_body.h"
#include "api/insert_options.h"
#include "api/insert_store.h"
#include "json/schema.h"

namespace sd::api {
namespace {

constexpr std::chrono::milliseconds kTurnLimit{30'000};
constexpr std::uint64_t kMaxFormBytes = 16U << 20;

// An insert on its way: what is known of it, and by whose leave it goes on.
struct Insert {
  App& app;
  http::Exchange& exchange;
  const std::string table;
  const Query query;
  InsertOptions options;
  Access access;
  std::optional<Id128> key;     // hash of its Idempotency-Key
  IdempotencyTurns::Turn turn;  // of that key

  // Blobs of the journal, and nothing for a dry run.
  journal::Log* log() const { return options.dry_run ? nullptr : &access.tenant->log(); }
};

// What can be said of a request before its rows are read, to one who has shown a key.
Result<> may_insert(Insert& insert) {
  if (insert.options.error) return fail(*insert.options.error);
  if (!json::is_valid_name(insert.table)) {
    return fail(invalid("a table's name is 1 to 255 bytes of UTF-8 without NUL")
                    .with_slug("invalid-table-name"));
  }
  TRY(may_use_table(insert.access, insert.table));
  // What the request says goes first, then what its key says, then the table's contract.
  const std::string& by_key = insert.access.key->flatten;
  if (!insert.options.flatten && !by_key.empty())
    insert.options.flatten = json::parse_flatten(by_key);
  // Other modes stay in the one table.
  if (insert.options.flatten.value_or(json::Flatten::kMultitable) == json::Flatten::kMultitable)
    insert.options.tables = insert.access.key->tables;
  TRY(check_content_type(insert.exchange.header("Content-Type")));
  TRY_ASSIGN(insert.key,
             read_idempotency_key(insert.exchange.header("Idempotency-Key"), insert.table));
  // A dry run is none of those requests of which one is to be stored.
  if (insert.options.dry_run) insert.key.reset();
  if (insert.app.disk_is_low && !insert.options.dry_run) {
    return fail(Error{.code = ErrorCode::kResourceExhausted,
                      .message = "the disk is almost full: nothing was stored",
                      .slug = "disk-full",
                      .retry_after_s = 30});
  }
  return {};
}

// Lets the request in: its API key, its parameters, and its turn where another one with the same
// Idempotency-Key is under way.
Task<Result<>> admit(Insert& insert, const Query* form) {
  CO_TRY_ASSIGN(insert.access, authorise(insert.app, insert.exchange, insert.query,
                                         catalog::Scope::kInsert, form));
  CO_TRY(may_insert(insert));
  if (!insert.key) co_return Result<>();
  const net::any_io_executor executor = insert.exchange.executor();
  Result<IdempotencyTurns::Turn> turn =
      co_await insert.access.tenant->idempotency().wait(executor, *insert.key, kTurnLimit);
  if (!turn) co_return std::unexpected(std::move(turn).error());
  insert.turn = std::move(*turn);
  co_return Result<>();
}

// What of the body fits in memory, and whether that is all of it.
struct Beginning {
  std::string_view borrowed;  // all of a small body, in the connection's buffer
  std::string first;          // else what has been read so far
  bool is_whole = true;
  // Never kept as a view into `first`: the bytes of a short string move with it.
  std::string_view bytes() const { return first.empty() ? borrowed : std::string_view(first); }
};

Task<Result<Beginning>> read_beginning(App& app, http::Exchange& exchange) {
  Beginning beginning;
  const std::uint64_t in_memory = app.options().inline_body_bytes;
  exchange.set_body_limit(app.options().max_body_bytes);
  const auto declared = exchange.declared_length();
  if (declared && *declared <= in_memory) {
    const std::uint64_t limit = std::min(in_memory, app.options().max_body_bytes);
    Result<std::string_view> body = co_await exchange.read_body(limit);
    if (!body) co_return std::unexpected(std::move(body).error());
    beginning.borrowed = *body;
    co_return beginning;
  }
  while (beginning.first.size() <= in_memory) {
    Result<std::string_view> read = co_await exchange.read_some();
    if (!read) co_return std::unexpected(std::move(read).error());
    if (read->empty()) co_return beginning;
    beginning.first += *read;
  }
  beginning.is_whole = false;
  co_return beginning;
}

// A form is decoded as a whole.
Task<Result<Query>> read_form(http::Exchange& exchange, Beginning& beginning) {
  while (!beginning.is_whole && beginning.first.size() <= kMaxFormBytes) {
    Result<std::string_view> read = co_await exchange.read_some();
    if (!read) co_return std::unexpected(std::move(read).error());
    beginning.is_whole = read->empty();
    beginning.first += *read;
  }
  if (!beginning.is_whole || beginning.bytes().size() > kMaxFormBytes) {
    co_return fail(invalid("a form body may have at most 16 MiB")
                       .with_status(413)
                       .with_slug("body-too-large"));
  }
  co_return parse_query(beginning.bytes());
}

// Rows that do not stay where they lie: checked as they arrive, and written to a blob where they are
// many. Nothing is kept unless all is well.
Task<Result<Rows>> take_in(Insert& insert, BodyFormat format, std::string piece, bool is_whole) {
  App& app = insert.app;
  const std::uint64_t in_memory =
      insert.options.dry_run ? kMaxDryRunBytes : app.options().inline_body_bytes;
  const RowIntake::Limits limits{.in_memory = in_memory, .total = app.options().max_body_bytes};
  const auto intake =
      std::make_unique<RowIntake>(format, insert.log(), limits, insert.key.has_value());
  const net::any_io_executor executor = insert.exchange.executor();
  const auto step = [&] { return intake->feed(piece); };
  while (!is_whole || !piece.empty()) {
    Result<> stepped = co_await run_blocking(app.blocking(), executor, step);
    CO_TRY(std::move(stepped));
    piece.clear();
    while (!is_whole && piece.size() < app.options().inline_body_bytes) {
      Result<std::string_view> read = co_await insert.exchange.read_some();
      if (!read) co_return std::unexpected(std::move(read).error());
      is_whole = read->empty();
      piece += *read;
    }
  }
  const auto finish = [&] { return intake->finish(); };
  Result<Rows> rows = co_await run_blocking(app.blocking(), executor, finish);
  co_return rows;
}

Task<Result<Rows>> rows_of_post(Insert& insert) {
  // The key first, wherever it can be seen: nobody uploads for nothing.
  const std::string_view content_type = insert.exchange.header("Content-Type");
  const bool key_may_be_in_body =
      find_secrets(insert.exchange, insert.query).empty() && is_form(content_type);
  if (!key_may_be_in_body) {
    Result<> admitted = co_await admit(insert, nullptr);
    CO_TRY(std::move(admitted));
  }
  Result<Beginning> beginning = co_await read_beginning(insert.app, insert.exchange);
  if (!beginning) co_return std::unexpected(std::move(beginning).error());
  const BodyFormat format = format_of(beginning->bytes(), content_type);
  Query form;
  if (format == BodyFormat::kForm) {
    Result<Query> read = co_await read_form(insert.exchange, *beginning);
    if (!read) co_return std::unexpected(std::move(read).error());
    form = std::move(*read);
  }
  if (key_may_be_in_body) {
    // The other fields are the row's, also one that is called like a parameter of ours.
    Query key;
    if (const std::string* secret = form.find(kKeyField))
      key.parameters.push_back({std::string(kKeyField), *secret});
    Result<> admitted = co_await admit(insert, &key);
    CO_TRY(std::move(admitted));
  }
  const std::uint64_t in_memory = insert.app.options().inline_body_bytes;
  if (format == BodyFormat::kForm) {
    CO_TRY_ASSIGN(std::string made, rows_of_form(form));
    if (made.size() > in_memory) {
      // More than a record of the journal should hold.
      Result<Rows> rows = co_await take_in(insert, BodyFormat::kJson, std::move(made), true);
      co_return rows;
    }
    CO_TRY_ASSIGN(Rows rows, rows_in_place(made, insert.key.has_value()));
    rows.owned = std::move(made);
    co_return rows;
  }
  const bool is_json = format == BodyFormat::kJson || format == BodyFormat::kNdjson;
  if (beginning->is_whole && is_json) {
    CO_TRY_ASSIGN(Rows rows,
                  rows_in_place(beginning->bytes(), insert.key.has_value(), kind_of(format)));
    rows.owned = std::move(beginning->first);
    co_return rows;
  }
  std::string first(beginning->bytes());
  beginning->first = std::string();
  Result<Rows> rows = co_await take_in(insert, format, std::move(first), beginning->is_whole);
  co_return rows;
}

Task<Result<Rows>> rows_of_get(Insert& insert) {
  Result<> admitted = co_await admit(insert, nullptr);
  CO_TRY(std::move(admitted));
  CO_TRY_ASSIGN(std::string made, rows_of_query(insert.query));
  CO_TRY_ASSIGN(Rows rows, rows_in_place(made, insert.key.has_value()));
  rows.owned = std::move(made);
  co_return rows;
}

// A transparent 1×1 GIF.
constexpr unsigned char kPixel[] = {
    0x47, 0x49, 0x46, 0x38, 0x39, 0x61, 0x01, 0x00, 0x01, 0x00, 0x80, 0x00, 0x00, 0x00, 0x00,
    0x00, 0xff, 0xff, 0xff, 0x21, 0xf9, 0x04, 0x01, 0x00, 0x00, 0x00, 0x00, 0x2c, 0x00, 0x00,
    0x00, 0x00, 0x01, 0x00, 0x01, 0x00, 0x00, 0x02, 0x02, 0x44, 0x01, 0x00, 0x3b};

http::Response pixel() {
  http::Response gif{.status = 200,
                     .headers = {{"Content-Type", "image/gif"}, {"Cache-Control", "no-store"}},
                     .body = {}};
  gif.body.assign(reinterpret_cast<const char*>(kPixel), sizeof kPixel);
  return gif;
}

Task<Result<http::Response>> take(App& app, http::Exchange& exchange) {
  if (exchange.method() == "HEAD") {
    // A link checker that only looks must not insert a row.
    exchange.add_header("Allow", "GET, POST");
    co_return fail(invalid("HEAD inserts nothing; use GET or POST")
                       .with_slug("method-not-allowed")
                       .with_status(405));
  }
  Query query = parse_query(exchange.raw_query());
  InsertOptions options = read_insert_options(query);
  Insert insert{.app = app,
                .exchange = exchange,
                .table = std::string(exchange.path_parameter("table")),
                .query = std::move(query),
                .options = std::move(options),
                .access = {},
                .key = {},
                .turn = {}};
  const bool get = exchange.method() == "GET";
  Task<Result<Rows>> reading = get ? rows_of_get(insert) : rows_of_post(insert);
  Result<Rows> rows = co_await std::move(reading);
  if (!rows) co_return std::unexpected(std::move(rows).error());
  CO_TRY(check_strict(rows->summary, insert.options.strict));
  Tenant& tenant = *insert.access.tenant;
  if (insert.options.dry_run) {
    Result<std::string> would =
        co_await dry_run(app, exchange, tenant, insert.table, insert.options, std::move(*rows));
    if (!would) co_return std::unexpected(std::move(would).error());
    co_return http::json_response(std::move(*would));
  }
  Result<Accepted> accepted = co_await store(app, exchange, tenant, insert.table, insert.options,
                                             std::move(*rows), insert.key);
  // Whoever waits for this key's turn finds the rows now.
  insert.turn.end();
  if (!accepted) co_return std::unexpected(std::move(accepted).error());
  if (accepted->replayed) exchange.add_header("Idempotent-Replayed", "true");
  std::optional<bool> visible;
  if (insert.options.wait || insert.options.strict)
    visible = co_await wait_visible(app, exchange, tenant, *accepted);
  // Since it was asked, a contract was set or other rows came; or a constraint of the table itself refuses it.
  CO_TRY(check_strict(accepted->summary, insert.options.strict, &accepted->receipt));
  if (insert.options.pixel) co_return pixel();
  // Whoever did not ask to wait is told nothing of it where all went well.
  if (!insert.options.wait && visible.value_or(false)) visible.reset();
  co_return http::json_response(answer_json(*accepted, visible));
}

}  // namespace

Task<void> handle_insert(App& app, http::Exchange& exchange) {
  Result<http::Response> response = co_await take(app, exchange);
  if (!response) {
    co_await refuse(exchange, std::move(response).error());
    co_return;
  }
  co_await exchange.respond(std::move(*response));
}

}  // namespace sd::api
