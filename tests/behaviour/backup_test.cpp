// A registry is kept and brought back, from each engine into each: every row of every kept table is what it was, and
// its blobs. Damage is found, and what is not whole is not taken for it.
#include "core/random.hpp"
#include "core/run_to_end.hpp"
#include "drivers/filesystem/backup_directory.hpp"
#include "drivers/filesystem/filesystem_blobs.hpp"
#include "drivers/filesystem/scratch_directory.hpp"
#include "drivers/filesystem/stored_blob_files.hpp"
#include "drivers/postgres/postgres_copy.hpp"
#include "drivers/postgres/postgres_store.hpp"
#include "drivers/sql/backup_tables.hpp"
#include "drivers/sqlite/sqlite_copy.hpp"
#include "drivers/sqlite/sqlite_store.hpp"
#include "oci/media_type.hpp"
#include "tests/support/plain_sqlite.hpp"
#include "tests/support/postgres_server.hpp"
#include "tests/support/swarm_rows.hpp"
#include "upkeep/backup/kept_backups.hpp"
#include "upkeep/backup/restore_backup.hpp"
#include "upkeep/backup/take_backup.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

namespace entrepot {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

RepositoryName app_name()
{
    return RepositoryName::parse("old/app").value();
}

BlobCatalog::Arrival arrival(std::string_view content)
{
    return {
        .repository = app_name(),
        .digest = digest_of(content),
        .size = content.size(),
        .upload = {},
        .fence = 0,
        .actor = {1, 1000}
    };
}

std::string described(std::string_view type, std::string_view blob)
{
    return R"({"mediaType":")" + std::string{type} + R"(","digest":")" + digest_of(blob).text() + R"(","size":)" +
           std::to_string(blob.size()) + "}";
}

// Of the blobs "config" and "layer"; the note makes otherwise equal images differ.
std::string image_of(std::string_view note, std::string_view more = {})
{
    return R"({"schemaVersion":2,"mediaType":")" + std::string{media::oci_manifest} + R"(","config":)" +
           described("application/vnd.oci.image.config.v1+json", "config") + R"(,"layers":[)" +
           described("application/vnd.oci.image.layer.v1.tar", "layer") + R"(],"annotations":{"note":")" +
           std::string{note} + R"("})" + std::string{more} + "}";
}

NewManifest pushed(const std::string& image, std::initializer_list<const char*> tags)
{
    std::vector<Tag> parsed;
    for (const auto* tag : tags) parsed.push_back(Tag::parse(tag).value());
    return {
        app_name(),
        digest_of(image),
        image,
        Manifest::parse(media::oci_manifest, image).value(),
        std::move(parsed),
        Actor{1, 1000}
    };
}

// An image with two tags and a signature, a user with a session to be resumed, a key, an upload that is under way.
void push_into(MetadataStore& store)
{
    Account admin;
    admin.name = "admin";
    admin.password_hash = "$argon2id$fixture";
    const auto made = run_to_end(store.accounts().create_admin(admin));
    ASSERT_TRUE(made);
    ASSERT_TRUE(run_to_end(store.projects().create({.name = ProjectName::parse("old").value()}, {made->id, 1})));
    for (const std::string_view text : {"config", "layer"})
        ASSERT_TRUE(run_to_end(store.blobs().arrive(arrival(text))));
    const auto image = image_of("first");
    ASSERT_TRUE(run_to_end(store.manifests().commit(pushed(image, {"v1", "latest"}))));
    const auto subject = R"(,"subject":)" + described(media::oci_manifest, image);
    ASSERT_TRUE(run_to_end(store.manifests().commit(pushed(image_of("signature", subject), {}))));
    const UploadSession upload{
        .id = UploadId::parse(std::string(32, '1')).value(),
        .repository = app_name(),
        .algorithm = DigestAlgorithm::sha256,
        .offset = 0,
        .hash_state = std::string{"\0state\xff", 7},
        .fence = 1,
        .user_id = made->id,
        .started_at = 1,
        .touched_at = 1,
    };
    ASSERT_TRUE(run_to_end(store.uploads().begin(upload, 5)));
    ASSERT_TRUE(run_to_end(store.keys().add({"kid", "sealed", 1, 2})));
    ASSERT_TRUE(run_to_end(store.refresh_tokens().add({"hash", made->id, "registry", "docker", 0, 9})));
    write_swarm_rows(store);
    write_preheat_rows(store);
}

