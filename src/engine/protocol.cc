#include "engine/protocol.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstring>

#include "base/file.h"

namespace sd::engine {
namespace {

constexpr std::size_t kReadSize = 64U << 10;
constexpr int kMaxFdsAtOnce = 16;

std::string with_length(std::string_view json) {
  SD_ASSERT(json.size() <= kMaxFrame);
  const auto length = static_cast<std::uint32_t>(json.size());
  std::string out(sizeof length, '\0');
  std::memcpy(out.data(), &length, sizeof length);
  out += json;
  return out;
}

// Sends bytes, with a descriptor where `fd` is one. Returns the bytes sent, 0 for would-block.
Result<std::size_t> send_some(int socket, std::string_view bytes, int fd) {
  iovec vector{const_cast<char*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  if (fd >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
  }
  while (true) {
    const ssize_t n = ::sendmsg(socket, &message, MSG_NOSIGNAL);
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return std::size_t{0};
    return fail(errno_error("send", "control socket", errno));
  }
}

}  // namespace

Result<bool> FrameReader::read_from(int socket) {
  const std::size_t have = buffer_.size();
  buffer_.resize(have + kReadSize);
  iovec vector{buffer_.data() + have, kReadSize};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMaxFdsAtOnce)] = {};
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t n = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  const int error_number = errno;
  buffer_.resize(have + (n > 0 ? static_cast<std::size_t>(n) : 0));
  if (n == 0) return false;
  if (n < 0) {
    if (error_number == EAGAIN || error_number == EWOULDBLOCK || error_number == EINTR) return true;
    if (error_number == ECONNRESET) return false;
    return fail(errno_error("receive", "control socket", error_number));
  }
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
      fds_.emplace_back(fd);
    }
  }
  return true;
}

Result<std::optional<Frame>> FrameReader::next() {
  std::uint32_t length = 0;
  if (buffer_.size() < sizeof length) return std::optional<Frame>();
  std::memcpy(&length, buffer_.data(), sizeof length);
  if (length > kMaxFrame) return fail(ErrorCode::kInternal, "a control frame is too large");
  if (buffer_.size() < sizeof length + length) return std::optional<Frame>();
  auto body = json::parse_document(std::string_view(buffer_).substr(sizeof length, length));
  buffer_.erase(0, sizeof length + length);
  if (!body) return fail(ErrorCode::kInternal, "a control frame is no JSON");
  Frame frame{std::move(*body), {}};
  if (frame.body.bool_or("fd", false)) {
    if (fds_.empty())
      return fail(ErrorCode::kInternal, "a control frame came without its descriptor");
    frame.fd = std::move(fds_.front());
    fds_.pop_front();
  }
  return std::optional<Frame>(std::move(frame));
}

void FrameWriter::push(std::string_view json, UniqueFd fd) {
  frames_.push_back({with_length(json), 0, std::move(fd)});
}

Result<bool> FrameWriter::write_to(int socket) {
  while (!frames_.empty()) {
    Out& out = frames_.front();
    const int fd = out.sent == 0 ? out.fd.get() : -1;
    TRY_ASSIGN(const std::size_t n,
               send_some(socket, std::string_view(out.bytes).substr(out.sent), fd));
    if (n == 0) return false;
    out.sent += n;
    if (out.sent == out.bytes.size()) frames_.pop_front();
  }
  return true;
}

Result<> Channel::send(std::string_view json) {
  if (json.size() > kMaxFrame) {
    return fail(ErrorCode::kResourceExhausted, "the engine's answer is larger than 64 MiB");
  }
  const std::string bytes = with_length(json);
  const std::lock_guard lock(send_mutex_);
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    TRY_ASSIGN(const std::size_t n,
               send_some(socket_.get(), std::string_view(bytes).substr(sent), -1));
    sent += n;
  }
  return {};
}

Result<std::optional<Frame>> Channel::receive() {
  while (true) {
    TRY_ASSIGN(auto frame, reader_.next());
    if (frame) return std::optional<Frame>(std::move(frame));
    TRY_ASSIGN(const bool open, reader_.read_from(socket_.get()));
    if (!open) return std::optional<Frame>();
  }
}

namespace {

constexpr std::size_t kMostMessage = 16U << 10;

// Up to the last whole character.
std::string beginning_of(const std::string& message) {
  if (message.size() <= kMostMessage) return message;
  std::size_t size = kMostMessage;
  while (size > 0 && (static_cast<unsigned char>(message[size]) & 0xC0) == 0x80) --size;
  return message.substr(0, size) + "…";
}

}  // namespace

