#include "server/serve.h"

#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <climits>
#include <cstdlib>
#include <iostream>
#include <thread>

#include "api/app.h"
#include "api/destination_probe.h"
#include "api/frozen_files.h"
#include "api/service.h"
#include "base/log.h"
#include "build_info.h"
#include "destinations/duckdb/library.h"
#include "http/server.h"
#include "server/config.h"
#include "server/data_lock.h"
#include "server/first_start.h"
#include "server/sandbox_checks.h"

namespace sd::server {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLockPatience{10'000};
constexpr Micros kSweepEvery = 60 * kMicrosPerSecond;  // files of shares that have ended
constexpr Micros kUsageEvery = 5 * kMicrosPerSecond;   // counts of saved endpoints

// One line for a person, exit code 2.
int refuse_to_start(const std::string& why) {
  std::cerr << "scratchdata: " << why << std::endl;
  return kExitUsage;
}

std::string absolute_path(const std::string& path) {
  if (path.starts_with('/')) return path;
  char buffer[PATH_MAX];
  return ::getcwd(buffer, sizeof buffer) == nullptr ? path : std::string(buffer) + "/" + path;
}

std::string own_executable() {
  // Not the path: after an upgrade in place another program stands there.
  return "/proc/" + std::to_string(::getpid()) + "/exe";
}

unsigned io_threads(const Config& config) {
  if (config.api.threads > 0) return static_cast<unsigned>(config.api.threads);
  return std::clamp(std::thread::hardware_concurrency(), 1U, 8U);
}

std::uint64_t engine_memory(const Config& config) {
  if (config.engine.memory_limit > 0) return static_cast<std::uint64_t>(config.engine.memory_limit);
  const long pages = ::sysconf(_SC_PHYS_PAGES), size = ::sysconf(_SC_PAGESIZE);
  return pages > 0 && size > 0
             ? static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(size) / 2
             : 0;
}

std::string level_name(log::Level level) {
  static constexpr const char* kNames[] = {"trace", "debug", "info", "warn", "error", "off"};
  return kNames[static_cast<int>(level)];
}

api::AppOptions app_options(const Config& config,
                            const std::optional<engine::UserIds>& engine_user) {
  api::AppOptions o;
  o.tenant.data_dir = config.data_dir;
  o.tenant.log.max_bytes = static_cast<std::uint64_t>(config.journal.max_bytes);
  o.tenant.log.retention_us = config.journal.retention.count() * 1000;
  o.tenant.engine_threads = config.engine.threads > 0
                                ? static_cast<unsigned>(config.engine.threads)
                                : std::max(1U, std::thread::hardware_concurrency());
  o.tenant.engine_memory_bytes = engine_memory(config);
  o.tenant.engine_user = engine_user;
  o.tenant.require_sandbox = config.engine.require_sandbox;
  o.tenant.max_columns = static_cast<std::uint64_t>(config.rows.max_columns);
  o.tenant.max_rows_of_a_row = static_cast<std::uint64_t>(config.rows.max_rows_of_a_row);
  o.tenant.log_level = level_name(config.logging.level);
  o.tenant.log_json = config.logging.format == log::Format::kJson;
  o.max_body_bytes = static_cast<std::uint64_t>(config.api.max_body_bytes);
  o.base_url = config.api.base_url;
  o.hosts = config.api.hosts;
  o.healthcheck_fail_file = config.api.healthcheck_fail_file;
  o.query_timeout = config.query.timeout;
  o.share_timeout = config.share.timeout;
  o.share_max_rows = static_cast<std::uint64_t>(config.share.max_rows);
  o.share_max_running = static_cast<std::size_t>(config.share.max_simultaneous);
  o.share_max_frozen_bytes = static_cast<std::uint64_t>(config.share.max_frozen_bytes);
  o.share_log_addresses = config.share.log_addresses;
  o.tenant.max_running_queries = static_cast<std::size_t>(config.query.max_running);
  o.tenant.max_waiting_queries = static_cast<std::size_t>(config.query.max_waiting);
  o.tail = {.max_open = static_cast<std::size_t>(config.tail.max_open),
            .stall_timeout = config.tail.stall_timeout,
            .max_lag = config.tail.max_lag};
  o.version = std::string(build_info::kVersion);
  return o;
}

http::ServerOptions http_options(const Config& config) {
  http::ServerOptions o;
  o.listen = config.api.listen;
  o.threads = io_threads(config);
  o.max_header_bytes = static_cast<std::size_t>(config.api.max_header_bytes);
  o.header_timeout = config.api.header_timeout;
  o.idle_timeout = config.api.idle_timeout;
  o.write_timeout = config.api.write_timeout;
  o.max_connections = static_cast<std::size_t>(config.api.max_connections);
  return o;
}

// What the configuration says about destinations and keys, brought into the catalog.
Result<> apply_configuration(const Config& config, catalog::Catalog& catalog, bool all_loopback) {
  std::vector<catalog::NewDestination> specs;
  for (const DestinationConfig& d : config.destinations) {
    catalog::NewDestination spec{
        .name = d.name, .type = d.type, .settings = {}, .origin = d.origin};
    for (const auto& [name, value] : d.settings) spec.settings[name] = {value};
    specs.push_back(std::move(spec));
  }
  TRY_ASSIGN(const auto destinations, catalog.put_configured_destinations(specs));
  std::vector<catalog::ConfiguredKey> keys;
  for (const std::string& secret : config.api_keys) keys.push_back({.secret = secret});
  for (std::size_t i = 0; i < config.destinations.size(); ++i) {
    for (const std::string& secret : usable_keys(config.destinations[i], all_loopback)) {
      keys.push_back({.secret = secret,
                      .destination_id = destinations[i].id,
                      .origin = config.destinations[i].origin});
    }
  }
  return catalog.put_configured_keys(keys);
}

// <data_dir>/data.duckdb points to the file of the destination `local`, for people who look for it.
void link_local_file(const std::string& data_dir, catalog::KeyCache& keys) {
  const auto local = keys.destination_named("local");
  if (!local) return;
  const auto file = catalog::target_file(data_dir, *local);
  const std::string link = data_dir + "/data.duckdb";
  if (!file || *file == link) return;
  std::string target = *file;
  if (target.starts_with(data_dir + "/")) target = target.substr(data_dir.size() + 1);
  char present[PATH_MAX];
  const ssize_t n = ::readlink(link.c_str(), present, sizeof present);
  if (n > 0 && std::string_view(present, static_cast<std::size_t>(n)) == target) return;
  if (n > 0) (void)::unlink(link.c_str());
  if (::symlink(target.c_str(), link.c_str()) != 0) log::debug("data.duckdb could not be linked");
}

// The listener of prometheus.port, with the login of the configuration where it names one.
http::Router metrics_router(api::App& app, const PrometheusConfig& config) {
  http::Router router;
  router.add("GET", "/metrics", [&app, config](http::Exchange& exchange) {
    return api::handle_metrics_with_login(app, exchange, config.username, config.password);
  });
  return router;
}

// [::1] was listened on by default, not by anybody's wish: a machine without IPv6 does without it.
void drop_missing_ipv6(ApiConfig& api) {
  if (!api.ipv6_optional) return;
  const int fd = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  const bool has =
      fd >= 0 && ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  if (fd >= 0) ::close(fd);
  if (!has) std::erase_if(api.listen, [](const std::string& a) { return a.starts_with("[::1]"); });
}

bool disk_is_low(const Config& config) {
  struct statvfs fs {};
  if (::statvfs(config.data_dir.c_str(), &fs) != 0) return false;
  const std::uint64_t available = static_cast<std::uint64_t>(fs.f_bavail) * fs.f_frsize;
  return available < static_cast<std::uint64_t>(config.journal.min_free_bytes);
}

class Serving {
 public:
  explicit Serving(Config config) : config_(std::move(config)) {}

