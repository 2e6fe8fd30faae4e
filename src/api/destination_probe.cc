#include "api/destination_probe.h"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <filesystem>

#include "api/ask.h"
#include "api/destinations.h"
#include "api/query_place.h"
#include "api/resource.h"
#include "base/file.h"
#include "base/log.h"
#include "engine/engine_user.h"

namespace sd::api {
namespace {

using namespace net::experimental::awaitable_operators;
using catalog::Destination;
using std::chrono::milliseconds;

constexpr milliseconds kLimit{30'000};
constexpr milliseconds kEngineLimit{25'000};  // its end comes on top
constexpr std::string_view kFolderPrefix = "test-";

// Beside the folders of destinations, where engines of another user may come, too.
std::string folders(const std::string& data_dir) {
  return data_dir + "/destinations";
}

Error too_many_tests() {
  return Error{.code = ErrorCode::kUnavailable,
               .message = "too many tests of destinations are under way",
               .slug = "too-many-tests",
               .retry_after_s = 5};
}

// The right to run an engine for a test.
class Place {
 public:
  explicit Place(App& app) : app_(app), mine_(app.begin_probe()) {}
  ~Place() {
    if (mine_) app_.end_probe();
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  explicit operator bool() const { return mine_; }

 private:
  App& app_;
  const bool mine_;
};

// Blocks.
Result<engine::StartMessage> prepare(const TenantOptions& options, const Destination& destination) {
  engine::StartMessage m = engine_limits(options);
  m.destination_name = "a test";
  m.type = destination.type;
  m.settings = engine_settings(options.data_dir, destination);
  m.folder =
      folders(options.data_dir) + "/" + std::string(kFolderPrefix) + Id128::make().to_string();
  m.temp_directory = m.folder + "/tmp";
  m.log_directory = m.folder;
  m.log_id = Id128::make();
  if (const auto file = catalog::target_file(options.data_dir, destination)) {
    TRY_ASSIGN(m.read_only, posix_file_system().exists(*file));
    m.data_file = m.read_only ? *file : m.folder + file->substr(file->rfind('/'));
  }
  TRY(posix_file_system().make_directories(m.temp_directory));
  if (options.engine_user) TRY(engine::give(m.folder, *options.engine_user));
  return m;
}

void remove_folder(const std::string& folder) {
  std::error_code kept;
  std::filesystem::remove_all(folder, kept);
  if (kept) log::warn("what a test of a destination left behind could not be removed");
}

Error in_words_of_a_person(Error error) {
  if (error.code == ErrorCode::kDeadlineExceeded)
    error.message =
        "it did not answer within " + std::to_string(kEngineLimit.count() / 1000) + " s";
  return error;
}

Task<Result<>> try_in_an_engine(App& app, http::Exchange& exchange,
                                const engine::StartMessage& message) {
  Mailbox<Result<>> mailbox(exchange.executor());
  const std::uint64_t id = app.pool().probe(
      message, kEngineLimit,
      [sender = mailbox.sender()](Result<> result) { sender.push(std::move(result)); });
  auto next = co_await (mailbox.pop(kLimit) || exchange.client_gone());
  if (next.index() == 0 && std::get<0>(next)) co_return *std::get<0>(next);
  // Its folder is removed when nobody is in it.
  app.pool().forget_probe(id);
  co_await mailbox.pop(milliseconds(5000));
  co_return std::unexpected(query_cancelled());
}

// The outer Result is an error of this request; the inner one is what the test says.
Task<Result<Result<>>> try_settings(App& app, http::Exchange& exchange, Destination destination) {
  const Place place(app);
  if (!place) co_return std::unexpected(too_many_tests());
  const auto work = [&] { return prepare(app.options().tenant, destination); };
  const Result<engine::StartMessage> message =
      co_await run_blocking(app.blocking(), exchange.executor(), work);
  if (!message) co_return std::unexpected(message.error());
  Result<> result = co_await try_in_an_engine(app, exchange, *message);
  const auto clean = [&] {
    remove_folder(message->folder);
    return true;
  };
  co_await run_blocking(app.blocking(), exchange.executor(), clean);
  if (!result && result.error().code == ErrorCode::kCancelled)
    co_return std::unexpected(result.error());
  if (!result) result = fail(in_words_of_a_person(std::move(result).error()));
  co_return result;
}

Task<Result<>> ask_own_engine(App& app, http::Exchange& exchange, Id128 id) {
  const std::shared_ptr<Tenant> tenant = app.tenants().find(id);
  if (!tenant) {
    co_return fail(ErrorCode::kUnavailable, "it could not be opened; the server's log says why");
  }
  std::string sql = "SELECT 1";
  net::steady_timer timer(exchange.executor(), kLimit);
  auto first =
      co_await (check_sql(app, exchange, *tenant, std::move(sql)) ||
                timer.async_wait(net::as_tuple(net::use_awaitable)) || exchange.client_gone());
  if (first.index() == 0) co_return std::get<0>(first);
  if (first.index() == 2) co_return std::unexpected(query_cancelled());
  co_return fail(ErrorCode::kUnavailable,
                 "it did not answer within " + std::to_string(kLimit.count() / 1000) + " s");
}

// What the engine of `present` has open, opened with the same secrets.
bool is_same_place(const App& app, const Destination& wanted, const Destination& present) {
  const std::string& data_dir = app.options().tenant.data_dir;
  if (catalog::target_of(data_dir, wanted) != catalog::target_of(data_dir, present)) return false;
  const auto secrets = [](const Destination& of) {
    catalog::Settings out = of.settings;
    std::erase_if(out, [](const auto& each) { return !each.second.secret; });
    return out;
  };
  return secrets(wanted) == secrets(present);
}

http::Response answer_of(const Result<>& result, Micros began) {
  json::Writer w;
  w.begin_object().member("ok", result.has_value());
  if (!result) w.member("error", result.error().message);
  w.member("ms", (system_clock().steady_us() - began) / 1000);
  return http::json_response(w.end_object().take());
}

Task<Result<http::Response>> test_settings(App& app, http::Exchange& exchange) {
  const Micros began = system_clock().steady_us();
  const Query query = parse_query(exchange.raw_query());
  CO_TRY(authorise_admin(app, exchange, query));
  const Result<json::Value> body = co_await read_object(exchange);
  if (!body) co_return std::unexpected(body.error());
  CO_TRY(check_members(*body, {"type", "settings"}));
  CO_TRY_ASSIGN(const catalog::NewDestination spec, read_type_and_settings(*body));
  Destination destination;
  destination.id = Id128::make();
  destination.type = spec.type;
  destination.settings = spec.settings;
  const Result<Result<>> tried = co_await try_settings(app, exchange, std::move(destination));
  if (!tried) co_return std::unexpected(tried.error());
  co_return answer_of(*tried, began);
}

Task<Result<http::Response>> test_destination(App& app, http::Exchange& exchange) {
  const Micros began = system_clock().steady_us();
  const Query query = parse_query(exchange.raw_query());
  CO_TRY_ASSIGN(const Managed managed, manage(app, exchange, query, Who::kAdminKey));
  const Result<json::Value> body = co_await read_object(exchange);
  if (!body) co_return std::unexpected(body.error());
  CO_TRY(check_members(*body, {"settings"}));
  Destination wanted = *managed.destination;
  if (body->find("settings") != nullptr) {
    if (wanted.read_only()) co_return std::unexpected(owned_by_configuration());
    CO_TRY_ASSIGN(const SettingChanges changes, read_setting_changes(*body, wanted));
    wanted.settings = with_changes(wanted.settings, changes);
  }
  if (const auto why = catalog::unreadable_secret(wanted)) co_return answer_of(fail(*why), began);
  if (is_same_place(app, wanted, *managed.destination)) {
    const Result<> reached = co_await ask_own_engine(app, exchange, wanted.id);
    if (!reached && reached.error().code == ErrorCode::kCancelled)
      co_return std::unexpected(reached.error());
    co_return answer_of(reached, began);
  }
  const Result<Result<>> tried = co_await try_settings(app, exchange, std::move(wanted));
  if (!tried) co_return std::unexpected(tried.error());
  co_return answer_of(*tried, began);
}

}  // namespace

void sweep_probe_folders(const std::string& data_dir) {
  std::error_code failed;
  std::filesystem::directory_iterator entry(folders(data_dir), failed);
  for (; !failed && entry != std::filesystem::directory_iterator(); entry.increment(failed)) {
    if (entry->path().filename().string().starts_with(kFolderPrefix))
      remove_folder(entry->path().string());
  }
}

Task<void> handle_test_settings(App& app, http::Exchange& exchange) {
  co_await answer_with(app, exchange, test_settings);
}
Task<void> handle_test_destination(App& app, http::Exchange& exchange) {
  co_await answer_with(app, exchange, test_destination);
}

}  // namespace sd::api
