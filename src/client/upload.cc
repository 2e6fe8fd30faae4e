#include "client/upload.h"

#include <algorithm>
#include <random>
#include <tuple>

#include "client/url.h"
#include "json/document.h"

namespace sd::client {
namespace {

using Clock = std::chrono::steady_clock;

constexpr milliseconds kAskAgain{200};

milliseconds since(Clock::time_point then) {
  return std::chrono::duration_cast<milliseconds>(Clock::now() - then);
}

double random_fraction() {
  thread_local std::minstd_rand generator{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(generator);
}

Error in_chunk(const Outgoing& outgoing, Error error) {
  error.message = outgoing.input + ", rows " + std::to_string(outgoing.chunk.first_row) + " to " +
                  std::to_string(outgoing.chunk.first_row + outgoing.chunk.rows - 1) + ": " +
                  error.message;
  return error;
}

}  // namespace

Upload::Upload(UploadOptions options, TransportFactory connect, NextChunk next)
    : options_(std::move(options)), connect_(std::move(connect)), next_(std::move(next)) {}

Upload::~Upload() {
  stop();
  for (std::thread& thread : threads_) thread.join();
}

void Upload::start() {
  const std::lock_guard lock(mutex_);
  running_ = std::max(1U, options_.concurrency);
  for (unsigned i = 0; i < running_; ++i) threads_.emplace_back([this] { work(); });
}

bool Upload::wait_for(milliseconds time) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, time, [this] { return running_ == 0; });
}

void Upload::stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
}

void Upload::count_sending(int change) {
  const std::lock_guard lock(mutex_);
  sending_ += static_cast<unsigned>(change);
}

bool Upload::is_sending() const {
  const std::lock_guard lock(mutex_);
  return sending_ > 0;
}

Totals Upload::totals() const {
  const std::lock_guard lock(mutex_);
  return totals_;
}

std::optional<Error> Upload::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void Upload::work() {
  const std::unique_ptr<Transport> transport = connect_();
  while (true) {
    auto outgoing = take();
    if (!outgoing) fail_with(std::move(outgoing).error());
    // NOLINTNEXTLINE(bugprone-use-after-move)
    if (!outgoing || !*outgoing) break;
    count_sending(1);
    deliver(*transport, **outgoing);
    count_sending(-1);
  }
  settle(*transport);
  const std::lock_guard lock(mutex_);
  --running_;
  changed_.notify_all();
}

std::optional<Upload::Unsettled> Upload::take_unsettled() {
  const std::lock_guard lock(mutex_);
  if (stopping_ || unsettled_.empty()) return std::nullopt;
  Unsettled chunk = std::move(unsettled_.back());
  unsettled_.pop_back();
  return chunk;
}

void Upload::settle(Transport& transport) {
  while (std::optional<Unsettled> chunk = take_unsettled()) {
    const HttpRequest request{.method = "GET",
                              .target = "/api/receipts/" + percent_encode(chunk->receipt),
                              .headers = options_.headers,
                              .body = {}};
    if (is_settled(*chunk, transport.send(request))) continue;
    bool late = false;
    {
      const std::lock_guard lock(mutex_);
      unsettled_.push_back(std::move(*chunk));
      late = since(last_answer_) > options_.settle_within;
    }
    if (late) return give_up_settling();
    if (!pause(kAskAgain)) return;
  }
}

bool Upload::is_settled(const Unsettled& chunk, const Result<HttpAnswer>& answer) {
  if (answer && judge(answer->status) == Verdict::kRefused) {
    // Not a key's to ask, or a server that knows no receipts.
    const std::lock_guard lock(mutex_);
    ++totals_.unsettled;
    return true;
  }
  if (!answer || answer->status != 200) return false;
  const auto document = json::parse_document(answer->body);
  if (!document || document->string_or("state", "logged") == "logged") return false;
  const auto refused =
      static_cast<std::uint64_t>(std::max<std::int64_t>(0, document->int_or("failed", 0)));
  if (refused <= chunk.refused) return true;
  const std::uint64_t late = refused - chunk.refused;
  const std::lock_guard lock(mutex_);
  totals_.late += late;
  totals_.refused += late;
  totals_.stored -= std::min(totals_.stored, late);
  return true;
}

void Upload::give_up_settling() {
  const std::lock_guard lock(mutex_);
  totals_.unsettled += unsettled_.size();
  unsettled_.clear();
}

Result<std::optional<Outgoing>> Upload::take() {
  const std::lock_guard lock(next_mutex_);
  {
    const std::lock_guard state(mutex_);
    if (stopping_) return std::nullopt;
  }
  if (input_ended_) return std::nullopt;
  auto outgoing = next_();
  input_ended_ = !outgoing || !*outgoing;
  return outgoing;
}

// Waits; false where the upload stops.
bool Upload::pause(milliseconds time) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, time, [this] { return stopping_; });
}