  int run() {
    config_.data_dir = absolute_path(config_.data_dir);
    auto lock = lock_data_directory(config_.data_dir, kLockPatience);
    if (!lock) return refuse_to_start(lock.error().message);
    drop_missing_ipv6(config_.api);
    const bool loopback = listens_on_loopback_only(config_);
    const auto user = engine_user(config_.engine.user, ::geteuid() == 0);
    if (!user) return refuse_to_start(user.error().message);
    if (*user) {
      // What the server adds to a journal later is for the engines' group to read as well.
      ::umask(0027);
      const auto opened = open_data_directory(config_.data_dir, config_.engine.user, **user);
      if (!opened) return refuse_to_start(opened.error().message);
    }
    if (const auto keys = check_well_known_keys(config_, loopback); !keys)
      return refuse_to_start(keys.error().message);

    auto catalog =
        catalog::Catalog::open({.data_dir = config_.data_dir, .secret_key = config_.secret_key});
    if (!catalog) return refuse_to_start("the catalog: " + catalog.error().message);
    if (const auto applied = apply_configuration(config_, **catalog, loopback); !applied) {
      return refuse_to_start(applied.error().message);
    }
    auto keys = catalog::KeyCache::start(**catalog);
    if (!keys) return refuse_to_start("the catalog: " + keys.error().message);
    if (const auto walls = look_at_sandbox(**keys); !walls)
      return refuse_to_start(walls.error().message);

    metrics::Registry metrics;
    journal::SyncPool sync_pool(static_cast<unsigned>(config_.journal.sync_threads));
    engine::Pool pool({.executable = own_executable(),
                       .idle_timeout = config_.engine.idle_timeout,
                       .max_engines = static_cast<std::size_t>(config_.engine.max_engines)},
                      metrics);
    api::sweep_probe_folders(config_.data_dir);
    api::App app(app_options(config_, *user), **catalog, **keys, pool, sync_pool, metrics);
    for (const auto& destination : (*keys)->destinations()) {
      if (destination->state != catalog::DestinationState::kActive) continue;
      // One damaged journal does not keep the others from serving; it is said loud and clear.
      const auto opened = app.open_tenant(*destination);
      if (!opened && opened.error().code == ErrorCode::kInvalidArgument)
        return refuse_to_start(opened.error().message);
      if (!opened)
        log::error("a destination cannot be served", {{"error", opened.error().message}});
    }
    for (const auto& tenant : app.tenants().all())
      api::sweep_frozen(tenant->frozen_folder(), app.catalog(), true);
    link_local_file(config_.data_dir, **keys);

    http::Server server(http_options(config_), api::make_router(app), metrics);
    if (const auto started = server.start(); !started)
      return refuse_to_start(started.error().message);
    std::unique_ptr<http::Server> prometheus;
    if (config_.prometheus.enabled) {
      http::ServerOptions options = http_options(config_);
      options.listen = {config_.prometheus.host + ":" + std::to_string(config_.prometheus.port)};
      options.threads = 1;
      prometheus =
          std::make_unique<http::Server>(options, metrics_router(app, config_.prometheus), metrics);
      if (const auto started = prometheus->start(); !started)
        return refuse_to_start(started.error().message);
    }
    app.ready = true;
    const auto greeted = greet(**catalog, **keys, server.addresses());
    if (!greeted)
      log::warn("the first keys could not be made", {{"error", greeted.error().message}});

    const int code = wait_for_end(app, config_);
    app.stopping = true;
    stop(app, server, prometheus.get());
    return code;
  }