enum class Engine { sqlite, postgres };

// One installation: a database, blobs and an audit trail.
class Registry {
public:
    Registry(Engine engine, const Clock& clock) : engine_{engine}, clock_{clock}
    {
        if (engine == Engine::postgres) url_ = PostgresServer::shared().create_database();
    }
    ~Registry()
    {
        if (!url_.empty()) PostgresServer::shared().drop_database(url_);
    }
    Registry(const Registry&) = delete;
    Registry& operator=(const Registry&) = delete;

    fs::path path(const std::string& name) const { return directory_.path() / name; }
    const std::string& url() const { return url_; }

    std::unique_ptr<MetadataStore> open() const
    {
        if (engine_ == Engine::sqlite) {
            SqliteOptions options;
            options.file = path("entrepot.db").string();
            return open_sqlite_store(options, clock_);
        }
        PostgresOptions options;
        options.patience = std::chrono::minutes{1};  // on a machine that stands still at times
        options.url = url_;
        options.connections = 2;
        return open_postgres_store(options, clock_);
    }

    Result<std::unique_ptr<MetadataSnapshot>> snapshot() const
    {
        return engine_ == Engine::sqlite ? open_sqlite_snapshot(path("entrepot.db"))
                                         : open_postgres_snapshot(url_, clock_);
    }
    Result<std::unique_ptr<MetadataFilling>> filling() const
    {
        return engine_ == Engine::sqlite ? open_sqlite_filling(path("entrepot.db"), clock_)
                                         : open_postgres_filling(url_, clock_);
    }
    std::int64_t number(const std::string& query) const
    {
        if (engine_ == Engine::postgres) return number_on_postgres(url_, query);
        return PlainSqlite{path("entrepot.db").string()}.number(query);
    }
    void run(const std::string& script) const
    {
        if (engine_ == Engine::postgres) return run_on_postgres(url_, script);
        PlainSqlite{path("entrepot.db").string()}.run(script);
    }

    // Images with the bytes of their blobs, a job that runs, and an audit trail.
    void fill() const
    {
        const auto store = open();
        push_into(*store);
        store->stop();
        run("INSERT INTO jobs (kind, parent_id, subject_id, tenant_id, project_id, priority, turn, cause, parameters, "
            "unique_key, state, not_before, most_attempts, lease_until, worker, user_id, created_at) VALUES ('gc', 0, "
            "0, "
            "0, 0, 0, 1, 'schedule', '{}', '', 'running', 0, 3, 9000000000000000000, 'w', 1, 1)");
        fill_blobs();
        fs::create_directories(path("audit/i1"));
        std::ofstream{path("audit/i1/00000001.jsonl")} << "{\"segment\":1}\n" << std::string(3'000'000, 'x');
        std::ofstream{path("audit/i1/lock")};
    }

    void fill_blobs() const
    {
        FilesystemOptions options;
        options.root = path("blobs").string();
        FilesystemBlobs blobs{options};
        for (const std::string text : {"config", "layer"}) ASSERT_TRUE(run_to_end(blobs.put(digest_of(text), text)));
        blobs.stop();
    }

private:
    Engine engine_;
    const Clock& clock_;
    ScratchDirectory directory_{memory_or_disk()};
    std::string url_;
};

bool no_locks(std::string_view name)
{
    return name != "lock";
}

std::string text_of(const fs::path& file)
{
    std::ifstream stream{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{stream}, {}};
}

// Every row of every kept table as text, by table.
std::map<std::string, std::string> rows_of(const Registry& registry)
{
    const auto snapshot = registry.snapshot();
    if (!snapshot) throw std::runtime_error{snapshot.error().detail()};
    std::map<std::string, std::string> all;
    for (const auto& table : (*snapshot)->tables()) {
        std::ostringstream text;
        const auto read = (*snapshot)->read(table, [&](const StoredRow& row) -> Result<> {
            for (const auto& value : row) {
                if (const auto* number = std::get_if<std::int64_t>(&value)) text << *number << '|';
                if (const auto* words = std::get_if<std::string>(&value)) text << '\'' << *words << "'|";
                if (std::holds_alternative<std::monostate>(value)) text << "NULL|";
            }
            text << '\n';
            return {};
        });
        if (!read) throw std::runtime_error{read.error().detail()};
        all[table.name] = text.str();
    }
    return all;
}

