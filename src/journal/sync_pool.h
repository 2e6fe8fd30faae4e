// The pool's inside: which log is served next, and by whom.
//
// A client has two kinds of work. *Serving* writes and syncs one batch of its queue; at most one
// thread serves a client at a time, and a busy client stays with its thread as long as nobody else
// waits, so that it costs no wake-up. *Housekeeping* (zero-filling, indexes, removal) may take
// long; at most half of the threads do it at once, so that it never keeps appends waiting.
//
// A client counts the work that the pool holds for it; wait_idle() returns when that is none, and
// after that the pool does not touch the client any more unless it is submitted again.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "journal/log.h"

namespace sd::journal {

// Memory of a pool thread that every log it serves can use: what is queued is gathered here.
struct Scratch {
  std::vector<char> bytes;
  std::vector<std::string_view> pieces;
};

class PoolClient {
 public:
  virtual ~PoolClient() = default;
  // Writes one batch. True: there is more. False: nothing was left and submit() will be called when
  // something comes; the client must not touch itself after it decided that.
  virtual bool serve(Scratch& scratch) noexcept = 0;
  virtual void housekeep() noexcept = 0;

 private:
  friend struct SyncPool::Impl;
  unsigned held_ = 0;  // guarded by the pool's mutex
};

struct SyncPool::Impl {
  explicit Impl(unsigned threads);
  ~Impl();

  void submit(PoolClient& client);
  void submit_housekeeping(PoolClient& client);
  void wait_idle(PoolClient& client);

 private:
  void run();
  void release(PoolClient& client);

  std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable idle_;
  std::deque<PoolClient*> ready_;
  std::deque<PoolClient*> housekeeping_;
  unsigned sleeping_ = 0;
  unsigned housekeepers_ = 0;
  unsigned most_housekeepers_;
  unsigned waiting_for_idle_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace sd::journal