 private:
  // What engines will not be locked out of is said once, here, and not by each of them.
  Result<> look_at_sandbox(const catalog::KeyCache& keys) const {
    std::vector<catalog::Destination> destinations;
    for (const auto& each : keys.destinations()) destinations.push_back(*each);
    const auto gaps = sandbox_gaps(engine::probe_kernel(), config_.data_dir, destinations);
    if (!gaps.empty() && config_.engine.require_sandbox)
      return fail(invalid("engine.require_sandbox: " + gaps.front()));
    for (const std::string& gap : gaps)
      log::warn("engines are not locked in completely", {{"why", gap}});
    return {};
  }

  // Until a signal asks for the end (0), or a journal's disk fails (1): what was acknowledged is safe,
  // and only a fresh start can tell what is on the disk.
  static int wait_for_end(api::App& app, const Config& config) {
    boost::asio::io_context context;
    // A terminal that is closed sends SIGHUP: the stop is as orderly as with SIGTERM.
    boost::asio::signal_set signals(context, SIGTERM, SIGINT, SIGHUP);
    boost::asio::steady_timer timer(context);
    int code = 0;
    signals.async_wait([&](auto ec, int) {
      if (!ec) context.stop();
    });
    Micros swept = 0;
    std::function<void()> look = [&] {
      if (const Micros now = system_clock().steady_us(); now - swept > kSweepEvery) {
        swept = now;
        for (const auto& tenant : app.tenants().all())
          api::sweep_frozen(tenant->frozen_folder(), app.catalog(), false);
      }
      flush_usage(app, kUsageEvery);
      app.disk_is_low = disk_is_low(config);
      for (const auto& tenant : app.tenants().all()) {
        tenant->log().tidy();
        if (!tenant->log().stats().failed) continue;
        log::error("the disk of a journal failed: the server stops",
                   {{"destination", tenant->destination().name}});
        code = kExitFailed;
        context.stop();
        return;
      }
      timer.expires_after(std::chrono::seconds(1));
      timer.async_wait([&](auto ec) {
        if (!ec) look();
      });
    };
    look();
    if (code == 0) context.run();
    return code;
  }

