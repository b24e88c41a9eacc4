#include "api/token/seal.hpp"

#include "api/token/master_key.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include <sys/stat.h>

namespace entrepot {
namespace {

const std::string some_key(64, '1');
const std::string other_key(64, '2');

class TemporaryFolder {
public:
    TemporaryFolder()
    {
        std::string name = (std::filesystem::temp_directory_path() / "entrepot-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    ~TemporaryFolder() { std::filesystem::remove_all(path_); }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

TEST(MasterKey, reads_hexadecimal_and_base64)
{
    const auto hex = MasterKey::parse(some_key + "\n");
    const auto base64 = MasterKey::parse("ERERERERERERERERERERERERERERERERERERERERERE=");
    ASSERT_TRUE(hex);
    ASSERT_TRUE(base64);
    EXPECT_EQ(hex->fingerprint(), base64->fingerprint());
}

TEST(MasterKey, refuses_other_lengths_and_alphabets)
{
    for (const auto& text : {std::string{}, std::string(63, '1'), std::string(64, 'g'), std::string{"MTIzNDU2Nzg="}}) {
        const auto key = MasterKey::parse(text);
        ASSERT_FALSE(key) << text;
        EXPECT_EQ(key.error().code(), Errc::bad_request);
    }
}

TEST(MasterKey, is_made_once_for_its_owner_alone_and_read_ever_after)
{
    const TemporaryFolder folder;
    SystemRandom random;
    const auto file = folder.path() / "master.key";
    const auto made = MasterKey::load_or_create(file, random);
    ASSERT_TRUE(made);
    struct stat status{};
    ASSERT_EQ(::stat(file.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    const auto again = MasterKey::load_or_create(file, random);
    ASSERT_TRUE(again);
    EXPECT_EQ(made->fingerprint(), again->fingerprint());
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator{folder.path()}, {}), 1);
}

TEST(MasterKey, a_file_without_a_key_is_refused_and_left_alone)
{
    const TemporaryFolder folder;
    SystemRandom random;
    const auto file = folder.path() / "master.key";
    std::ofstream{file} << "not a key";
    const auto key = MasterKey::load_or_create(file, random);
    ASSERT_FALSE(key);
    EXPECT_EQ(key.error().code(), Errc::bad_request);
    EXPECT_NE(key.error().message().find("master.key"), std::string::npos);
    EXPECT_EQ(std::filesystem::file_size(file), 9U);
}

class Sealed : public testing::Test {
protected:
    SystemRandom random;
    MasterKey key = *MasterKey::parse(some_key);
};

TEST_F(Sealed, opens_under_the_same_key_and_context)
{
    const auto sealed = seal(key, "the secret", "context", random);
    EXPECT_EQ(sealed.find("the secret"), std::string::npos);
    const auto opened = unseal(key, sealed, "context");
    ASSERT_TRUE(opened);
    EXPECT_EQ(*opened, "the secret");
    EXPECT_EQ(*unseal(key, seal(key, "", "", random), ""), "");
}

TEST_F(Sealed, never_looks_the_same_twice)
{
    EXPECT_NE(seal(key, "the secret", "context", random), seal(key, "the secret", "context", random));
}

TEST_F(Sealed, cannot_stand_in_for_another)
{
    EXPECT_FALSE(unseal(key, seal(key, "the secret", "this", random), "that"));
}

TEST_F(Sealed, under_another_master_key_says_so)
{
    const auto opened = unseal(*MasterKey::parse(other_key), seal(key, "the secret", "context", random), "context");
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code(), Errc::corrupt);
    EXPECT_NE(opened.error().message().find("another master key"), std::string::npos);
}

TEST_F(Sealed, refuses_every_changed_character)
{
    const auto sealed = seal(key, "s", "context", random);
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        auto changed = sealed;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        EXPECT_FALSE(unseal(key, changed, "context")) << i;
        EXPECT_FALSE(unseal(key, sealed.substr(0, i), "context")) << i;
    }
}

}  // namespace
}  // namespace entrepot