class Backups : public testing::Test {
protected:
    Result<BackupManifest> take(const Registry& from)
    {
        auto blobs = StoredBlobFiles::open_store(from.path("blobs"), false);
        if (!blobs) return std::unexpected{blobs.error()};
        DirectoryFiles audit{from.path("audit"), no_locks};
        BackupDirectory target{place.path() / "backups-here"};
        TakeBackup backup{
            {.open_snapshot = [&] { return from.snapshot(); },
             .blobs = &*blobs,
             .audit = &audit,
             .small_files = {{"instance", "i1\n"}},
             .engine = "test",
             .program = "0",
             .master_key = "abcd1234"},
            target,
            system_clock,
            random,
            [this](const std::string& line) { told.push_back(line); }
        };
        return backup.run(1s);
    }

    Result<RestoreBackup::Report>
    restore(const BackupManifest& manifest, const Registry& into, RestoreBackup::Options options = {})
    {
        auto blobs = StoredBlobFiles::open_store(into.path("blobs"), true);
        if (!blobs) return std::unexpected{blobs.error()};
        DirectoryFiles audit{into.path("audit"), no_locks};
        DirectoryFiles files{into.path(""), no_locks};
        BackupDirectory source{place.path() / "backups-here"};
        RestoreBackup run{
            manifest,
            source,
            {.open_filling = [&] { return into.filling(); }, .blobs = *blobs, .audit = audit, .directory = files},
            options,
            system_clock,
            [this](const std::string& line) { told.push_back(line); }
        };
        return run.run();
    }

    BackupProof verified(bool quick = false)
    {
        BackupDirectory target{place.path() / "backups-here"};
        const auto ids = backup_ids(target);
        return verify_backups(target, ids.value(), quick, [](const std::string&) {}).value();
    }

    void flip(const fs::path& file) const
    {
        std::fstream stream{file, std::ios::in | std::ios::out | std::ios::binary};
        stream.seekg(static_cast<std::streamoff>(fs::file_size(file) / 2));
        const auto letter = static_cast<char>(stream.get() ^ 1);
        stream.seekp(static_cast<std::streamoff>(fs::file_size(file) / 2));
        stream.put(letter);
    }

    SystemClock system_clock;
    SystemRandom random;
    ScratchDirectory place{memory_or_disk()};
    std::vector<std::string> told;
};

class EachEngine : public Backups, public testing::WithParamInterface<std::pair<Engine, Engine>> {};

TEST_P(EachEngine, comes_back_as_it_was)
{
    const Registry old{GetParam().first, system_clock};
    old.fill();
    const auto taken = take(old);
    ASSERT_TRUE(taken) << taken.error().message() << taken.error().detail();
    EXPECT_TRUE(taken->is_complete());
    EXPECT_EQ(taken->blobs.count, 2U);

    const Registry fresh{GetParam().second, system_clock};
    const auto report = restore(*taken, fresh);
    ASSERT_TRUE(report) << report.error().message() << report.error().detail();
    EXPECT_TRUE(report->missing.empty());
    EXPECT_TRUE(report->wrong.empty()) << report->wrong.front();
    EXPECT_EQ(report->copied, 2U);

    auto before = rows_of(old);
    auto after = rows_of(fresh);
    EXPECT_NE(before["jobs"], after["jobs"]);  // its lease has ended
    EXPECT_EQ(fresh.number("SELECT COUNT(*) FROM jobs WHERE state = 'running' AND lease_until = 0"), 1);
    for (auto* rows : {&before, &after}) rows->erase("jobs");
    // Added up with the restore.
    if (GetParam().first == Engine::postgres)
        for (auto* rows : {&before, &after})
            for (const char* table : {"project_deltas", "projects", "list_chunks"}) rows->erase(table);
    EXPECT_EQ(before, after);
    EXPECT_FALSE(before["artifacts"].empty());
    EXPECT_FALSE(before["events"].empty());
    EXPECT_EQ(fresh.number("SELECT COUNT(*) FROM refresh_tokens"), 0);
    EXPECT_EQ(fresh.number("SELECT COUNT(*) FROM uploads"), 0);
    EXPECT_EQ(
        text_of(
            fresh.path("blobs/sha256/") / std::string{digest_of("layer").hex().substr(0, 2)} /
            std::string{digest_of("layer").hex()}
        ),
        "layer"
    );
    EXPECT_EQ(text_of(fresh.path("audit/i1/00000001.jsonl")), text_of(old.path("audit/i1/00000001.jsonl")));
    EXPECT_FALSE(fs::exists(fresh.path("audit/i1/lock")));
    EXPECT_EQ(text_of(fresh.path("instance")), "i1\n");
}

