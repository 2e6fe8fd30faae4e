#include "catalog/key_cache.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "catalog/testing.h"

namespace sd::catalog {
namespace {

using namespace std::chrono_literals;

class KeyCacheTest : public testing::Test {
 protected:
  KeyCacheTest() { restart(); }
  void restart(KeyCacheOptions options = {}) {
    cache_.reset();
    cache_ = std::move(*KeyCache::start(*catalog_, options));
  }
  std::unique_ptr<Catalog> open() {
    return std::move(*Catalog::open({.data_dir = dir_.path(), .clock = &clock_}));
  }

  TempDir dir_;
  ManualClock clock_;
  std::unique_ptr<Catalog> catalog_ = open();
  std::unique_ptr<KeyCache> cache_;
};

TEST_F(KeyCacheTest, KnowsAKeyAsSoonAsItIsMade) {
  const auto home = catalog_->create_destination({.name = "a"});
  const auto made = catalog_->create_key(
      {.destination_id = home->id, .scopes = Scopes::of(Scope::kInsert), .tables = {{"t"}}});
  const auto key = cache_->find_key(made->secret);
  ASSERT_NE(key, nullptr);
  EXPECT_EQ(key->id, made->key.id);
  EXPECT_EQ(key->destination_id, home->id);
  EXPECT_TRUE(key->may(Scope::kInsert));
  EXPECT_FALSE(key->may(Scope::kQuery));
  EXPECT_TRUE(key->may_table("t"));
  EXPECT_TRUE(key->may_table("T")) << "tables are the same whatever their case";
  EXPECT_FALSE(key->may_table("u"));
  EXPECT_TRUE(key->may_endpoint("e"));
  EXPECT_FALSE(key->is_admin());
  EXPECT_FALSE(key->well_known);
}

TEST_F(KeyCacheTest, FindsNothingThatIsNotThere) {
  const auto made = catalog_->create_key({});
  EXPECT_EQ(cache_->find_key(""), nullptr);
  EXPECT_EQ(cache_->find_key("local"), nullptr);
  EXPECT_EQ(cache_->find_key(made->secret + "x"), nullptr);
  EXPECT_EQ(cache_->find_key(made->key.prefix), nullptr);
  EXPECT_EQ(cache_->find_key(std::string(1 << 20, 'x')), nullptr);
}

TEST_F(KeyCacheTest, ForgetsARevokedKeyBeforeTheCallReturns) {
  const auto made = catalog_->create_key({});
  ASSERT_NE(cache_->find_key(made->secret), nullptr);
  ASSERT_TRUE(catalog_->revoke_key(made->key.id));
  EXPECT_EQ(cache_->find_key(made->secret), nullptr);
}

TEST_F(KeyCacheTest, ForgetsWithinASecondAKeyThatAnotherProcessRevoked) {
  auto other = open();
  const auto made = other->create_key({});
  const auto wait_until = [&](bool known) {
    const auto start = std::chrono::steady_clock::now();
    while ((cache_->find_key(made->secret) != nullptr) != known) {
      if (std::chrono::steady_clock::now() - start > 1s) return false;
      std::this_thread::sleep_for(5ms);
    }
    return true;
  };
  EXPECT_TRUE(wait_until(true));
  ASSERT_TRUE(other->revoke_key(made->key.id));
  EXPECT_TRUE(wait_until(false));
}

TEST_F(KeyCacheTest, MarksWellKnownKeys) {
  ASSERT_TRUE(catalog_->put_configured_keys({{.secret = "local"}, {.secret = "a-good-key"}}));
  EXPECT_TRUE(cache_->find_key("local")->well_known);
  EXPECT_TRUE(cache_->find_key("local")->is_admin());
  EXPECT_FALSE(cache_->find_key("a-good-key")->well_known);
}

TEST_F(KeyCacheTest, FindsDestinationsByIdAndName) {
  const auto made = catalog_->create_destination({.name = "a"});
  EXPECT_EQ(cache_->destination(made->id)->name, "a");
  EXPECT_EQ(cache_->destination_named("a")->id, made->id);
  EXPECT_EQ(cache_->destination_by_text("a")->id, made->id);
  EXPECT_EQ(cache_->destination_by_text(made->id.to_string())->id, made->id);
  EXPECT_EQ(cache_->destination_named("b"), nullptr);
  EXPECT_EQ(cache_->destination(Id128::make()), nullptr);
  ASSERT_TRUE(catalog_->change_destination(made->id, {.name = "b"}));
  EXPECT_EQ(cache_->destination_named("a"), nullptr);
  EXPECT_EQ(cache_->destinations().size(), 1U);
  ASSERT_TRUE(catalog_->delete_destination(made->id));
  EXPECT_EQ(cache_->destination(made->id), nullptr);
}

TEST_F(KeyCacheTest, KeysOfADetachedDestinationAreDead) {
  const auto home =
      catalog_->put_configured_destinations({{.name = "a", .origin = Origin::kConfig}});
  const auto made = catalog_->create_key({.destination_id = home->front().id});
  ASSERT_NE(cache_->find_key(made->secret), nullptr);
  ASSERT_TRUE(catalog_->put_configured_destinations({}));
  EXPECT_EQ(cache_->find_key(made->secret), nullptr);
  EXPECT_NE(cache_->destination_named("a"), nullptr);
}

TEST_F(KeyCacheTest, WhatItGaveOutStaysValid) {
  const auto made = catalog_->create_key({.tables = {{"t"}}});
  const auto key = cache_->find_key(made->secret);
  ASSERT_TRUE(catalog_->revoke_key(made->key.id));
  cache_.reset();
  EXPECT_TRUE(key->may_table("t"));
}

TEST_F(KeyCacheTest, WritesLastUsesInBatches) {
  const auto made = catalog_->create_key({});
  ASSERT_NE(cache_->find_key(made->secret), nullptr);
  EXPECT_EQ(catalog_->key(made->key.id)->last_used_at, std::nullopt);
  ASSERT_TRUE(cache_->flush_uses());
  const Micros first = clock_.wall_us();
  EXPECT_EQ(catalog_->key(made->key.id)->last_used_at, first);
  clock_.advance(59 * kMicrosPerSecond);
  ASSERT_NE(cache_->find_key(made->secret), nullptr);
  ASSERT_TRUE(cache_->flush_uses());
  EXPECT_EQ(catalog_->key(made->key.id)->last_used_at, first) << "coarse";
  clock_.advance(kMicrosPerSecond);
  // A refresh in between keeps what is not yet written.
  ASSERT_NE(cache_->find_key(made->secret), nullptr);
  ASSERT_TRUE(catalog_->create_key({}));
  cache_.reset();
  EXPECT_EQ(catalog_->key(made->key.id)->last_used_at, clock_.wall_us()) << "and at the end";
}

TEST_F(KeyCacheTest, ServesEightThreadsWhileKeysComeAndGo) {
  const auto steady = catalog_->create_key({});
  std::atomic<bool> done{false};
  std::atomic<int> missed{0};
  {
    std::vector<std::jthread> readers;
    for (int t = 0; t < 8; ++t) {
      readers.emplace_back([&] {
        while (!done) {
          if (cache_->find_key(steady->secret) == nullptr) ++missed;
          if (cache_->find_key("unknown") != nullptr) ++missed;
        }
      });
    }
    for (int i = 0; i < 20; ++i) {
      const auto made = catalog_->create_key({});
      EXPECT_NE(cache_->find_key(made->secret), nullptr);
      EXPECT_TRUE(catalog_->revoke_key(made->key.id));
      EXPECT_EQ(cache_->find_key(made->secret), nullptr);
    }
    done = true;
  }
  EXPECT_EQ(missed, 0);
}

}  // namespace
}  // namespace sd::catalog
