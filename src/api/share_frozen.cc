#include "api/share_frozen.h"

#include "api/file_answer.h"
#include "api/frozen_files.h"
#include "api/resource.h"
#include "api/share_preview.h"
#include "base/log.h"

namespace sd::api {
namespace {

using catalog::Share;

struct OpenFile {
  std::shared_ptr<File> file;
  std::uint64_t size = 0;
};

Result<OpenFile> open_part(const FoundShare& found, std::string_view part) {
  const std::string path = frozen_path(found.tenant->frozen_folder(), found.share.id, part);
  TRY_ASSIGN(auto file, posix_file_system().open(path, OpenMode::kRead));
  TRY_ASSIGN(const std::uint64_t size, file->size());
  return OpenFile{std::move(file), size};
}

// Revoked a moment ago, or somebody has been at the files.
Error not_there(const Share& share, const Error& why) {
  log::warn("a part of a frozen share is missing",
            {{"share", share.id.to_string()}, {"error", why.message}});
  return no_such("share, or it has ended");
}

}  // namespace

Task<std::optional<catalog::Download>> send_frozen(App& app, http::Exchange& exchange,
                                                   const FoundShare& found, std::string format,
                                                   bool spreadsheet, http::Headers headers) {
  const Share& share = found.share;
  const std::string part = frozen_part(format, spreadsheet);
  const auto opening = [&] { return open_part(found, part); };
  Result<OpenFile> open = co_await run_blocking(app.blocking(), exchange.executor(), opening);
  if (!open) {
    Error error = not_there(share, open.error());
    co_await refuse(exchange, std::move(error));
    co_return std::nullopt;
  }
  // Of a share's part there is one version for ever.
  FileAnswer answer = plan_file_answer(exchange, std::move(open->file), open->size,
                                       "\"" + share.id.to_string() + "." + part + "\"");
  const Micros now = app.catalog().clock().wall_us();
  const std::string address(exchange.peer_address());
  const std::uint64_t bytes = answer.range.length;
  const bool sends = exchange.method() != "HEAD" && !answer.not_modified && bytes > 0;
  if (sends && !app.share_guard().take_left(share.id, part, address, bytes, now)) {
    const auto work = [&] { return app.catalog().count_download(share.id); };
    const Result<> counted = co_await run_blocking(app.blocking(), exchange.executor(), work);
    if (!counted) {
      const bool ended = counted.error().code == ErrorCode::kNotFound;
      Error error = ended ? no_such("share, or it has ended") : counted.error();
      co_await refuse(exchange, std::move(error));
      co_return std::nullopt;
    }
    app.share_guard().leave_left(share.id, part, address, open->size - bytes, now);
  }
  const FileSent sent = co_await send_file(app, exchange, std::move(answer), std::move(headers));
  if (!sends) co_return std::nullopt;
  const std::uint64_t got = sent.whole ? bytes : std::min(sent.bytes, bytes - 1);
  app.share_guard().settle(share.id, part, address, bytes, got, now);
  catalog::Download download{.share_id = share.id, .format = std::move(format)};
  download.at = now;
  download.bytes = static_cast<std::int64_t>(sent.bytes);
  download.whole = sent.whole;
  co_return download;
}

Task<std::optional<Preview>> frozen_preview(App& app, http::Exchange& exchange,
                                            const FoundShare& found) {
  const auto work = [&] {
    const std::string folder = found.tenant->frozen_folder();
    return read_file(posix_file_system(), frozen_path(folder, found.share.id, kPagePart));
  };
  const Result<std::string> kept = co_await run_blocking(app.blocking(), exchange.executor(), work);
  co_return kept ? kept_preview(*kept) : std::nullopt;
}

}  // namespace sd::api