TEST_P(EachEngine, goes_on_where_it_was)
{
    const Registry old{GetParam().first, system_clock};
    old.fill();
    const auto taken = take(old);
    ASSERT_TRUE(taken);
    const Registry fresh{GetParam().second, system_clock};
    ASSERT_TRUE(restore(*taken, fresh));
    const auto highest = fresh.number("SELECT MAX(id) FROM manifests");
    const auto events = fresh.number("SELECT COUNT(*) FROM event_log");
    const auto store = fresh.open();
    ASSERT_TRUE(run_to_end(store->manifests().commit(pushed(image_of("newer"), {"v2"}))));
    ASSERT_TRUE(run_to_end(store->events().settle()));
    store->stop();
    EXPECT_GT(fresh.number("SELECT MAX(id) FROM manifests"), highest);
    EXPECT_GT(fresh.number("SELECT COUNT(*) FROM event_log"), events);
    EXPECT_EQ(
        fresh.number("SELECT COUNT(DISTINCT sequence) FROM event_log"), fresh.number("SELECT COUNT(*) FROM event_log")
    );
    EXPECT_EQ(fresh.number("SELECT COUNT(*) FROM event_log WHERE sequence > 1000"), 0);
}

INSTANTIATE_TEST_SUITE_P(
    All,
    EachEngine,
    testing::Values(
        std::pair{Engine::sqlite, Engine::sqlite},
        std::pair{Engine::sqlite, Engine::postgres},
        std::pair{Engine::postgres, Engine::sqlite},
        std::pair{Engine::postgres, Engine::postgres}
    ),
    [](const auto& info) {
        const auto name = [](Engine engine) { return engine == Engine::sqlite ? "sqlite" : "postgres"; };
        return std::string{name(info.param.first)} + "_to_" + name(info.param.second);
    }
);

// A table or column that only one engine has would be lost on the way to the other: it has to be left out by name, and
// with a reason.
TEST_F(Backups, both_engines_keep_the_same_tables)
{
    const Registry sqlite{Engine::sqlite, system_clock};
    const Registry postgres{Engine::postgres, system_clock};
    for (const auto* registry : {&sqlite, &postgres}) registry->open()->stop();
    const auto of_sqlite = sqlite.snapshot();
    const auto of_postgres = postgres.snapshot();
    ASSERT_TRUE(of_sqlite && of_postgres);
    EXPECT_EQ((*of_sqlite)->tables(), (*of_postgres)->tables());
    std::set<std::string> kept;
    for (const auto& table : (*of_sqlite)->tables()) kept.insert(table.name);
    const auto all =
        sqlite.number("SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'");
    const auto left_out = tables_left_out_of_backups();
    constexpr std::size_t of_postgres_alone = 2;  // one of them in version 1 alone
    EXPECT_EQ(static_cast<std::size_t>(all), kept.size() + left_out.size() - of_postgres_alone);
    for (const auto& table : left_out) {
        EXPECT_FALSE(kept.contains(std::string{table.table}));
        if (table.table == "change_counters") continue;
        EXPECT_EQ(
            postgres.number(
                "SELECT COUNT(*) FROM pg_class WHERE relkind = 'r' AND relname = '" + std::string{table.table} + "'"
            ),
            1
        ) << table.table
          << " is left out and does not exist";
    }
}

