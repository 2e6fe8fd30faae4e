// Sending chunks: some threads, each with a connection of its own, each taking the next chunk when
// it is free. At most one chunk a thread is in memory.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "client/chunks.h"
#include "client/retry.h"
#include "client/transport.h"

namespace sd::client {

struct Outgoing {
  Chunk chunk;
  std::string input;  // the file's name, for people
  std::string idempotency_key;
  std::uint64_t bytes = 0;  // of the input, since the chunk before
};
// The next chunk; called by one thread at a time. An error ends the upload.
using NextChunk = std::function<Result<std::optional<Outgoing>>()>;

struct RefusedRow {
  std::string input;
  std::uint64_t row = 0;  // in the input, counted from 0
  std::string code;
  std::string detail;
};

// What is known so far.
struct Totals {
  std::uint64_t stored = 0;    // rows
  std::uint64_t replayed = 0;  // of them, those that were stored by an earlier run
  std::uint64_t refused = 0;   // rows
  std::uint64_t unsent = 0;    // of them, those that the server does not have
  std::uint64_t late = 0;      // of them, those that loading refused after the answer
  std::uint64_t bytes = 0;     // of the input, that are answered
  std::uint64_t chunks = 0;
  bool invisible = false;                 // --wait: not everything could be queried in time
  std::vector<RefusedRow> first_refused;  // at most kShownRefused, in order
  std::uint64_t unsettled = 0;  // chunks of which it is not known whether loading refused rows
  std::string trouble;          // why something is tried again just now; empty: nothing is
};
inline constexpr std::size_t kShownRefused = 10;

struct UploadOptions {
  std::string target;
  std::vector<std::pair<std::string, std::string>> headers;  // of every request
  unsigned concurrency = 4;
  bool gzip = false;
  bool strict = false;  // a chunk that is refused ends the upload
  RetryPolicy retry;
  // How long after the last answer it is asked what loading refused.
  milliseconds settle_within{30'000};
};

class Upload {
 public:
  Upload(UploadOptions options, TransportFactory connect, NextChunk next);
  // stop() and join.
  ~Upload();
  Upload(const Upload&) = delete;
  Upload& operator=(const Upload&) = delete;

  void start();
  // True when everything is done or the upload has failed. Returns as soon as it is, or after the
  // time.
  bool wait_for(milliseconds time);
  // True while requests are under way. A thread that is not sending may be waiting for a pipe for
  // ever.
  bool is_sending() const;
  // No new chunk, no new try; what is under way is answered or times out.
  void stop();

  Totals totals() const;
  // Why it ended before the end of the input.
  std::optional<Error> failure() const;
  // A row that never got into a request. From within `next`, too.
  void count_unsent(RefusedRow row);

 private:
  // An answered chunk whose rows were not loaded yet.
  struct Unsettled {
    std::string receipt;
    std::uint64_t refused = 0;  // that the answer told of
  };

  void work();
  // When there is nothing more to send: asks what loading refused of what was sent.
  void settle(Transport& transport);
  std::optional<Unsettled> take_unsettled();
  // Whether the receipt says all that it will ever say.
  bool is_settled(const Unsettled& chunk, const Result<HttpAnswer>& answer);
  void give_up_settling();
  Result<std::optional<Outgoing>> take();
  void deliver(Transport& transport, const Outgoing& outgoing);
  bool pause(milliseconds time);
  void count_sending(int change);
  void count(const Outgoing& outgoing, const HttpAnswer& answer);
  // Whether the server found no good row in the chunk; they are counted then.
  bool count_all_bad(const Outgoing& outgoing, const HttpAnswer& answer);
  void fail_with(Error error);
  void note_refused(RefusedRow row);

  UploadOptions options_;
  TransportFactory connect_;
  NextChunk next_;
  std::vector<std::thread> threads_;

  std::mutex next_mutex_;
  bool input_ended_ = false;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  unsigned running_ = 0;
  unsigned sending_ = 0;
  Totals totals_;
  std::vector<Unsettled> unsettled_;
  std::chrono::steady_clock::time_point last_answer_;
  std::optional<Error> failure_;
};

// gzip of the bytes, for Content-Encoding.
std::string gzip(std::string_view bytes);

}  // namespace sd::client