  // Where the last time was so long ago.
  static void flush_usage(api::App& app, Micros after) {
    static Micros flushed = 0;
    const Micros now = system_clock().steady_us();
    if (now - flushed < after) return;
    flushed = now;
    const Result<> written = app.endpoint_usage().flush();
    if (!written)
      log::warn("usage of endpoints is not written yet", {{"error", written.error().message}});
  }

  void stop(api::App& app, http::Server& server, http::Server* prometheus) const {
    const auto end = std::chrono::steady_clock::now() + config_.api.stop_grace;
    log::info("stopping");
    server.stop(config_.api.stop_grace);
    if (prometheus != nullptr) prometheus->stop(milliseconds(100));
    const auto left =
        std::chrono::duration_cast<milliseconds>(end - std::chrono::steady_clock::now());
    app.pool().stop_all(std::max(left, milliseconds(1000)));
    for (const auto& tenant : app.tenants().all()) tenant->close();
    flush_usage(app, 0);
    log::info("stopped");
  }

  Config config_;
};

}  // namespace

int run_serve(const ServeCommand& command) {
  ConfigInputs inputs;
  inputs.file = command.settings.config_file;
  inputs.environment = process_environment();
  inputs.flags = command.settings.flags;
  LoadedConfig loaded = load_config(inputs);
  for (const Problem& warning : loaded.warnings)
    std::cerr << "scratchdata: " << warning.to_string() << "\n";
  for (const Problem& error : loaded.errors)
    std::cerr << "scratchdata: " << error.to_string() << "\n";
  if (!loaded.errors.empty()) return kExitUsage;
  if (const auto library = destinations::duckdb::check_library(); !library) {
    return refuse_to_start(library.error().message);
  }
  ::signal(SIGPIPE, SIG_IGN);
  log::configure(loaded.config.logging.level, loaded.config.logging.format, "front");
  return Serving(std::move(loaded.config)).run();
}

}  // namespace sd::server
