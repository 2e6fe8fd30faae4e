#include "api/tail.h"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>

#include "api/access.h"
#include "api/resource.h"
#include "api/tail_hub.h"
#include "base/log.h"
#include "json/schema.h"

namespace sd::api {
namespace {

using namespace net::experimental::awaitable_operators;
using SteadyClock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kHeartbeat{15};
constexpr milliseconds kLook{500};  // whether the stream may go on
constexpr seconds kLastWords{5};    // for the last event to be taken
// A reader must take so much within the time for stalling.
constexpr std::size_t kSlice = 64U << 10;
// What is read of the journal at a time, and made of it.
constexpr std::uint64_t kReadAtOnce = 4U << 20;
constexpr std::size_t kMadeAtOnce = 256U << 10;

const std::vector<std::string>& own_parameters() {
  static const std::vector<std::string> kOwn = {"api_key", "destination_id", "last_event_id"};
  return kOwn;
}

Error too_many_tails() {
  return Error{.code = ErrorCode::kUnavailable,
               .message = "this destination is followed by as many as it may be at a time",
               .slug = "too-many-tails",
               .retry_after_s = 5};
}

std::string reason_json(std::string_view reason) {
  json::Writer w;
  return w.begin_object().member("reason", reason).end_object().take();
}

// One connection's stream.
class Tail {
 public:
  Tail(App& app, http::Exchange& exchange)
      : app_(app), exchange_(exchange), query_(parse_query(exchange.raw_query())) {}

  // Who asks for what, and from where on; the error is the answer.
  Task<Result<>> open();
  // The events, to the end.
  Task<void> run();

 private:
  struct Read {
    std::shared_ptr<const TailPiece> piece;
    TailCursor to;                  // everything before it is in the piece
    std::optional<TailCursor> gap;  // from there it goes on
  };

  Result<> admit();
  Result<> resume();
  Result<> open_source();
  Result<TailCursor> first() const;
  Result<Read> read_journal();
  Task<bool> follow();
  Task<bool> show(std::shared_ptr<const TailPiece> piece, TailCursor to);
  Task<bool> show_journal();
  Task<bool> keep_alive();
  Task<bool> wait();
  Task<bool> send(std::string_view text, milliseconds stall);
  Task<void> watch(milliseconds limit);
  Task<bool> say_gap(const char* reason);
  Task<Result<>> finish_with(std::string_view text);
  Task<void> pause(milliseconds limit);
  Task<void> end(std::string_view name, std::string data);
  std::string event(std::string_view name, std::string_view data) const;
  const char* why_over() const;
  std::string id() const { return tail_id(hub().mark(), cursor_); }
  TailHub& hub() const { return *access_.tenant->tails(); }
  const TailOptions& options() const { return app_.options().tail; }

