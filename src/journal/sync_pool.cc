#include "journal/sync_pool.h"

#include <algorithm>

namespace sd::journal {

SyncPool::SyncPool(unsigned threads) : impl_(std::make_unique<Impl>(threads)) {}
SyncPool::~SyncPool() = default;

SyncPool::Impl::Impl(unsigned threads) : most_housekeepers_(std::max(1U, threads / 2)) {
  for (unsigned i = 0; i < std::max(1U, threads); ++i) threads_.emplace_back([this] { run(); });
}

SyncPool::Impl::~Impl() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void SyncPool::Impl::submit(PoolClient& client) {
  bool wake;
  {
    const std::lock_guard lock(mutex_);
    ++client.held_;
    ready_.push_back(&client);
    wake = sleeping_ > 0;
  }
  if (wake) work_.notify_one();
}

void SyncPool::Impl::submit_housekeeping(PoolClient& client) {
  bool wake;
  {
    const std::lock_guard lock(mutex_);
    ++client.held_;
    housekeeping_.push_back(&client);
    wake = sleeping_ > 0;
  }
  if (wake) work_.notify_one();
}

void SyncPool::Impl::wait_idle(PoolClient& client) {
  std::unique_lock lock(mutex_);
  ++waiting_for_idle_;
  idle_.wait(lock, [&] { return client.held_ == 0; });
  --waiting_for_idle_;
}

// Under the mutex.
void SyncPool::Impl::release(PoolClient& client) {
  --client.held_;
  if (client.held_ == 0 && waiting_for_idle_ > 0) idle_.notify_all();
}

void SyncPool::Impl::run() {
  Scratch scratch;
  std::unique_lock lock(mutex_);
  while (true) {
    if (!ready_.empty()) {
      PoolClient* client = ready_.front();
      ready_.pop_front();
      bool more = true;
      while (more) {
        lock.unlock();
        more = client->serve(scratch);
        lock.lock();
        if (more && !ready_.empty()) {  // others wait: to the end of the line
          ready_.push_back(client);
          client = nullptr;
          break;
        }
      }
      if (client != nullptr) release(*client);
    } else if (!housekeeping_.empty() && housekeepers_ < most_housekeepers_) {
      PoolClient* client = housekeeping_.front();
      housekeeping_.pop_front();
      ++housekeepers_;
      lock.unlock();
      client->housekeep();
      lock.lock();
      --housekeepers_;
      release(*client);
    } else if (stopping_) {
      return;
    } else {
      ++sleeping_;
      work_.wait(lock);
      --sleeping_;
    }
  }
}

}  // namespace sd::journal
