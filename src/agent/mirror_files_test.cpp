#include "agent/mirror_files.hpp"

#include "tests/support/chunk_files_fixture.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace entrepot {
namespace {

using Kind = MirrorChange::Kind;

class MirrorFilesTest : public testing::Test {
protected:
    MirrorFiles all() const
    {
        return {
            .registry = "registry.test",
            .agent = "http://127.0.0.1:5100",
            .containerd = root / "certs.d",
            .crio = root / "registries.conf.d",
            .podman = root / "podman" / "entrepot.conf",
        };
    }
    static std::string text_of(const std::filesystem::path& path)
    {
        std::ifstream stream{path, std::ios::binary};
        return {std::istreambuf_iterator<char>{stream}, {}};
    }
    static void put(const std::filesystem::path& path, std::string_view text)
    {
        std::filesystem::create_directories(path.parent_path());
        std::ofstream{path, std::ios::binary} << text;
    }
    static std::vector<Kind> kinds(const Result<std::vector<MirrorChange>>& changes)
    {
        std::vector<Kind> kinds;
        for (const auto& change : changes.value()) kinds.push_back(change.kind);
        return kinds;
    }

    ChunkTestFolder folder;
    const std::filesystem::path root = folder.path();
    const std::filesystem::path hosts = root / "certs.d" / "registry.test" / "hosts.toml";
};

TEST_F(MirrorFilesTest, are_written_once_and_taken_away_again)
{
    const auto files = mirror_files(all()).value();
    EXPECT_EQ(kinds(install_mirror(files, true)), (std::vector{Kind::written, Kind::written, Kind::written}));
    EXPECT_TRUE(std::filesystem::is_empty(root)) << "only told";
    EXPECT_EQ(kinds(install_mirror(files, false)), (std::vector{Kind::written, Kind::written, Kind::written}));
    EXPECT_EQ(kinds(install_mirror(files, false)), (std::vector{Kind::same, Kind::same, Kind::same}));
    EXPECT_TRUE(text_of(hosts).ends_with("server = \"https://registry.test\"\n\n[host.\"http://127.0.0.1:5100\"]\n"
                                         "  capabilities = [\"pull\", \"resolve\"]\n  dial_timeout = \"500ms\"\n"));
    EXPECT_TRUE(text_of(root / "registries.conf.d" / "50-entrepot-registry.test.conf")
                    .ends_with("[[registry]]\nprefix = \"registry.test\"\nlocation = \"registry.test\"\n\n"
                               "[[registry.mirror]]\nlocation = \"127.0.0.1:5100\"\ninsecure = true\n"));
    EXPECT_EQ(std::filesystem::status(hosts).permissions(), static_cast<std::filesystem::perms>(0644))
        << "the runtime may run as somebody else";

    EXPECT_EQ(kinds(remove_mirror(files, false)), (std::vector{Kind::removed, Kind::removed, Kind::removed}));
    EXPECT_EQ(kinds(remove_mirror(files, false)), (std::vector{Kind::absent, Kind::absent, Kind::absent}));
    EXPECT_FALSE(std::filesystem::exists(hosts.parent_path()));
    EXPECT_TRUE(std::filesystem::is_empty(root / "registries.conf.d"));
}

TEST_F(MirrorFilesTest, of_others_are_left_alone_and_then_nothing_is_done)
{
    const auto conf = root / "podman" / "entrepot.conf";
    put(conf, "unqualified-search-registries = []\n");
    const auto files = mirror_files(all()).value();
    EXPECT_EQ(install_mirror(files, false).error().code(), Errc::conflict);
    EXPECT_EQ(remove_mirror(files, false).error().code(), Errc::conflict);
    EXPECT_EQ(text_of(conf), "unqualified-search-registries = []\n");
    EXPECT_FALSE(std::filesystem::exists(hosts));

    std::filesystem::remove(conf);
    put(root / "elsewhere", "");
    std::filesystem::create_symlink(root / "elsewhere", conf);
    EXPECT_EQ(install_mirror(files, false).error().code(), Errc::conflict);
}

TEST_F(MirrorFilesTest, of_ours_are_replaced_and_neighbours_stay)
{
    ASSERT_TRUE(install_mirror(mirror_files(all()).value(), false));
    put(hosts.parent_path() / "ca.crt", "a certificate");
    auto other = all();
    other.agent = "http://127.0.0.1:6000";
    EXPECT_EQ(kinds(install_mirror(mirror_files(other).value(), false)).front(), Kind::written);
    EXPECT_TRUE(text_of(hosts).contains("[host.\"http://127.0.0.1:6000\"]"));
    EXPECT_TRUE(remove_mirror(mirror_files(other).value(), false));
    EXPECT_TRUE(std::filesystem::exists(hosts.parent_path() / "ca.crt"));
}

TEST_F(MirrorFilesTest, are_of_a_registry_and_a_runtime)
{
    auto wanted = all();
    for (const auto* name : {"", "..", "../etc", "a b", "registry.test/project", "x\"y", "-x"}) {
        wanted.registry = name;
        EXPECT_EQ(mirror_files(wanted).error().code(), Errc::bad_request) << name;
    }
    wanted.registry = "http://registry.test:5000";
    const auto files = mirror_files(wanted).value();
    EXPECT_EQ(files[0].path, root / "certs.d" / "registry.test:5000" / "hosts.toml");
    EXPECT_TRUE(files[0].text.contains("server = \"http://registry.test:5000\""));
    EXPECT_EQ(files[1].path.filename(), "50-entrepot-registry.test-5000.conf");
    EXPECT_EQ(mirror_files({.registry = "registry.test", .agent = {}}).error().code(), Errc::bad_request);
}

}  // namespace
}  // namespace entrepot