void Upload::deliver(Transport& transport, const Outgoing& outgoing) {
  HttpRequest request{
      .target = options_.target, .headers = options_.headers, .body = outgoing.chunk.body};
  request.headers.emplace_back("Content-Type", outgoing.chunk.content_type);
  request.headers.emplace_back("Idempotency-Key", outgoing.idempotency_key);
  std::string packed;
  if (options_.gzip) {
    packed = gzip(outgoing.chunk.body);
    request.body = packed;
    request.headers.emplace_back("Content-Encoding", "gzip");
  }
  std::optional<Clock::time_point> first_failure;
  for (unsigned failures = 0;;) {
    Result<HttpAnswer> answer = transport.send(request);
    if (!answer && answer.error().code != ErrorCode::kUnavailable) {
      return fail_with(std::move(answer).error());
    }
    const Verdict verdict = judge(answer ? std::optional(answer->status) : std::nullopt);
    if (verdict == Verdict::kStored) return count(outgoing, *answer);
    Error error = answer ? refused_by_server(*answer) : std::move(answer).error();
    // NOLINTNEXTLINE(bugprone-use-after-move)
    if (verdict == Verdict::kRefused && answer && count_all_bad(outgoing, *answer)) return;
    if (verdict == Verdict::kRefused) return fail_with(in_chunk(outgoing, std::move(error)));
    ++failures;
    if (!first_failure) first_failure = Clock::now();
    const auto asked = answer ? parse_retry_after(answer->retry_after) : std::nullopt;
    const auto wait =
        next_wait(options_.retry, failures, since(*first_failure), asked, random_fraction());
    if (!wait) {
      error.message +=
          "; gave up after " + std::to_string(failures) + (failures == 1 ? " try" : " tries");
      return fail_with(in_chunk(outgoing, std::move(error)));
    }
    {
      const std::lock_guard lock(mutex_);
      totals_.trouble = error.message;
    }
    if (!pause(*wait)) return;
  }
}

void Upload::count(const Outgoing& outgoing, const HttpAnswer& answer) {
  const auto document = json::parse_document(answer.body);
  if (!document || !document->is_object() || document->find("rows") == nullptr) {
    return fail_with(invalid("the server answered " + std::to_string(answer.status) +
                             ", but not as Scratch Data does; is the address right?"));
  }
  const auto rows =
      static_cast<std::uint64_t>(std::max<std::int64_t>(0, document->int_or("rows", 0)));
  const auto failed =
      static_cast<std::uint64_t>(std::max<std::int64_t>(0, document->int_or("failed", 0)));
  const std::lock_guard lock(mutex_);
  totals_.stored += rows;
  if (answer.replayed) totals_.replayed += rows;
  totals_.refused += failed;
  totals_.bytes += outgoing.bytes;
  ++totals_.chunks;
  totals_.trouble.clear();
  if (!document->bool_or("visible", true)) totals_.invisible = true;
  last_answer_ = Clock::now();
  const std::string_view receipt = document->string_or("receipt", "");
  if (!receipt.empty() && !document->bool_or("visible", false))
    unsettled_.push_back({std::string(receipt), failed});
  const json::Value* errors = document->find("errors");
  if (errors == nullptr || !errors->is_array()) return;
  for (const json::Value& each : errors->elements()) {
    const auto row = static_cast<std::uint64_t>(std::max<std::int64_t>(0, each.int_or("row", 0)));
    note_refused({.input = outgoing.input,
                  .row = outgoing.chunk.file_row(row),
                  .code = std::string(each.string_or("code", "refused")),
                  .detail = std::string(each.string_or("detail", ""))});
  }
}

void Upload::count_unsent(RefusedRow row) {
  const std::lock_guard lock(mutex_);
  ++totals_.refused;
  ++totals_.unsent;
  note_refused(std::move(row));
}

// A chunk of CSV may hold no good row; one of JSON has been looked at before (chunks.h).
bool Upload::count_all_bad(const Outgoing& outgoing, const HttpAnswer& answer) {
  static constexpr std::string_view kOfRows[] = {"too-many-fields", "invalid-csv",
                                                 "invalid-utf8",    "too-many-values",
                                                 "lone-surrogate",  "too-deep"};
  if (options_.strict || answer.status != 400 ||
      std::string_view(outgoing.chunk.content_type) != "text/csv")
    return false;
  const auto document = json::parse_document(answer.body);
  if (!document || !document->is_object()) return false;
  std::string_view code = document->string_or("type", "");
  code.remove_prefix(std::min(code.size(), code.rfind('/') + 1));
  if (std::ranges::find(kOfRows, code) == std::end(kOfRows)) return false;
  const std::lock_guard lock(mutex_);
  totals_.refused += outgoing.chunk.rows;
  totals_.unsent += outgoing.chunk.rows;
  totals_.bytes += outgoing.bytes;
  ++totals_.chunks;
  note_refused({.input = outgoing.input,
                .row = outgoing.chunk.file_row(0),
                .code = std::string(code),
                .detail = std::string(document->string_or("detail", ""))});
  return true;
}

// Chunks are answered in any order; the rows shown are the first ones of each input.
void Upload::note_refused(RefusedRow row) {
  auto& list = totals_.first_refused;
  const auto before = [](const RefusedRow& a, const RefusedRow& b) {
    return std::tie(a.input, a.row) < std::tie(b.input, b.row);
  };
  list.insert(std::ranges::upper_bound(list, row, before), std::move(row));
  if (list.size() > kShownRefused) list.pop_back();
}

void Upload::fail_with(Error error) {
  const std::lock_guard lock(mutex_);
  if (!failure_) failure_ = std::move(error);
  stopping_ = true;
  changed_.notify_all();
}

}  // namespace sd::client
