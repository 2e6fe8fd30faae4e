#include "api/tenant.h"

#include <sstream>

#include "api/tail_hub.h"
#include "base/file.h"
#include "base/log.h"
#include "engine/engine_user.h"
#include "journal/format.h"
#include "load/record.h"

namespace sd::api {
namespace {

constexpr Micros kMarkEvery = 100'000;
constexpr std::size_t kMaxMarks = 10'000;

metrics::Labels labels(const std::string& name) {
  return {{"destination", name}};
}

}  // namespace

Tenant::Tenant(const TenantOptions& options, catalog::Destination destination, metrics::Registry& m)
    : options_(options),
      destination_(std::move(destination)),
      id_(destination_.id.to_string()),
      log_directory_(options.data_dir + "/journals/" + destination_.log_name()),
      in_memory_(catalog::is_in_memory(options.data_dir, destination_)),
      queries_(options.max_running_queries, options.max_waiting_queries),
      acknowledged_(m.counter("scratchdata_rows_acknowledged_total", "Rows answered with 200.",
                              labels(destination_.name))),
      loaded_(m.counter("scratchdata_rows_loaded_total", "Rows loaded into the destination.",
                        labels(destination_.name))),
      failed_(m.counter("scratchdata_rows_failed_total", "Rows refused while loading.",
                        labels(destination_.name))),
      tail_rows_(m.counter("scratchdata_tail_rows_total", "Rows sent to those who follow a table.",
                           labels(destination_.name))),
      tails_dropped_(m.counter("scratchdata_tails_dropped_total",
                               "Readers that were dropped because they were too slow.",
                               labels(destination_.name))),
      lag_rows_(m.gauge("scratchdata_lag_rows", "Rows acknowledged and not loaded yet.",
                        labels(destination_.name))),
      lag_seconds_(m.gauge("scratchdata_lag_seconds", "Age of the oldest row not loaded yet.",
                           labels(destination_.name))),
      journal_bytes_(m.gauge("scratchdata_journal_bytes", "Bytes of the journal on disk.",
                             labels(destination_.name))),
      running_(
          m.gauge("scratchdata_queries_running", "Queries that run.", labels(destination_.name))),
      waiting_(m.gauge("scratchdata_queries_waiting", "Queries that wait for their turn.",
                       labels(destination_.name))),
      tails_open_(
          m.gauge("scratchdata_tails", "Readers that follow a table.", labels(destination_.name))),
      sync_seconds_(m.histogram("scratchdata_journal_sync_seconds", "Time of each fdatasync.",
                                labels(destination_.name))),
      query_seconds_(m.histogram("scratchdata_query_seconds",
                                 "Time of queries from request to last byte.",
                                 labels(destination_.name))) {}

Tenant::~Tenant() {
  close();
}

Result<std::shared_ptr<Tenant>> Tenant::open(const TenantOptions& options,
                                             const catalog::Destination& destination,
                                             journal::SyncPool& sync_pool, engine::Pool& pool,
                                             metrics::Registry& metrics) {
  FileSystem& fs = posix_file_system();
  const std::string folder = catalog::destination_folder(options.data_dir, destination.id);
  TRY(fs.make_directories(folder + "/tmp"));
  TRY(fs.make_directories(catalog::frozen_folder(options.data_dir, destination.id)));
  TRY(fs.make_directories(options.data_dir + "/journals"));
  if (const auto file = catalog::target_file(options.data_dir, destination)) {
    const std::size_t slash = file->find_last_of('/');
    if (slash != std::string::npos && slash > 0) TRY(fs.make_directories(file->substr(0, slash)));
  }
  std::shared_ptr<Tenant> tenant(new Tenant(options, destination, metrics));
  journal::LogOptions log_options = options.log;
  log_options.label_of = [](std::string_view payload) {
    const auto insert = load::decode_insert(payload);
    return insert ? insert->head.table : std::string();
  };
  auto log = journal::Log::open(fs, sync_pool, system_clock(), tenant->log_directory_, log_options);
  if (!log) {
    Error error = log.error();
    error.message = "the journal of destination " + destination.name + ": " + error.message;
    return fail(std::move(error));
  }
  tenant->log_ = std::move(*log);
  if (options.engine_user) TRY(tenant->open_to_engine_user());
  tenant->hint_ = tenant->read_hint();
  // What the journal no longer holds had been loaded; so had what the last stop wrote down. A database that
  // knows less is not the one that was shown.
  tenant->highest_applied_ = tenant->in_memory_
                                 ? tenant->log_->durable_end()
                                 : std::max(tenant->log_->stats().begin, tenant->hint_.position);
  tenant->tails_ = std::make_shared<TailHub>(fs, tenant->log_directory_, tenant->log_->id());
  Tenant* raw = tenant.get();
  engine::Pool* engines = &pool;
  tenant->log_->set_durable_listener([raw, engines](journal::Position end, std::uint64_t) {
    raw->on_durable(end);
    raw->tails_->on_durable(end);
    engines->notify_durable(raw->id_);
  });
  tenant->log_->set_sync_observer([raw](double seconds) { raw->sync_seconds_.observe(seconds); });
  const bool behind = tenant->in_memory_ || tenant->hint_.position < tenant->log_->durable_end();
  // How old what waits is nobody knows any more: at least as old as this.
  if (behind && tenant->log_->durable_end() > 0) tenant->on_durable(tenant->log_->durable_end());
  if (const auto why = tenant->cannot_start())
    log::warn("a destination cannot be opened, its rows wait",
              {{"destination", destination.name}, {"why", why->message}});
  pool.add(tenant->id_, tenant, behind);
  return tenant;
}

Result<> Tenant::open_to_engine_user() const {
  FileSystem& fs = posix_file_system();
  TRY(fs.make_directories(log_directory_ + "/" + std::string(journal::kBlobDirectory)));
  TRY(engine::let_read(log_directory_, *options_.engine_user));
  TRY(engine::let_read(frozen_folder(), *options_.engine_user));
  return engine::give(catalog::destination_folder(options_.data_dir, destination_.id),
                      *options_.engine_user);
}

std::string Tenant::frozen_folder() const {
  return catalog::frozen_folder(options_.data_dir, destination_.id);
}

void Tenant::close() {
  if (!log_) return;
  const auto closed = log_->close();
  if (!closed)
    log::error("a journal could not be closed",
               {{"destination", destination_.name}, {"error", closed.error().message}});
  write_hint();
  // Nobody looks after these from here on; a destination that is gone does not lag.
  for (metrics::Gauge* gauge : {&lag_rows_, &lag_seconds_, &journal_bytes_}) gauge->set(0);
}

// How far the engine had come when the front last heard: tells at the next start whether there is
// anything to load. A hint that is too low costs an engine start, and it is never too high.
std::string Tenant::hint_path() const {
  return log_directory_ + "/applied";
}

// "POSITION ROWS_LOADED ROWS_FAILED"; older versions wrote the position alone.
Tenant::Hint Tenant::read_hint() const {
  const auto text = read_file(posix_file_system(), hint_path());
  if (!text) return {};
  std::istringstream in(*text);
  destinations::LoadState state;
  if (!(in >> state.position)) return {};
  Hint hint{.position = state.position};
  if (in >> state.rows_loaded >> state.rows_failed) hint.state = state;
  return hint;
}

void Tenant::write_hint() const {
  const destinations::LoadState state = applied_state();
  if (state.position == 0) return;
  const std::string text = std::to_string(state.position) + " " +
                           std::to_string(state.rows_loaded) + " " +
                           std::to_string(state.rows_failed);
  (void)write_file_atomically(posix_file_system(), hint_path(), text);
}

void Tenant::on_durable(journal::Position end) {
  const Micros now = system_clock().steady_us();
  const std::lock_guard lock(mutex_);
  if (!marks_.empty() &&
      (now - marks_.back().steady_us < kMarkEvery || marks_.size() >= kMaxMarks)) {
    marks_.back().end = end;  // as old as the oldest row that it stands for
    return;
  }
  marks_.push_back({end, now});
}

void Tenant::applied(const destinations::LoadState& state,
                     const destinations::RowsByTable& refused) {
  table_counts_.applied(state.position, refused);
  {
    const std::lock_guard lock(mutex_);
    applied_ = state;
    heard_ = true;
    highest_applied_ = std::max(highest_applied_, state.position);
    while (!marks_.empty() && marks_.front().end <= state.position) marks_.pop_front();
  }
  // A database in memory is rebuilt from the journal: nothing of it may go.
  if (!in_memory_) log_->release(state.position);
}

destinations::LoadState Tenant::applied_state() const {
  const std::lock_guard lock(mutex_);
  return applied_;
}

journal::Position Tenant::highest_applied() const {
  const std::lock_guard lock(mutex_);
  return highest_applied_;
}

std::optional<destinations::LoadState> Tenant::known_state() const {
  const std::lock_guard lock(mutex_);
  if (heard_) return applied_;
  if (log_->durable_end() == 0) return destinations::LoadState();  // nothing was ever accepted
  return in_memory_ ? std::nullopt : hint_.state;
}

std::uint64_t Tenant::lag_rows() const {
  const journal::LogStats log = log_->stats();
  const auto state = known_state();
  const bool hinted = !state && !in_memory_ && hint_.position >= log.durable_end;
  if (hinted || (state && state->position >= log.durable_end)) return 0;
  const std::uint64_t done = state ? state->rows_loaded + state->rows_failed : 0;
  return log.rows_durable > done ? log.rows_durable - done : 0;
}

double Tenant::lag_seconds() const {
  const std::lock_guard lock(mutex_);
  if (marks_.empty()) return 0;
  return static_cast<double>(system_clock().steady_us() - marks_.front().steady_us) / 1e6;
}

void Tenant::count_acknowledged(std::string_view table, const TableCounts::Sent& sent) {
  acknowledged_.add(static_cast<double>(sent.acknowledged.rows));
  acknowledged_rows_.fetch_add(sent.acknowledged.rows, std::memory_order_relaxed);
  acknowledged_bytes_.fetch_add(sent.acknowledged.bytes, std::memory_order_relaxed);
  table_counts_.add(table, sent, system_clock().steady_us());
}

TableCounts::Counts Tenant::table_counts() const {
  return table_counts_.read(system_clock().steady_us());
}

TableCounts::Amount Tenant::acknowledged() const {
  return {.rows = acknowledged_rows_.load(std::memory_order_relaxed),
          .bytes = acknowledged_bytes_.load(std::memory_order_relaxed)};
}

void Tenant::observe_query(double seconds) {
  query_seconds_.observe(seconds);
}

void Tenant::refresh_metrics() {
  lag_rows_.set(static_cast<double>(lag_rows()));
  lag_seconds_.set(lag_seconds());
  running_.set(static_cast<double>(queries_.running()));
  waiting_.set(static_cast<double>(queries_.waiting()));
  tails_open_.set(static_cast<double>(tails_->seats()));
  journal_bytes_.set(static_cast<double>(log_->stats().bytes_on_disk));
  const auto state = applied_state();
  const std::lock_guard lock(mutex_);
  const auto loaded = static_cast<double>(state.rows_loaded),
             failed = static_cast<double>(state.rows_failed);
  if (loaded > loaded_seen_) loaded_.add(loaded - loaded_seen_);
  if (failed > failed_seen_) failed_.add(failed - failed_seen_);
  loaded_seen_ = loaded;
  failed_seen_ = failed;
}

engine::StartMessage engine_limits(const TenantOptions& options) {
  engine::StartMessage m;
  m.threads = options.engine_threads;
  m.memory_limit_bytes = options.engine_memory_bytes;
  m.require_sandbox = options.require_sandbox;
  if (options.engine_user) {
    m.uid = options.engine_user->uid;
    m.gid = options.engine_user->gid;
  }
  m.max_columns = options.max_columns;
  m.max_rows_of_a_row = options.max_rows_of_a_row;
  m.log_level = options.log_level;
  m.log_json = options.log_json;
  return m;
}

// One rule for where the rows are: the catalog's, not a second reading of the settings.
std::vector<std::pair<std::string, std::string>> engine_settings(
    const std::string& data_dir, const catalog::Destination& destination) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& [name, setting] : destination.settings) {
    if (name != "file" && name != "in_memory") out.emplace_back(name, setting.value);
  }
  if (catalog::is_in_memory(data_dir, destination)) out.emplace_back("in_memory", "true");
  return out;
}

engine::StartMessage Tenant::start_message() const {
  engine::StartMessage m = engine_limits(options_);
  m.destination_id = id_;
  m.destination_name = destination_.name;
  m.type = destination_.type;
  m.settings = engine_settings(options_.data_dir, destination_);
  m.data_file = catalog::target_file(options_.data_dir, destination_).value_or("");
  m.folder = catalog::destination_folder(options_.data_dir, destination_.id);
  m.temp_directory = m.folder + "/tmp";
  m.frozen_folder = frozen_folder();
  m.log_directory = log_directory_;
  m.log_id = log_->id();
  // Of a database in memory an engine may have shown what it committed and had not told of yet.
  m.floor = in_memory_ ? log_->durable_end() : highest_applied();
  return m;
}

std::uint64_t Tenant::durable_end() const {
  return log_->durable_end();
}

}  // namespace sd::api
