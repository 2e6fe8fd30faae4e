#include "catalog/catalog.h"

#include <fcntl.h>
#include <soci/soci.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>

#include "base/file.h"
#include "base/json_text.h"
#include "catalog/impl.h"
#include "catalog/migrations.h"
#include "catalog/sealed_rows.h"

namespace sd::catalog {
namespace {

// Makes the file, readable by its owner only (SQLite gives -wal and -shm the same mode). An
// existing one is only looked at, never opened: closing it again would drop SQLite's locks in this
// process.
Result<> ensure_file(const CatalogOptions& options, const std::string& path) {
  struct stat status {};
  if (::stat(options.data_dir.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
    return fail(ErrorCode::kNotFound, "the data directory does not exist");
  }
  if (::stat(path.c_str(), &status) == 0) {
    if (S_ISREG(status.st_mode)) return {};
    return fail(ErrorCode::kInternal,
                std::string(kCatalogFileName) + " in the data directory is not a file");
  }
  if (errno != ENOENT) return fail(errno_error("look at", path, errno));
  if (options.must_exist) return fail(ErrorCode::kNotFound, "the data directory holds no catalog");
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0 && errno != EEXIST) return fail(errno_error("create", path, errno));
  if (fd >= 0) ::close(fd);
  return {};
}

Result<> check_integrity(Connection& connection) {
  return guarded([&]() -> Result<> {
    std::string verdict;
    connection.sql() << "PRAGMA quick_check(1)", soci::into(verdict);
    if (verdict != "ok") return fail(ErrorCode::kCorruption, "the catalog file is damaged");
    return {};
  });
}

// Persistent in the file: done once, by whoever comes first.
Result<> use_wal(Connection& connection) {
  return guarded([&]() -> Result<> {
    std::string mode;
    connection.sql() << "PRAGMA journal_mode", soci::into(mode);
    if (mode == "wal") return {};
    connection.sql() << "PRAGMA journal_mode = WAL", soci::into(mode);
    if (mode != "wal") {
      return fail(ErrorCode::kInternal, "the catalog's file system cannot hold a write-ahead log");
    }
    return {};
  });
}

}  // namespace

// ---- Impl

Result<std::unique_ptr<Connection>> Catalog::Impl::take_reader() {
  {
    std::unique_lock lock(read_mutex);
    reader_free.wait(lock, [&] { return !free_readers.empty() || open_readers < kReaders; });
    if (!free_readers.empty()) {
      auto reader = std::move(free_readers.back());
      free_readers.pop_back();
      return reader;
    }
    ++open_readers;
  }
  auto opened = Connection::open(path);
  if (!opened) {
    const std::lock_guard lock(read_mutex);
    --open_readers;
    reader_free.notify_one();
  }
  return opened;
}

void Catalog::Impl::give_reader(std::unique_ptr<Connection> reader) {
  const std::lock_guard lock(read_mutex);
  free_readers.push_back(std::move(reader));
  reader_free.notify_one();
}

void Catalog::Impl::tell_listener() {
  const std::lock_guard lock(listener_mutex);
  if (listener) listener();
}

void Catalog::Impl::raise_epoch(soci::session& sql) {
  sql << "UPDATE catalog_epoch SET epoch = epoch + 1 WHERE id = 1";
}

// ---- checks

Result<> check_text(std::string_view what, std::string_view text, std::size_t most) {
  const std::string name(what);
  if (text.size() > most) {
    return fail(invalid(name + " must not be longer than " + std::to_string(most) + " bytes"));
  }
  if (text.find('\0') != std::string_view::npos) return fail(invalid(name + " must not hold NUL"));
  if (!is_valid_utf8(text)) return fail(invalid(name + " must be UTF-8"));
  return {};
}

Result<> check_name(std::string_view what, std::string_view name) {
  if (name.empty()) return fail(invalid(std::string(what) + " must not be empty"));
  return check_text(what, name, 255);
}

Result<int> check_limit(const PageRequest& page) {
  if (page.limit < 1 || page.limit > 1000) return fail(invalid("limit must be from 1 to 1000"));
  return page.limit;
}

Id128 parse_id(const std::string& text) {
  const auto id = Id128::parse(text);
  if (!id) throw std::runtime_error("a row holds an id that is none");
  return *id;
}

std::string id_text(const std::optional<Id128>& id) {
  return id ? id->to_string() : std::string();
}

// ---- Catalog

Catalog::Catalog(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Catalog::~Catalog() = default;

Result<std::unique_ptr<Catalog>> Catalog::open(CatalogOptions options) {
  const std::string path = options.data_dir + "/" + std::string(kCatalogFileName);
  TRY(ensure_file(options, path));
  TRY_ASSIGN(auto writer, Connection::open(path));
  TRY(check_integrity(*writer));
  TRY(use_wal(*writer));
  TRY_ASSIGN(const Sealer sealer, open_sealer(*writer, options));
  auto impl = std::make_unique<Impl>(sealer);
  impl->path = path;
  impl->options = std::move(options);
  impl->writer = std::move(writer);
  TRY(migrate(*impl->writer, impl->now(), impl->sealer));
  rewrite_where_asked(*impl->writer);
  return std::unique_ptr<Catalog>(new Catalog(std::move(impl)));
}

const std::string& Catalog::data_dir() const {
  return impl_->options.data_dir;
}
const Clock& Catalog::clock() const {
  return *impl_->options.clock;
}

std::string Catalog::seal(std::string_view plain, std::string_view what) const {
  return impl_->sealer.seal(plain, what);
}
Result<std::string> Catalog::unseal(std::string_view sealed, std::string_view what) const {
  return impl_->sealer.unseal(sealed, what);
}

Result<std::optional<std::string>> Catalog::meta(std::string_view name) {
  return impl_->read([&](soci::session& sql) -> Result<std::optional<std::string>> {
    const std::string key(name);
    std::string text;
    sql << "SELECT text FROM meta WHERE name = :name", soci::use(key), soci::into(text);
    if (!sql.got_data()) return std::nullopt;
    return text;
  });
}

Result<> Catalog::set_meta(std::string_view name, std::string_view value) {
  TRY(check_name("the setting's name", name));
  TRY(check_text("the setting", value, 1U << 20));
  return impl_->write([&](soci::session& sql) -> Result<> {
    const std::string key(name);
    const std::string text(value);
    sql << "INSERT INTO meta (name, text) VALUES (:name, :text) "
           "ON CONFLICT (name) DO UPDATE SET text = excluded.text",
        soci::use(key), soci::use(text);
    return {};
  });
}

Result<KeyTable> Catalog::key_table() {
  return impl_->read([&](soci::session& sql) -> Result<KeyTable> {
    KeyTable table;
    long long epoch = 0;
    sql << "SELECT epoch FROM catalog_epoch WHERE id = 1", soci::into(epoch);
    table.epoch = epoch;
    table.destinations = read_all_destinations(sql, impl_->sealer);
    table.keys = read_live_keys(sql);
    table.sessions = read_live_sessions(sql, impl_->now());
    return table;
  });
}

Result<std::int64_t> Catalog::epoch() {
  return impl_->read([&](soci::session& sql) -> Result<std::int64_t> {
    long long epoch = 0;
    sql << "SELECT epoch FROM catalog_epoch WHERE id = 1", soci::into(epoch);
    return epoch;
  });
}

void Catalog::on_change(std::function<void()> listener) {
  const std::lock_guard lock(impl_->listener_mutex);
  impl_->listener = std::move(listener);
}

}  // namespace sd::catalog