void write_error(json::Writer& writer, std::string_view key, const Error& error) {
  writer.begin_object(key);
  // A statement can make a message as long as it likes (SELECT error(…)), and a frame is bounded.
  writer.member("code", static_cast<int>(error.code))
      .member("message", beginning_of(error.message));
  writer.member("slug", error.slug).member("status", error.status);
  writer.member("retry_after", error.retry_after_s).begin_object("members");
  for (const auto& [name, value] : error.members) writer.member(name, value);
  writer.end_object().end_object();
}

Error read_error(const json::Value& value) {
  Error error;
  const std::int64_t code = value.int_or("code", static_cast<int>(ErrorCode::kInternal));
  if (code >= 0 && code <= static_cast<int>(ErrorCode::kInternal))
    error.code = static_cast<ErrorCode>(code);
  error.message = value.string_or("message", "");
  error.slug = value.string_or("slug", "");
  error.status = static_cast<int>(value.int_or("status", 0));
  error.retry_after_s = static_cast<int>(value.int_or("retry_after", 0));
  if (const json::Value* members = value.find("members")) {
    for (const auto& [name, member] : members->members())
      error.members.emplace_back(name, member.text());
  }
  return error;
}

std::string StartMessage::to_json() const {
  json::Writer w;
  w.begin_object().member("type", "start").member("version", kProtocolVersion);
  w.member("destination_id", destination_id).member("destination_name", destination_name);
  w.member("destination_type", type).begin_object("settings");
  for (const auto& [name, value] : settings) w.member(name, value);
  w.end_object();
  w.member("data_file", data_file).member("folder", folder);
  w.member("temp_directory", temp_directory).member("frozen_folder", frozen_folder);
  w.member("sandbox", sandbox).member("probe", probe).member("read_only", read_only);
  w.member("require_sandbox", require_sandbox).member("uid", uid).member("gid", gid);
  w.member("log_directory", log_directory).member("log_id", log_id.to_string());
  w.member("durable_end", durable_end).member("floor", floor).member("threads", threads);
  w.member("memory_limit_bytes", memory_limit_bytes).member("max_columns", max_columns);
  w.member("max_rows_of_a_row", max_rows_of_a_row);
  w.member("load_after_ms", load_after_ms).member("load_after_bytes", load_after_bytes);
  w.member("nice", nice).member("log_level", log_level).member("log_json", log_json);
  return w.end_object().take();
}

Result<StartMessage> StartMessage::from_json(const json::Value& value) {
  if (value.string_or("type", "") != "start" || value.int_or("version", 0) != kProtocolVersion) {
    return fail(ErrorCode::kInvalidArgument,
                "the engine was started by another version of the program");
  }
  const auto text = [&](const char* key) { return std::string(value.string_or(key, "")); };
  const auto number = [&](const char* key) {
    const json::Value* v = value.find(key);
    return v == nullptr ? 0 : v->as_uint().value_or(0);
  };
  StartMessage m;
  m.destination_id = text("destination_id");
  m.destination_name = text("destination_name");
  m.type = text("destination_type");
  if (const json::Value* settings = value.find("settings")) {
    for (const auto& [name, member] : settings->members())
      m.settings.emplace_back(name, member.text());
  }
  m.data_file = text("data_file");
  m.folder = text("folder");
  m.temp_directory = text("temp_directory");
  m.frozen_folder = text("frozen_folder");
  m.sandbox = value.bool_or("sandbox", true);
  m.require_sandbox = value.bool_or("require_sandbox", false);
  m.probe = value.bool_or("probe", false);
  m.read_only = value.bool_or("read_only", false);
  m.uid = static_cast<std::uint32_t>(number("uid"));
  m.gid = static_cast<std::uint32_t>(number("gid"));
  m.log_directory = text("log_directory");
  const auto log_id = Id128::parse(text("log_id"));
  if (!log_id) return fail(ErrorCode::kInvalidArgument, "the start message names no log");
  m.log_id = *log_id;
  m.durable_end = number("durable_end");
  m.floor = number("floor");
  m.threads = static_cast<unsigned>(number("threads"));
  m.memory_limit_bytes = number("memory_limit_bytes");
  m.max_columns = number("max_columns");
  m.max_rows_of_a_row = number("max_rows_of_a_row");
  m.load_after_ms = number("load_after_ms");
  m.load_after_bytes = number("load_after_bytes");
  m.nice = static_cast<int>(value.int_or("nice", 0));
  m.log_level = text("log_level");
  m.log_json = value.bool_or("log_json", false);
  return m;
}

}  // namespace sd::engine