  App& app_;
  http::Exchange& exchange_;
  const Query query_;
  Access access_;
  TailFilter filter_;
  std::optional<TailId> last_;  // that the client has seen
  const char* gap_ = nullptr;   // why it cannot go on from there
  std::unique_ptr<TailHub::Seat> seat_;
  TailCursor cursor_;                   // everything before it has been shown, or was none of ours
  std::unique_ptr<TailSource> source_;  // while it is behind what the hub holds
  SteadyClock::time_point sent_at_ = SteadyClock::now();
  SteadyClock::time_point looked_at_ = SteadyClock::now();
  bool stalled_ = false;
  std::optional<Micros> least_lag_;
};

// ---- the beginning ----

Result<> Tail::admit() {
  TRY_ASSIGN(access_, authorise(app_, exchange_, query_, catalog::Scope::kTail));
  const std::string_view table = exchange_.path_parameter("table");
  if (!json::is_valid_name(table)) {
    return fail(invalid("a table's name is 1 to 255 bytes of UTF-8 without NUL")
                    .with_slug("invalid-table-name"));
  }
  TRY(may_use_table(access_, table));
  if (query_.json) return fail(parameter_error("a filter is column=value"));
  filter_ = TailFilter(query_.parameters, own_parameters());
  // A browser that connects again sends the header, and the URL that it had from the beginning.
  std::string last(exchange_.header("Last-Event-ID"));
  if (last.empty()) last = query_.get("last_event_id");
  if (!last.empty()) {
    last_ = parse_tail_id(last);
    if (!last_)
      return fail(parameter_error("the last event's id is none of this server's", "last_event_id"));
  }
  const auto durable_end = [&] { return access_.tenant->durable_end(); };
  seat_ = hub().sit(app_.tails(), exchange_.executor(), table, durable_end, options().max_open);
  if (!seat_) return fail(too_many_tails());
  return {};
}

Result<TailCursor> Tail::first() const {
  TRY_ASSIGN(const journal::Position position,
             journal::first_position(hub().fs(), hub().directory()));
  return TailCursor{.position = position, .rows = 0};
}

Result<> Tail::open_source() {
  TRY_ASSIGN(source_, TailSource::open(hub().fs(), hub().directory(), hub().log_id(), cursor_,
                                       access_.tenant->durable_end()));
  return {};
}

// Blocks.
Result<> Tail::resume() {
  if (last_->mark != hub().mark()) {
    gap_ = "other-journal";
  } else if (last_->cursor.position > cursor_.position) {
    gap_ = "unknown";
  } else {
    cursor_ = last_->cursor;
    const Result<> opened = open_source();
    if (opened) return {};
    if (opened.error().code == ErrorCode::kCorruption)
      return fail(parameter_error("the last event's id is none of this server's", "last_event_id"));
    if (opened.error().code != ErrorCode::kNotFound) return opened;
    gap_ = "released";
  }
  TRY_ASSIGN(cursor_, first());
  return {};
}

Task<Result<>> Tail::open() {
  CO_TRY(admit());
  cursor_ = seat_->now();
  if (!last_) co_return Result<>();
  const auto work = [this] { return resume(); };
  co_return co_await run_blocking(app_.tails(), exchange_.executor(), work);
}

// ---- what is sent ----

// Ends where nothing was taken for so long, or the stream is over.
Task<void> Tail::watch(milliseconds limit) {
  net::steady_timer timer(exchange_.executor());
  const auto end = SteadyClock::now() + limit;
  while (SteadyClock::now() < end && why_over() == nullptr) {
    timer.expires_after(kLook);
    co_await timer.async_wait(net::use_awaitable);
  }
}

// False where the client has gone, or was broken off.
Task<bool> Tail::send(std::string_view text, milliseconds stall) {
  while (!text.empty()) {
    const std::string_view slice = text.substr(0, kSlice);
    text.remove_prefix(slice.size());
    const auto began = SteadyClock::now();
    const auto done = co_await (exchange_.write(slice) || watch(stall + kLastWords));
    if (done.index() == 1) {
      exchange_.break_off();
      co_return false;
    }
    if (!std::get<0>(done)) co_return false;
    sent_at_ = SteadyClock::now();
    // In the middle of an event nothing else can be said: it is sent to its end, if that goes on.
    stalled_ = stalled_ || sent_at_ - began > stall;
  }
  co_return true;
}

std::string Tail::event(std::string_view name, std::string_view data) const {
  std::string text = "id: " + id() + "\nevent: ";
  text += name;
  text += "\ndata: ";
  text += data;
  text += "\n\n";
  return text;
}

Task<bool> Tail::say_gap(const char* reason) {
  const std::string text = event("gap", reason_json(reason));
  co_return co_await send(text, options().stall_timeout);
}

Task<Result<>> Tail::finish_with(std::string_view text) {
  CO_TRY(co_await exchange_.write(text));
  co_return co_await exchange_.finish();
}

Task<void> Tail::pause(milliseconds limit) {
  net::steady_timer timer(exchange_.executor());
  timer.expires_after(limit);
  co_await timer.async_wait(net::use_awaitable);
}

Task<void> Tail::end(std::string_view name, std::string data) {
  const std::string text = event(name, data);
  const milliseconds limit = app_.stopping ? kLook : kLastWords;
  const auto done = co_await (finish_with(text) || pause(limit));
  if (done.index() == 1) exchange_.break_off();
}

Task<bool> Tail::keep_alive() {
  const std::string text = ":\nid: " + id() + "\n\n";
  co_return co_await send(text, options().stall_timeout);
}

// ---- the rows ----

const char* Tail::why_over() const {
  if (app_.stopping) return "stopping";
  if (!is_still(app_, exchange_, query_, access_.key->id)) return "key";
  const auto tenant = app_.tenants().find(access_.tenant->destination().id);
  if (tenant == access_.tenant) return nullptr;
  return tenant ? "reopened" : "gone";
}

Task<bool> Tail::show(std::shared_ptr<const TailPiece> piece, TailCursor to) {
  std::string chosen;
  TailPiece::Events events;
  if (filter_.empty()) {
    events = piece->after(cursor_);
  } else {
    const auto work = [&] { return piece->after(cursor_, filter_, chosen); };
    events = co_await run_blocking(app_.tails(), exchange_.executor(), work);
  }
  cursor_ = std::max(cursor_, to);
  const bool sent = co_await send(events.text, options().stall_timeout);
  if (!sent) co_return false;
  access_.tenant->count_tail_rows(events.rows);
  if (piece->empty()) co_return true;
  // Behind what is shown to others: it is not to blame for what all wait for.
  const Micros lag = hub().time_us() - piece->time_us();
  least_lag_ = std::min(least_lag_.value_or(lag), lag);
  const bool is_behind = lag - *least_lag_ > options().max_lag.count() * 1000;
  if (!stalled_ && !is_behind) co_return true;
  access_.tenant->count_tail_dropped();
  json::Writer w;
  w.begin_object().member("reason", stalled_ ? "stalled" : "behind");
  w.member("last_event_id", id());
  co_await end("dropped", w.end_object().take());
  co_return false;
}

// Blocks.
Result<Tail::Read> Tail::read_journal() {
  Read read;
  const auto piece = std::make_shared<TailPiece>();
  const journal::Position durable = access_.tenant->durable_end();
  const auto wanted = [&](const std::string& table, journal::Position) {
    return table == seat_->table();
  };
  const auto read_on = [&]() -> Result<> {
    if (!source_) TRY(open_source());
    const std::uint64_t before = source_->bytes_read();
    while (piece->bytes() < kMadeAtOnce && source_->bytes_read() - before < kReadAtOnce) {
      TRY_ASSIGN(const auto step, source_->next(durable, wanted));
      if (step == TailSource::Step::kEnd) break;
      if (step == TailSource::Step::kRow) piece->add(hub().mark(), *source_);
    }
    return {};
  };
  const Result<> done = read_on();
  read.piece = piece;
  read.to = source_ ? source_->cursor() : cursor_;
  if (done) return read;
  if (done.error().code != ErrorCode::kNotFound) return fail(done.error());
  TRY_ASSIGN(const TailCursor first_kept, first());
  if (first_kept <= read.to) return fail(done.error());
  read.gap = first_kept;
  return read;
}

Task<bool> Tail::show_journal() {
  const auto work = [this] { return read_journal(); };
  const Result<Read> read = co_await run_blocking(app_.tails(), exchange_.executor(), work);
  if (!read) {
    log::error(
        "a journal cannot be read for one who follows it",
        {{"destination", access_.tenant->destination().name}, {"error", read.error().message}});
    co_await end("end", reason_json("unreadable"));
    co_return false;
  }
  const bool shown = co_await show(read->piece, read->to);
  if (!shown || !read->gap) co_return shown;
  source_.reset();
  cursor_ = *read->gap;
  co_return co_await say_gap("released");
}

Task<bool> Tail::wait() {
  const auto left = looked_at_ + kLook - SteadyClock::now();
  const auto limit = std::max(milliseconds(1), std::chrono::ceil<milliseconds>(left));
  const auto next = co_await (seat_->wait(limit) || exchange_.client_gone());
  if (next.index() == 1) exchange_.break_off();
  co_return next.index() == 0;
}

// A step; false at the end.
Task<bool> Tail::follow() {
  const auto now = SteadyClock::now();
  if (now - looked_at_ >= kLook) {
    looked_at_ = now;
    // A batch that became durable in the very moment of sitting down may not have been told.
    hub().look(access_.tenant->durable_end());
    if (const char* const why = why_over()) {
      co_await end("end", reason_json(why));
      co_return false;
    }
  }
  if (now - sent_at_ >= kHeartbeat) {
    const bool kept = co_await keep_alive();
    if (!kept) co_return false;
  }
  std::shared_ptr<const TailPiece> piece;
  const TailHub::Seat::Found found = seat_->take(cursor_, piece);
  if (found == TailHub::Seat::Found::kBehind) co_return co_await show_journal();
  source_.reset();
  if (found == TailHub::Seat::Found::kPiece) {
    const TailCursor to = piece->end();
    co_return co_await show(std::move(piece), to);
  }
  if (found == TailHub::Seat::Found::kFailed) {
    co_await end("end", reason_json("unreadable"));
    co_return false;
  }
  least_lag_ = 0;
  co_return co_await wait();
}

Task<void> Tail::run() {
  http::Headers headers = {{"Content-Type", "text/event-stream"},
                           {"Cache-Control", "no-store"},
                           {"X-Accel-Buffering", "no"}};
  const Result<> began = co_await exchange_.begin(200, std::move(headers));
  if (!began) co_return;
  if (exchange_.method() == "HEAD") {
    co_await exchange_.finish();
    co_return;
  }
  bool goes_on = co_await keep_alive();
  if (goes_on && gap_ != nullptr) goes_on = co_await say_gap(gap_);
  while (goes_on) goes_on = co_await follow();
}

}  // namespace

Task<void> handle_tail(App& app, http::Exchange& exchange) {
  Tail tail(app, exchange);
  Result<> opened = co_await tail.open();
  if (!opened) {
    co_await refuse(exchange, std::move(opened).error());
    co_return;
  }
  co_await tail.run();
}

}  // namespace sd::api