TEST_F(Backups, a_second_one_writes_only_what_is_new)
{
    const Registry registry{Engine::sqlite, system_clock};
    registry.fill();
    const auto first = take(registry);
    ASSERT_TRUE(first);
    EXPECT_GT(first->written.chunks, 5U);
    EXPECT_EQ(first->written.blobs, 2U);
    const auto second = take(registry);
    ASSERT_TRUE(second);
    EXPECT_EQ(second->written, BackupManifest::Written{});
    registry.run("UPDATE users SET comment = 'changed' WHERE id = 1");
    const auto third = take(registry);
    ASSERT_TRUE(third);
    EXPECT_EQ(third->written.chunks, 1U);
    EXPECT_TRUE(verified().wrong.empty());
    EXPECT_EQ(verified().backups, 3U);
}

TEST_F(Backups, a_rotten_blob_is_named_and_the_rest_is_kept)
{
    const Registry registry{Engine::sqlite, system_clock};
    registry.fill();
    const auto layer = digest_of("layer");
    flip(registry.path("blobs/sha256/" + std::string{layer.hex().substr(0, 2)}) / std::string{layer.hex()});
    const auto taken = take(registry);
    ASSERT_TRUE(taken);
    EXPECT_EQ(taken->blobs.missing, std::vector{layer.text()});
    EXPECT_EQ(taken->blobs.count, 1U);
    ASSERT_EQ(verified().wrong.size(), 2U) << "could not be copied, and is missing";

    const Registry fresh{Engine::sqlite, system_clock};
    const auto refused = restore(*taken, fresh);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Errc::not_found);
    EXPECT_FALSE(fs::exists(fresh.path("entrepot.db")));
    const auto report = restore(*taken, fresh, {.without_missing = true});
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(report->missing, std::vector{layer.text()});
}

TEST_F(Backups, verify_finds_what_is_damaged_or_gone)
{
    const Registry registry{Engine::sqlite, system_clock};
    registry.fill();
    const auto taken = take(registry);
    ASSERT_TRUE(taken);
    const auto target = place.path() / "backups-here";
    EXPECT_TRUE(verified().wrong.empty());
    const auto layer = target / blob_name(digest_of("layer").text());
    flip(layer);
    EXPECT_EQ(verified().wrong.size(), 1U);
    EXPECT_TRUE(verified(true).wrong.empty()) << "its size is right";
    flip(layer);
    const auto chunk = target / chunk_name(taken->tables.at("manifests").chunks.front());
    flip(chunk);
    EXPECT_EQ(verified().wrong.size(), 1U);
    const Registry fresh{Engine::sqlite, system_clock};
    const auto refused = restore(*taken, fresh);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Errc::corrupt);
    EXPECT_FALSE(fs::exists(fresh.path("entrepot.db")));
    flip(chunk);
    const auto file = target / backup_name(taken->id);
    flip(file);
    EXPECT_EQ(verified().wrong.size(), 1U);
    flip(file);
    EXPECT_TRUE(verified().wrong.empty());
}

TEST_F(Backups, pruning_keeps_what_the_others_need)
{
    const Registry registry{Engine::sqlite, system_clock};
    registry.fill();
    ASSERT_TRUE(take(registry));
    registry.run("UPDATE users SET comment = 'changed' WHERE id = 1");
    const auto second = take(registry);
    ASSERT_TRUE(second);
    BackupDirectory target{place.path() / "backups-here"};
    {
        const auto hold = target.hold(BackupTarget::Use::reading);
        BackupDirectory other{place.path() / "backups-here"};
        EXPECT_EQ(prune_backups(other, 1).error().code(), Errc::conflict);
        EXPECT_EQ(take(registry).error().code(), Errc::conflict);
    }
    const auto pruned = prune_backups(target, 1);
    ASSERT_TRUE(pruned);
    EXPECT_EQ(pruned->backups, 1U);
    EXPECT_EQ(pruned->objects, 1U);
    EXPECT_EQ(backup_ids(target).value(), std::vector{second->id});
    EXPECT_TRUE(verified().wrong.empty());
    const Registry fresh{Engine::sqlite, system_clock};
    EXPECT_TRUE(restore(*second, fresh));
}

