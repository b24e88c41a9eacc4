#include "drivers/sqlite/sqlite_store.hpp"

#include "drivers/sql/artifact_list.hpp"
#include "drivers/sqlite/sqlite_connection.hpp"
#include "tests/contract/metadata_store_contract.hpp"
#include "tests/contract/metadata_store_fixture.hpp"
#include "tests/contract/metadata_store_recounts.hpp"
#include "tests/support/plain_sqlite.hpp"

#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdlib.h>
#include <sys/mount.h>

namespace entrepot::contract {

namespace {

class TemporaryDirectory {
public:
    TemporaryDirectory()
    {
        std::string pattern = (std::filesystem::temp_directory_path() / "sqlite-store-XXXXXX").string();
        if (!::mkdtemp(pattern.data())) throw std::runtime_error{"no temporary directory"};
        path_ = pattern;
    }
    ~TemporaryDirectory()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    std::string file(const char* name) const { return (path_ / name).string(); }

private:
    std::filesystem::path path_;
};

std::string text_of(const std::string& file)
{
    std::ifstream stream{file};
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
}

SqliteOptions options(const std::string& file, std::int64_t most_pages = 0)
{
    SqliteOptions chosen;
    chosen.file = file;
    chosen.most_pages = most_pages;
    return chosen;
}

class SqliteHost final : public MetadataHost {
public:
    SqliteHost() { reopen(); }
    MetadataStore& store() override { return *store_; }
    void reopen() override
    {
        store_.reset();
        store_ = open_sqlite_store(options(directory_.file("m.db")), clock_);
    }
    std::int64_t number(const std::string& query) override
    {
        return PlainSqlite{directory_.file("m.db")}.number(query);
    }
    bool peeks() const override { return true; }

private:
    TemporaryDirectory directory_;
    SystemClock clock_;
    std::unique_ptr<MetadataStore> store_;
};

}  // namespace

const MetadataEngine& engine_under_test()
{
    static const MetadataEngine engine{"sqlite", [] { return std::make_unique<SqliteHost>(); }};
    return engine;
}

namespace {

// Pushes images until the answer is storage_full; how many got in.
int push_until_full(MetadataStore& store)
{
    for (int i = 0; i < 4000; ++i) {
        const std::string bytes = std::to_string(i) + std::string(20000, 'm');
        const auto done = run(store.manifests().commit(pushed(repository("p/a"), bytes, "application/x-odd", {"t"})));
        if (done) continue;
        EXPECT_EQ(done.error().code(), Errc::storage_full) << done.error().detail();
        return i;
    }
    ADD_FAILURE() << "it never got full";
    return 0;
}

// Counts the statements that reach the database.
class CountingSession final : public SqlSession {
public:
    explicit CountingSession(SqlSession& session) : session_{session} {}
    bool has_rivals() const noexcept override { return session_.has_rivals(); }
    Result<SqlRows> run_with(const SqlStatement& statement, std::span<const SqlParameter> parameters) override
    {
        ++statements;
        return session_.run_with(statement, parameters);
    }
    Result<SqlRows> run_once(const std::string& text, std::span<const SqlParameter> parameters) override
    {
        ++statements;
        return session_.run_once(text, parameters);
    }
    Result<> run_script(std::string_view text) override { return session_.run_script(text); }
    int statements = 0;

private:
    SqlSession& session_;
};

TEST(SqliteStore, reads_the_labels_that_rows_do_not_keep_with_one_statement_for_a_page)
{
    const TemporaryDirectory directory;
    const SystemClock clock;
    const auto store = open_sqlite_store(options(directory.file("m.db")), clock);
    ASSERT_TRUE(run(store->projects().create({.name = project("p")}, {1, 1})));
    for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(run(store->manifests().commit(pushed(repository("p/a"), std::to_string(i), "application/x-odd"))));
    }
    SqliteConnection connection{directory.file("m.db"), SqliteConnection::Use::reading};
    const auto statements_of_a_page = [&] {
        CountingSession session{connection};
        ListQuery query;
        query.limit = 100;
        const auto page = list_of_repository(session, repository("p/a"), query, {.labels = true});
        EXPECT_TRUE(page);
        EXPECT_EQ(page->items.size(), 100U);
        for (const auto& item : page->items) EXPECT_EQ(item.labels_json, "[]");
        return session.statements;
    };
    const auto kept = statements_of_a_page();
    PlainSqlite{directory.file("m.db")}.run("UPDATE artifacts SET labels = NULL");
    EXPECT_EQ(statements_of_a_page(), kept + 1);
}

TEST(SqliteStore, says_that_it_is_full_goes_on_reading_and_works_again_once_there_is_room)
{
    const TemporaryDirectory directory;
    const SystemClock clock;
    const auto store = open_sqlite_store(options(directory.file("m.db"), 300), clock);
    ASSERT_TRUE(run(store->projects().create({.name = project("p")}, {1, 1})));
    const int stored = push_until_full(*store);
    ASSERT_GT(stored, 5);
    EXPECT_TRUE(run(store->manifests().load(repository("p/a"), reference("t"))));
    for (int i = 0; i < stored; ++i) {
        const std::string bytes = std::to_string(i) + std::string(20000, 'm');
        const auto removed = run(store->manifests().remove(repository("p/a"), Reference{digest_of(bytes)}, {1, 1}));
        EXPECT_TRUE(removed) << i << " " << removed.error().detail();
    }
    EXPECT_TRUE(run(store->manifests().commit(pushed(repository("p/a"), "again", "application/x-odd", {"t"}))));
    EXPECT_EQ(PlainSqlite{directory.file("m.db")}.number("SELECT bytes FROM projects"), 5);
}

// A file system of its own of 4 MB; empty where the machine does not let us mount one.
class SmallFileSystem {
public:
    SmallFileSystem() { mounted_ = ::mount("none", directory_.file("").c_str(), "tmpfs", 0, "size=4m") == 0; }
    ~SmallFileSystem()
    {
        if (mounted_) ::umount2(directory_.file("").c_str(), MNT_DETACH);
    }
    bool mounted() const { return mounted_; }
    std::string file(const char* name) const { return directory_.file(name); }

private:
    TemporaryDirectory directory_;
    bool mounted_ = false;
};

TEST(SqliteStore, works_again_without_a_restart_once_a_full_disk_has_room)
{
    const SmallFileSystem disk;
    if (!disk.mounted()) GTEST_SKIP() << "only a privileged user can mount a small file system";
    const SystemClock clock;
    const auto store = open_sqlite_store(options(disk.file("m.db")), clock);
    ASSERT_TRUE(run(store->projects().create({.name = project("p")}, {1, 1})));
    std::ofstream{disk.file("ballast")} << std::string(1 << 20, 'b');
    const int stored = push_until_full(*store);
    ASSERT_GT(stored, 5);
    EXPECT_TRUE(run(store->manifests().load(repository("p/a"), reference("t"))));
    EXPECT_TRUE(run(store->health().probe()));
    std::filesystem::remove(disk.file("ballast"));
    for (int i = 0; i < 5; ++i) {
        const std::string bytes = "again " + std::to_string(i);
        const auto done = run(store->manifests().commit(pushed(repository("p/a"), bytes, "application/x-odd", {"t"})));
        EXPECT_TRUE(done) << done.error().detail();
    }
    EXPECT_EQ(PlainSqlite{disk.file("m.db")}.number("SELECT count(*) FROM manifests"), stored + 5);
}

TEST(SqliteStore, keeps_its_log_short_under_a_stream_of_writes)
{
    const TemporaryDirectory directory;
    const SystemClock clock;
    const auto store = open_sqlite_store(options(directory.file("m.db")), clock);
    ASSERT_TRUE(run(store->projects().create({.name = project("p")}, {1, 1})));
    for (int i = 0; i < 1500; ++i) {
        const std::string bytes = std::to_string(i) + std::string(40000, 'm');
        ASSERT_TRUE(run(store->manifests().commit(pushed(repository("p/a"), bytes, "application/x-odd", {"t"}))));
    }
    EXPECT_LT(std::filesystem::file_size(directory.file("m.db-wal")), 20U << 20);
}

TEST(SqliteStore, refuses_what_is_no_database)
{
    const TemporaryDirectory directory;
    const SystemClock clock;
    std::ofstream{directory.file("m.db")} << std::string(5000, 'x');
    EXPECT_THROW(open_sqlite_store(options(directory.file("m.db")), clock), std::runtime_error);
    EXPECT_THROW(open_sqlite_store(options(directory.file("none/m.db")), clock), std::runtime_error);
}

TEST(SqliteStore, refuses_a_schema_that_is_too_new_and_accepts_one_that_still_knows_us)
{
    const TemporaryDirectory directory;
    const SystemClock clock;
    (void)open_sqlite_store(options(directory.file("m.db")), clock);
    PlainSqlite plain{directory.file("m.db")};
    plain.run("INSERT INTO schema_migrations VALUES (1000, 'later', 1, 0)");
    EXPECT_NO_THROW(open_sqlite_store(options(directory.file("m.db")), clock));
    plain.run("UPDATE schema_migrations SET oldest_binary = 999 WHERE version = 1000");
    EXPECT_THROW(open_sqlite_store(options(directory.file("m.db")), clock), std::runtime_error);
}

TEST(SqliteStore, brings_a_database_of_an_older_schema_to_the_newest)
{
    const SystemClock clock;
    const std::string fixtures = std::filesystem::path{__FILE__}.parent_path() / "../../../tests/contract/fixtures";
    for (const std::string name :
         {"/sqlite_v1.sql",
          "/sqlite_v2.sql",
          "/sqlite_v7.sql",
          "/sqlite_v11.sql",
          "/sqlite_v15.sql",
          "/sqlite_v16.sql",
          "/sqlite_v17.sql"}) {
        SCOPED_TRACE(name);
        const TemporaryDirectory directory;
        ASSERT_TRUE(std::filesystem::exists(fixtures + name));
        PlainSqlite{directory.file("m.db")}.run(text_of(fixtures + name));
        const auto store = open_sqlite_store(options(directory.file("m.db")), clock);
        PlainSqlite plain{directory.file("m.db")};
        for (const auto& query : recounts()) EXPECT_EQ(plain.number(query), 0) << query;
        if (name == "/sqlite_v16.sql" || name == "/sqlite_v17.sql") expect_swarm_rows(*store);
        if (name == "/sqlite_v17.sql") expect_preheat_rows(*store);
        expect_fixture_rows(*store);
    }
}

// With --gtest_also_run_disabled_tests: leaves fixture.db in the working directory, for `sqlite3 fixture.db .dump`.
TEST(SqliteStore, DISABLED_leaves_a_database_for_a_new_fixture)
{
    const SystemClock clock;
    write_fixture_rows(*open_sqlite_store(options("fixture.db"), clock));
}

}  // namespace

}  // namespace entrepot::contract
