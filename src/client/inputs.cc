#include "client/inputs.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/file.h"
#include "base/ids.h"
#include "client/identity.h"

namespace sd::client {
namespace {

Error file_error(const std::string& path, int error_number) {
  return invalid(path + ": " + std::strerror(error_number));
}

// Standard input is duplicated: the caller's stays open.
Result<UniqueFd> open_input(const std::string& path) {
  UniqueFd fd(path == "-" ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                          : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return fail(file_error(path, errno));
  return fd;
}

}  // namespace

Result<std::unique_ptr<Inputs>> Inputs::open(InputOptions options) {
  if (options.files.empty()) options.files = {"-"};
  if (std::ranges::count(options.files, "-") > 1) {
    return fail(invalid("standard input can be read only once"));
  }
  std::unique_ptr<Inputs> inputs(new Inputs(std::move(options)));
  for (const std::string& path : inputs->options_.files) TRY(inputs->add(path));
  return inputs;
}

Result<> Inputs::add(const std::string& path) {
  Input input{.path = path, .name = path == "-" ? "standard input" : path};
  const unsigned number = static_cast<unsigned>(inputs_.size());
  struct stat status {};
  // A pipe that has a name is not opened yet: that would wait for its writer, and take its bytes.
  if (path == "-" ? ::fstat(STDIN_FILENO, &status) != 0 : ::stat(path.c_str(), &status) != 0) {
    return fail(file_error(path, errno));
  }
  if (S_ISDIR(status.st_mode)) return fail(file_error(path, EISDIR));
  if (S_ISREG(status.st_mode)) {
    if (path != "-") TRY(open_input(path));
    input.size = static_cast<std::uint64_t>(status.st_size);
  }
  if (options_.resume_key || !input.size || path == "-") {
    if (resume_key_.empty()) resume_key_ = options_.resume_key.value_or(random_base62(16));
    input.identity = named_identity(resume_key_, number);
  } else {
    const std::int64_t mtime =
        status.st_mtim.tv_sec * std::int64_t{1'000'000'000} + status.st_mtim.tv_nsec;
    unsigned ordinal = 0;
    do {
      input.identity = file_identity(path, *input.size, mtime, ordinal++);
    } while (
        std::ranges::any_of(inputs_, [&](const Input& i) { return i.identity == input.identity; }));
  }
  inputs_.push_back(std::move(input));
  return {};
}

std::optional<std::uint64_t> Inputs::total_bytes() const {
  std::uint64_t total = 0;
  for (const Input& input : inputs_) {
    if (!input.size) return std::nullopt;
    total += *input.size;
  }
  return total;
}

Result<std::unique_ptr<Chunker>> Inputs::make_chunker(const Input& input) {
  std::optional<Format> format = options_.format;
  if (!format && input.path != "-") format = format_of_name(input.path);
  const auto parquet = [&]() -> Result<std::unique_ptr<ByteSource>> {
    if (!input.size) return fail(invalid("Parquet is read from a file, not from a pipe"));
    if (!options_.open_parquet) return fail(invalid("Parquet cannot be read here"));
    // The file that is open, whatever its name would mean to DuckDB (a pattern, an address).
    return options_.open_parquet("/proc/self/fd/" + std::to_string(file_.get()));
  };
  std::unique_ptr<ByteSource> source;
  if (format == Format::kParquet) {
    TRY_ASSIGN(source, parquet());
    format = Format::kJson;
  } else {
    UniqueFd copy(::fcntl(file_.get(), F_DUPFD_CLOEXEC, 3));
    source = make_decoding_source(make_fd_source(std::move(copy)));
  }
  Window window(std::move(source));
  if (!format) {
    TRY_ASSIGN(format, format_of_bytes(window));
    if (format == Format::kParquet) {
      TRY_ASSIGN(source, parquet());
      window = Window(std::move(source));
      format = Format::kJson;
    }
  }
  if (format == Format::kCsv) return make_csv_chunker(std::move(window), options_.limits);
  const auto on_unsent = [this, &input](UnsentRow row) {
    if (!on_unsent_) return;
    on_unsent_({.input = input.name,
                .row = row.row,
                .code = std::move(row.code),
                .detail = std::move(row.detail)});
  };
  const bool is_ndjson = format == Format::kNdjson;
  return make_json_chunker(std::move(window), options_.limits, on_unsent,
                           is_ndjson ? json::Framing::kLines : json::Framing::kDetected);
}

Result<> Inputs::begin(const Input& input) {
  TRY_ASSIGN(file_, open_input(input.path));
  number_ = 0;
  position_ = 0;
  TRY_ASSIGN(chunker_, make_chunker(input));
  return {};
}

Result<std::optional<Outgoing>> Inputs::next() {
  for (; current_ < inputs_.size(); ++current_) {
    const Input& input = inputs_[current_];
    const auto named = [&](Error error) {
      error.message = input.name + ": " + error.message;
      return fail(std::move(error));
    };
    if (!chunker_) {
      if (auto begun = begin(input); !begun) return named(std::move(begun).error());
    }
    auto chunk = chunker_->next();
    if (!chunk) return named(std::move(chunk).error());
    if (*chunk) {
      Outgoing outgoing{.chunk = std::move(**chunk), .input = input.name};
      outgoing.idempotency_key = idempotency_key(options_.table, options_.parameters,
                                                 input.identity, number_++, outgoing.chunk.body);
      const std::uint64_t position = std::max(position_, outgoing.chunk.position);
      outgoing.bytes = position - position_;
      position_ = position;
      return outgoing;
    }
    chunker_.reset();
  }
  return std::nullopt;
}

}  // namespace sd::client