TEST_F(Backups, a_place_that_is_not_empty_is_left_alone)
{
    const Registry registry{Engine::sqlite, system_clock};
    registry.fill();
    const auto taken = take(registry);
    ASSERT_TRUE(taken);
    for (const auto engine : {Engine::sqlite, Engine::postgres}) {
        const Registry used{engine, system_clock};
        used.open()->stop();
        const auto refused = restore(*taken, used);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code(), Errc::conflict) << refused.error().message();
        EXPECT_EQ(used.number("SELECT COUNT(*) FROM manifests"), 0);
    }
}

TEST_F(Backups, signing_keys_and_the_swarms_are_left_out_where_their_key_is_lost)
{
    const Registry registry{Engine::sqlite, system_clock};
    registry.fill();
    const auto taken = take(registry);
    ASSERT_TRUE(taken);
    const Registry fresh{Engine::sqlite, system_clock};
    ASSERT_TRUE(restore(*taken, fresh, {.without_keys = true}));
    for (const std::string table : {"signing_keys", "swarm_secrets"}) {
        EXPECT_EQ(fresh.number("SELECT COUNT(*) FROM " + table), 0) << table;
        EXPECT_EQ(registry.number("SELECT COUNT(*) FROM " + table), 1) << table;
    }
    EXPECT_EQ(fresh.number("SELECT COUNT(*) FROM nodes"), 1);
}

// What an older program left is loaded into its own schema, and brought up to date then.
TEST_F(Backups, of_an_older_schema_is_brought_up_to_date)
{
    const fs::path fixtures{ENTREPOT_FIXTURES};
    for (const auto& [engine, name] :
         {std::pair{Engine::sqlite, "sqlite_v1.sql"}, {Engine::postgres, "postgres_v1.sql"}}) {
        const Registry old{engine, system_clock};
        old.run(text_of(fixtures / name));
        old.fill_blobs();
        const auto taken = take(old);
        ASSERT_TRUE(taken) << taken.error().message() << taken.error().detail();
        EXPECT_EQ(taken->schema_version, 1);
        for (const auto into : {Engine::sqlite, Engine::postgres}) {
            const Registry fresh{into, system_clock};
            const auto report = restore(*taken, fresh);
            ASSERT_TRUE(report) << report.error().message() << report.error().detail();
            EXPECT_TRUE(report->wrong.empty()) << report->wrong.front();
            const auto store = fresh.open();
            const auto loaded = run_to_end(store->manifests().load(app_name(), Reference::parse("v1").value()));
            EXPECT_TRUE(loaded) << loaded.error().detail();
            store->stop();
            EXPECT_GT(fresh.number("SELECT MAX(version) FROM schema_migrations"), 6);
        }
    }
}

// SQLite's log grows while a snapshot is open; pushes don't wait for it each time.
TEST_F(Backups, pushes_go_on_beside_a_snapshot_that_stays)
{
    const Registry registry{Engine::sqlite, system_clock};
    registry.fill();
    const auto store = registry.open();
    const auto snapshot = registry.snapshot();
    ASSERT_TRUE(snapshot);
    int number = 0;
    const auto push = [&] {
        const auto image = image_of(std::to_string(++number) + std::string(900'000, 'x'));
        return run_to_end(store->manifests().commit(pushed(image, {}))).has_value();
    };
    while (fs::file_size(registry.path("entrepot.db-wal")) < 70U << 20) ASSERT_TRUE(push());
    const auto begun = system_clock.steady();
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(push());
    EXPECT_LT(system_clock.steady() - begun, 8s) << "each waited for the reader";
    store->stop();
}

// Removals of blobs wait for a backup, and it for them.
TEST_F(Backups, no_blob_is_removed_meanwhile)
{
    const Registry registry{Engine::sqlite, system_clock};
    registry.fill();
    auto blobs = StoredBlobFiles::open_store(registry.path("blobs"), false);
    const auto hold = blobs->hold_removals();
    ASSERT_TRUE(hold);
    const auto refused = take(registry);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Errc::conflict);
}

}  // namespace
}  // namespace entrepot
