// A file as the answer to a GET or HEAD: whole or in part (Range, RFC 9110 14), or not at all where the client has it.
#pragma once

#include <string>

#include "api/app.h"
#include "api/await.h"
#include "base/file.h"
#include "http/byte_range.h"

namespace sd::api {

// What goes out of a file that never changes.
struct FileAnswer {
  std::shared_ptr<File> file;
  std::uint64_t size = 0;
  std::string etag;  // strong, with its quotes
  bool not_modified = false;
  http::RangeAnswer range;
};

// Reads the conditions and the range of the request.
FileAnswer plan_file_answer(const http::Exchange& exchange, std::shared_ptr<File> file,
                            std::uint64_t size, std::string etag);

struct FileSent {
  bool whole = false;  // all that was asked for
  std::uint64_t bytes = 0;
};
// `headers` go out beside Content-Length, ETag, Accept-Ranges and Content-Range. Where the file ends early the answer
// breaks off.
Task<FileSent> send_file(App& app, http::Exchange& exchange, FileAnswer answer,
                         http::Headers headers);

}  // namespace sd::api
