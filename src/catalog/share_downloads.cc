// Catalog: the downloads of shares, for their owners.
#include <soci/soci.h>

#include "catalog/impl.h"

namespace sd::catalog {
namespace {

Download to_download(const std::string& id, Id128 share_id, long long at, const std::string& format,
                     long long bytes, int whole, const std::string& address) {
  return {.id = parse_id(id),
          .share_id = share_id,
          .at = at,
          .format = format,
          .bytes = bytes,
          .whole = whole != 0,
          .address = address};
}

}  // namespace

Result<> Catalog::log_download(const Download& download) {
  return impl_->write([&](soci::session& sql) -> Result<> {
    const std::string id = download.id.to_string();
    const std::string share = download.share_id.to_string();
    const long long at = download.at, bytes = download.bytes;
    const int whole = download.whole ? 1 : 0;
    sql << "INSERT INTO share_downloads (id, share_id, at, format, bytes, whole, address) VALUES "
           "(:id, :share, :at, :format, :bytes, :whole, :address)",
        soci::use(id), soci::use(share), soci::use(at), soci::use(download.format),
        soci::use(bytes), soci::use(whole), soci::use(download.address);
    const int kept = kKeptDownloads;
    sql << "DELETE FROM share_downloads WHERE id IN (SELECT id FROM share_downloads WHERE share_id "
           "= "
           ":share ORDER BY at DESC, id DESC LIMIT 100 OFFSET :kept)",
        soci::use(share), soci::use(kept);
    return {};
  });
}

Result<Page<Download>> Catalog::list_downloads(Id128 share_id, PageRequest page) {
  TRY_ASSIGN(const int limit, check_limit(page));
  return impl_->read([&](soci::session& sql) -> Result<Page<Download>> {
    const std::string share = share_id.to_string();
    const std::string after = id_text(page.after);
    long long from = -1;
    if (page.after) {
      sql << "SELECT at FROM share_downloads WHERE id = :id AND share_id = :share",
          soci::use(after), soci::use(share), soci::into(from);
      if (!sql.got_data())
        return fail(Error{.code = ErrorCode::kNotFound, .message = "there is no such download"});
    }
    const int more = limit + 1;
    std::string id, format, address;
    long long at = 0, bytes = 0;
    int whole = 0;
    soci::statement st =
        (sql.prepare << "SELECT id, at, format, bytes, whole, address FROM share_downloads "
                        "WHERE share_id = :share AND (at > :at OR (at = :same AND id > :id)) "
                        "ORDER BY at, id LIMIT :more",
         soci::use(share), soci::use(from), soci::use(from), soci::use(after), soci::use(more),
         soci::into(id), soci::into(at), soci::into(format), soci::into(bytes), soci::into(whole),
         soci::into(address));
    st.execute();
    std::vector<Download> items;
    while (st.fetch())
      items.push_back(to_download(id, share_id, at, format, bytes, whole, address));
    return make_page(std::move(items), limit);
  });
}

}  // namespace sd::catalog
