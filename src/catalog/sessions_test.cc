#include <gtest/gtest.h>

#include "catalog/catalog.h"
#include "catalog/key_cache.h"
#include "catalog/testing.h"

namespace sd::catalog {
namespace {

constexpr Micros kHour = 3600 * kMicrosPerSecond;

class Sessions : public ::testing::Test {
 protected:
  TempDir dir_;
  ManualClock clock_;
  std::unique_ptr<Catalog> catalog_ =
      Catalog::open({.data_dir = dir_.path(), .clock = &clock_}).value();
  std::unique_ptr<KeyCache> cache_ = KeyCache::start(*catalog_).value();
  CreatedKey key_ = catalog_->create_key({.name = "k"}).value();
};

TEST_F(Sessions, ASessionIsItsKeyUntilItEndsOrExpires) {
  const CreatedSession made = catalog_->create_session(key_.key.id, kHour).value();
  const auto found = cache_->find_session(made.secret);
  ASSERT_TRUE(found.key);
  EXPECT_EQ(found.id, made.session.id);
  EXPECT_EQ(found.key->id, key_.key.id);
  EXPECT_FALSE(cache_->find_key(made.secret)) << "a session's secret is no key";
  EXPECT_FALSE(cache_->find_session(key_.secret).key) << "nor is a key's a session's";
  EXPECT_FALSE(cache_->find_session("").key);
  const CreatedSession other = catalog_->create_session(key_.key.id, kHour).value();
  ASSERT_TRUE(catalog_->end_session(made.session.id));
  EXPECT_FALSE(cache_->find_session(made.secret).key);
  EXPECT_TRUE(cache_->find_session(other.secret).key);
  clock_.advance(kHour + 1);
  EXPECT_FALSE(cache_->find_session(other.secret).key);
  EXPECT_TRUE(catalog_->end_session(made.session.id)) << "again: fine";
}

TEST_F(Sessions, ARevokedKeyEndsItsSessions) {
  const CreatedSession made = catalog_->create_session(key_.key.id, kHour).value();
  ASSERT_TRUE(catalog_->revoke_key(key_.key.id));
  EXPECT_FALSE(cache_->find_session(made.secret).key);
  EXPECT_EQ(catalog_->create_session(key_.key.id, kHour).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(catalog_->create_sign_in_link(key_.key.id, kHour).error().code, ErrorCode::kNotFound);
}

TEST_F(Sessions, ALinkSignsInOnce) {
  const CreatedSession link = catalog_->create_sign_in_link(key_.key.id, kHour).value();
  EXPECT_FALSE(cache_->find_session(link.secret).key) << "a link is no session";
  const CreatedSession made = catalog_->redeem_sign_in_link(link.secret, kHour).value();
  EXPECT_EQ(cache_->find_session(made.secret).key->id, key_.key.id);
  EXPECT_EQ(catalog_->redeem_sign_in_link(link.secret, kHour).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(catalog_->redeem_sign_in_link(made.secret, kHour).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(catalog_->redeem_sign_in_link("sd_never", kHour).error().code, ErrorCode::kNotFound);
  const CreatedSession late = catalog_->create_sign_in_link(key_.key.id, kHour).value();
  clock_.advance(kHour + 1);
  EXPECT_EQ(catalog_->redeem_sign_in_link(late.secret, kHour).error().code, ErrorCode::kNotFound);
}

TEST_F(Sessions, ALinkOfARevokedKeyIsOfNoUse) {
  const CreatedSession link = catalog_->create_sign_in_link(key_.key.id, kHour).value();
  ASSERT_TRUE(catalog_->revoke_key(key_.key.id));
  EXPECT_EQ(catalog_->redeem_sign_in_link(link.secret, kHour).error().code, ErrorCode::kNotFound);
}

TEST_F(Sessions, OutliveTheProgram) {
  const CreatedSession made = catalog_->create_session(key_.key.id, kHour).value();
  cache_.reset();
  catalog_ = Catalog::open({.data_dir = dir_.path(), .clock = &clock_}).value();
  cache_ = KeyCache::start(*catalog_).value();
  EXPECT_TRUE(cache_->find_session(made.secret).key);
}

}  // namespace
}  // namespace sd::catalog
