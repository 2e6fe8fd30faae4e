#include "catalog/seal.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <thread>
#include <vector>

#include "catalog/testing.h"

namespace sd::catalog {
namespace {

const std::string kHex(64, 'a');

TEST(Sealer, GivesBackWhatItSealedAndOnlyInItsPlace) {
  const auto sealer = Sealer::from_hex(kHex);
  ASSERT_TRUE(sealer);
  const std::string plain("secret \0 text", 13);
  const std::string sealed = sealer->seal(plain, "share 1");
  EXPECT_EQ(sealed.find("secret"), std::string::npos);
  EXPECT_NE(sealed, sealer->seal(plain, "share 1")) << "each has a nonce of its own";
  EXPECT_EQ(sealer->unseal(sealed, "share 1").value(), plain);
  EXPECT_EQ(sealer->unseal(sealed, "share 2").error().code, ErrorCode::kCorruption);
  EXPECT_EQ(sealer->unseal(sealer->seal("", "x"), "x").value(), "");
}

TEST(Sealer, TellsDamageFromAnotherKey) {
  const auto sealer = Sealer::from_hex(kHex);
  const std::string sealed = sealer->seal("secret", "x");
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string other = sealed;
    other[i] = other[i] == 'A' ? 'B' : 'A';
    const auto opened = sealer->unseal(other, "x");
    EXPECT_FALSE(opened) << i;
    EXPECT_FALSE(sealer->unseal(sealed.substr(0, i), "x")) << i;
  }
  const auto another = Sealer::from_hex(std::string(64, 'b'));
  EXPECT_EQ(another->unseal(sealed, "x").error().code, ErrorCode::kPermissionDenied);
}

TEST(Sealer, TakesKeysOf64HexDigitsOnly) {
  for (const std::string& bad : {std::string(), std::string(63, 'a'), std::string(65, 'a'),
                                 std::string(64, 'g'), std::string(66, 'a'), kHex + "\n"}) {
    const auto sealer = Sealer::from_hex(bad);
    ASSERT_FALSE(sealer) << bad;
    EXPECT_EQ(sealer.error().code, ErrorCode::kInvalidArgument);
  }
}

TEST(Sealer, MakesAKeyOnceAndForItsOwnerAlone) {
  const TempDir dir;
  const std::string path = dir.path() + "/" + std::string(kSecretKeyFile);
  std::vector<std::string> sealed(8);
  {
    std::vector<std::jthread> threads;
    for (std::string& text : sealed) {
      threads.emplace_back([&] { text = Sealer::from_file(path).value().seal("s", "x"); });
    }
  }
  const auto sealer = Sealer::from_file(path);
  for (const std::string& text : sealed) EXPECT_EQ(sealer->unseal(text, "x").value(), "s");
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir.path()),
                          std::filesystem::directory_iterator()),
            1)
      << "no draft is left";
  std::ofstream(path) << "not a key";
  EXPECT_NE(Sealer::from_file(path).error().message.find(path), std::string::npos);
}

TEST(Password, IsKnownByItsHashAndNothingElse) {
  const std::string hash = hash_password("correct horse").value();
  EXPECT_TRUE(hash.starts_with("$argon2id$")) << hash;
  EXPECT_TRUE(password_matches(hash, "correct horse").value());
  for (const std::string_view wrong : {"", "correct", "correct horse ", "Correct horse"}) {
    EXPECT_FALSE(password_matches(hash, wrong).value()) << wrong;
  }
  EXPECT_FALSE(password_matches("no hash", "x").value());
  EXPECT_NE(hash, hash_password("correct horse").value());
}

}  // namespace
}  // namespace sd::catalog
