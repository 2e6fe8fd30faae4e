#include "client/insert.h"

#include <algorithm>
#include <memory>
#include <ostream>

#include "client/connection.h"
#include "client/report.h"
#include "client/url.h"

namespace sd::client {
namespace {

using Clock = std::chrono::steady_clock;

constexpr milliseconds kTick{100};

bool is_header_text(const std::string& text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7F; });
}

// A run from its start to its report.
class Run {
 public:
  Run(const InsertOptions& options, const InsertContext& context)
      : options_(options), context_(context) {}

  InsertResult run() {
    Result<> prepared = prepare();
    if (!prepared) {
      say(prepared.error().message);
      return {InsertOutcome::kUsage};
    }
    began_ = Clock::now();
    upload_->start();
    int idle_ticks = 0;
    while (!upload_->wait_for(kTick)) {
      if (context_.interrupted.load()) {
        interrupted();
        return abandon(InsertOutcome::kInterrupted);
      }
      // Failed, and what is left of the threads waits for a pipe.
      if (upload_->failure() && !upload_->is_sending() && ++idle_ticks > 3) {
        return abandon(finished());
      }
      show_progress();
    }
    return {finished()};
  }

 private:
  // The upload's threads are left as they are: ending them would take as long as what they wait
  // for.
  InsertResult abandon(InsertOutcome outcome) {
    static_cast<void>(upload_.release());
    static_cast<void>(inputs_.release());
    return {outcome, true};
  }

  Result<> prepare() {
    TRY_ASSIGN(url_, parse_url(options_.url));
    if (!is_header_text(options_.key)) return fail(invalid("this is no API key"));
    if (options_.table.empty()) return fail(invalid("a table's name is needed"));
    UploadOptions upload_options{.concurrency = options_.concurrency,
                                 .gzip = options_.gzip,
                                 .strict = options_.strict,
                                 .retry = options_.retry};
    std::vector<std::pair<std::string, std::string>> parameters;
    if (!options_.flatten.empty()) parameters.emplace_back("flatten", options_.flatten);
    if (options_.flatten_depth) {
      parameters.emplace_back("flatten_depth", std::to_string(*options_.flatten_depth));
    }
    // Whether somebody waits changes nothing of what is stored; the rest does.
    const std::string stored_as = query_string(parameters);
    if (options_.strict) parameters.emplace_back("strict", "true");
    if (options_.wait) parameters.emplace_back("wait", "true");
    const std::string query = query_string(parameters);
    upload_options.target =
        "/api/data/insert/" + percent_encode(options_.table) + (query.empty() ? "" : "?" + query);
    upload_options.headers.emplace_back("Authorization", "Bearer " + options_.key);
    InputOptions inputs{.files = options_.files,
                        .format = options_.format,
                        .limits = options_.limits,
                        .table = options_.table,
                        .parameters = stored_as,
                        .resume_key = options_.resume_key,
                        .open_parquet = context_.open_parquet};
    TRY_ASSIGN(inputs_, Inputs::open(std::move(inputs)));
    upload_ = std::make_unique<Upload>(
        std::move(upload_options),
        [url = url_, timeout = options_.timeout] { return make_connection(url, timeout); },
        [inputs = inputs_.get()] { return inputs->next(); });
    inputs_->on_unsent(
        [upload = upload_.get()](RefusedRow row) { upload->count_unsent(std::move(row)); });
    return {};
  }

  void show_progress() {
    if (options_.quiet) return;
    const Totals totals = upload_->totals();
    const std::optional<std::size_t> width = context_.terminal_width();
    if (width) {
      context_.err << "\r\x1b[K"
                   << progress_line(totals, inputs_->total_bytes(), elapsed(), *width - 1)
                   << std::flush;
      drawn_ = true;
    } else if (!totals.trouble.empty() && !told_trouble_) {
      say(totals.trouble + "; trying again");
    }
    told_trouble_ = !totals.trouble.empty();
  }

  milliseconds elapsed() const {
    return std::chrono::duration_cast<milliseconds>(Clock::now() - began_);
  }

  void say(const std::string& message) {
    if (drawn_) context_.err << "\r\x1b[K";
    drawn_ = false;
    context_.err << "scratchdata: " << printable(message) << "\n" << std::flush;
  }

  void say_how_to_resume() {
    std::string line = "to go on where it stopped, run the same command again";
    if (!inputs_->resume_key().empty()) {
      line += options_.resume_key
                  ? " with the same input"
                  : " with the same input and --resume-key " + inputs_->resume_key();
    }
    say(line + ": what is stored already is not stored twice");
  }

  void say_refused(const Totals& totals) { context_.err << refused_lines(totals) << std::flush; }

  InsertOutcome finished() {
    const Totals totals = upload_->totals();
    const std::optional<Error> failure = upload_->failure();
    if (!options_.quiet || failure) say(summary_line(totals, options_.table, elapsed()));
    say_refused(totals);
    if (totals.invisible && !options_.quiet) {
      say("not all rows could be queried within the server's time for --wait; they are stored");
    }
    if (totals.unsettled > 0 && !failure && !options_.quiet) {
      say("all rows are stored, but not all are loaded yet: whether loading refuses some of them "
          "is "
          "not known");
    }
    if (failure) {
      say(failure->message);
      say_how_to_resume();
      return InsertOutcome::kRefused;
    }
    return totals.refused == 0 ? InsertOutcome::kStored : InsertOutcome::kRefused;
  }

  void interrupted() {
    const Totals totals = upload_->totals();
    say("interrupted: " + summary_line(totals, options_.table, elapsed()));
    say_refused(totals);
    say_how_to_resume();
  }

  const InsertOptions& options_;
  const InsertContext& context_;
  Url url_;
  std::unique_ptr<Inputs> inputs_;
  std::unique_ptr<Upload> upload_;
  Clock::time_point began_;
  bool drawn_ = false;         // a line without an end stands on the terminal
  bool told_trouble_ = false;  // and it goes on
};

}  // namespace

InsertResult run_insert(const InsertOptions& options, const InsertContext& context) {
  return Run(options, context).run();
}

}  // namespace sd::client
