// The index beside the blobs: whatever happened, however far behind its journal was read and wherever a snapshot was
// taken, what it brings back holds the same repositories, manifests and tags, on each engine.
#include "core/random.hpp"
#include "core/run_to_end.hpp"
#include "drivers/filesystem/backup_directory.hpp"
#include "drivers/filesystem/filesystem_blobs.hpp"
#include "drivers/filesystem/index_directory.hpp"
#include "drivers/filesystem/scratch_directory.hpp"
#include "drivers/filesystem/stored_blob_files.hpp"
#include "drivers/postgres/postgres_copy.hpp"
#include "drivers/postgres/postgres_store.hpp"
#include "drivers/sqlite/sqlite_copy.hpp"
#include "drivers/sqlite/sqlite_store.hpp"
#include "oci/media_type.hpp"
#include "tests/support/postgres_server.hpp"
#include "upkeep/backup/kept_backups.hpp"
#include "upkeep/backup/restore_backup.hpp"
#include "upkeep/index/index_replay.hpp"
#include "upkeep/index/index_snapshot.hpp"
#include "upkeep/index/index_writer.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

namespace entrepot {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

const SystemClock system_clock;

// Each question takes a while, so that the journal tidies up and its positions come due.
class HurriedClock final : public Clock {
public:
    Micros now() const noexcept override { return system_clock.now(); }
    std::chrono::steady_clock::time_point steady() const noexcept override
    {
        passed_ += 900ms;
        return std::chrono::steady_clock::time_point{100s} + passed_;
    }

private:
    mutable std::chrono::milliseconds passed_{0};
};

class QuietRun final : public JobRun {
public:
    std::int64_t id() const noexcept override { return 1; }
    std::int64_t fence() const noexcept override { return 1; }
    std::int32_t attempt() const noexcept override { return 1; }
    std::string_view parameters() const noexcept override { return {}; }
    std::string_view checkpoint() const noexcept override { return {}; }
    bool stop_requested() const noexcept override { return false; }
    Task<> save(std::string, std::string) override { co_return Result<>{}; }
    void log(std::string) override {}
};

// The disk goes away now and then, in the middle of a record: what was kept last is where it goes on.
class FlakyBlobs final : public BlobFiles {
public:
    FlakyBlobs(BlobFiles& blobs, std::mt19937& chance) : blobs_{blobs}, chance_{chance} {}

    Result<std::unique_ptr<BackupTarget::Hold>> hold_removals() override { return blobs_.hold_removals(); }
    Result<std::unique_ptr<ByteReader>> open(const Digest& digest) override { return blobs_.open(digest); }
    Result<std::optional<std::uint64_t>> find(const Digest& digest) override
    {
        if (is_flaky && chance_() % 60 == 0) return fail(Errc::unavailable, "the disk is away");
        return blobs_.find(digest);
    }
    Result<> take_in(const Digest& digest, ByteReader& source, const BackupTarget::Seen& seen) override
    {
        return blobs_.take_in(digest, source, seen);
    }
    Result<> settle() override { return blobs_.settle(); }

    bool is_flaky = false;

private:
    BlobFiles& blobs_;
    std::mt19937& chance_;
};

enum class Engine { sqlite, postgres };

class Database {
public:
    explicit Database(Engine engine) : engine_{engine}
    {
        if (engine == Engine::postgres) url_ = PostgresServer::shared().create_database();
    }
    ~Database()
    {
        if (!url_.empty()) PostgresServer::shared().drop_database(url_);
    }
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    std::unique_ptr<MetadataStore> open() const
    {
        if (engine_ == Engine::sqlite) {
            SqliteOptions options;
            options.file = file().string();
            return open_sqlite_store(options, system_clock);
        }
        PostgresOptions options;
        options.patience = std::chrono::minutes{1};  // on a machine that stands still at times
        options.url = url_;
        options.connections = 2;
        return open_postgres_store(options, system_clock);
    }
    Result<std::unique_ptr<MetadataSnapshot>> snapshot() const
    {
        return engine_ == Engine::sqlite ? open_sqlite_snapshot(file()) : open_postgres_snapshot(url_, system_clock);
    }
    Result<std::unique_ptr<MetadataFilling>> filling() const
    {
        return engine_ == Engine::sqlite ? open_sqlite_filling(file(), system_clock)
                                         : open_postgres_filling(url_, system_clock);
    }
    Result<> note(std::string_view name, std::string_view value) const
    {
        return engine_ == Engine::sqlite ? note_in_sqlite(file(), name, value, system_clock)
                                         : note_in_postgres(url_, name, value, system_clock);
    }

private:
    fs::path file() const { return directory_.path() / "entrepot.db"; }

    Engine engine_;
    ScratchDirectory directory_{memory_or_disk()};
    std::string url_;
};

std::string described(std::string_view type, std::string_view blob)
{
    return R"({"mediaType":")" + std::string{type} + R"(","digest":")" + digest_of(blob).text() + R"(","size":)" +
           std::to_string(blob.size()) + "}";
}

std::string image(int number)
{
    return R"({"schemaVersion":2,"mediaType":")" + std::string{media::oci_manifest} + R"(","config":)" +
           described("application/vnd.oci.image.config.v1+json", "config") + R"(,"layers":[)" +
           described("application/vnd.oci.image.layer.v1.tar", "layer") + R"(],"annotations":{"number":")" +
           std::to_string(number) + R"("}})";
}

constexpr int projects = 3;
constexpr int repositories = 4;  // of a project
constexpr int images = 5;
constexpr int tags = 3;

std::string project_text(int number)
{
    return "p" + std::to_string(number);
}
RepositoryName repository(int project, int number)
{
    return RepositoryName::parse(project_text(project) + "/r" + std::to_string(number)).value();
}
Tag tag(int number)
{
    return Tag::parse("t" + std::to_string(number)).value();
}

// By repository: its digests, and its tags with what they point at.
using Contents = std::map<std::string, std::set<std::string>>;

Contents contents_of(MetadataStore& store)
{
    Contents contents;
    for (int p = 0; p < projects; ++p) {
        const auto project = run_to_end(store.projects().find(ProjectName::parse(project_text(p)).value()));
        if (project) contents[project_text(p)].insert(project->is_public ? "public" : "private");
        for (int r = 0; r < repositories; ++r) {
            auto& there = contents[repository(p, r).text()];
            for (int number = 0; number < images; ++number) {
                const auto digest = digest_of(image(number));
                if (run_to_end(store.manifests().load(repository(p, r), Reference{digest})))
                    there.insert(digest.text());
            }
            for (int number = 0; number < tags; ++number) {
                const auto found = run_to_end(store.manifests().load(repository(p, r), Reference{tag(number)}));
                if (found) there.insert(tag(number).text() + "=" + (*found)->digest.text());
            }
            const bool has_layer = run_to_end(store.blobs().load(repository(p, r), digest_of("layer"))).has_value();
            EXPECT_TRUE(there.empty() || has_layer) << repository(p, r).text();
        }
    }
    return contents;
}

class Index : public testing::TestWithParam<Engine> {
protected:
    Index()
    {
        FilesystemOptions options;
        options.root = root().string();
        FilesystemBlobs blobs{options};
        for (const std::string text : {"config", "layer"}) EXPECT_TRUE(run_to_end(blobs.put(digest_of(text), text)));
        blobs.stop();
        make_admin(*store_);
    }
    ~Index() override
    {
        writer_.reset();
        pool_.join();
        store_->stop();
    }

    fs::path root() const { return place_.path() / "blobs"; }
    int any(int below) { return std::uniform_int_distribution{0, below - 1}(chance_); }
    Actor actor() { return {1, ++time_}; }

    static void make_admin(MetadataStore& store)
    {
        Account admin;
        admin.name = "admin";
        admin.password_hash = "$argon2id$fixture";
        ASSERT_TRUE(run_to_end(store.accounts().create_admin(admin)));
    }

    // A part of the journal's rounds, often none; at times by a process that has just been started.
    void write_journal()
    {
        if (any(12) == 0) writer_.reset();
        if (!writer_) {
            files_ = std::make_unique<IndexDirectory>(root() / "index/journal");
            writer_ = std::make_unique<IndexWriter>(IndexWriter::Parts{
                .files = *files_,
                .snapshots = snapshots_,
                .log = store_->events(),
                .manifests = store_->manifests(),
                .projects = store_->projects(),
                .pool = pool_,
                .clock = clock_,
            });
        }
        ASSERT_TRUE(run_to_end(writer_->run()));
        ASSERT_TRUE(writer_->is_writer());
    }

    void take_snapshot()
    {
        SystemRandom random;
        IndexDirectory files{root() / "index/journal"};
        BackupDirectory target{root() / "index"};
        IndexSnapshot snapshot{
            {.open_snapshot = [this] { return database_.snapshot(); },
             .target = target,
             .files = files,
             .log = store_->events(),
             .pool = pool_,
             .clock = system_clock,
             .random = random,
             .engine = "test",
             .program = "0",
             .master_key = ""}
        };
        QuietRun run;
        const auto ended = run_to_end(snapshot.run(run));
        ASSERT_TRUE(ended) << ended.error().message();
    }

    void push(int project, int number)
    {
        const auto name = repository(project, number);
        for (const std::string_view text : {"config", "layer"}) {
            const auto look = run_to_end(store_->blobs().look(digest_of(text)));
            ASSERT_TRUE(look);
            const auto linked = run_to_end(store_->blobs().arrive(
                {.repository = name,
                 .digest = digest_of(text),
                 .size = text.size(),
                 .upload = {},
                 .fence = 0,
                 .sweeps = look->sweeps,
                 .actor = actor()}
            ));
            if (!linked) return;  // no such project, or a name that is kept
        }
        const auto bytes = image(any(images));
        std::vector<Tag> own;
        for (int count = any(3); count > 0; --count) own.push_back(tag(any(tags)));
        (void)run_to_end(store_->manifests().commit(
            {name, digest_of(bytes), bytes, Manifest::parse(media::oci_manifest, bytes).value(), std::move(own), actor()
            }
        ));
    }

    void give_up_names(std::int64_t project)
    {
        ListQuery all;
        all.limit = 100;
        const auto kept = run_to_end(store_->renames().former_names(project, all));
        if (!kept) return;
        for (const auto& former : kept->items) (void)run_to_end(store_->renames().give_up(project, former.id, actor()));
    }

    // Any change; those that are refused change nothing.
    void change_something()
    {
        const int p = any(projects);
        const auto name = ProjectName::parse(project_text(p)).value();
        const auto there = run_to_end(store_->projects().find(name));
        const auto repo = repository(p, any(repositories));
        switch (any(14)) {
            case 0:
                (void)run_to_end(store_->projects().create({.name = name, .is_public = any(2) == 0}, actor()));
                return;
            case 1:
                if (there) (void)run_to_end(store_->projects().change(there->id, {.is_public = any(2) == 0}, actor()));
                return;
            case 2:
                if (there && any(4) == 0) {
                    for (int r = 0; r < repositories; ++r)
                        (void)run_to_end(store_->repositories().remove(repository(p, r), actor()));
                    (void)run_to_end(store_->projects().remove(there->id, actor()));
                }
                return;
            case 3:
                if (there && any(3) == 0) {
                    const auto into = ProjectName::parse(project_text(any(projects))).value();
                    (void)run_to_end(store_->renames().rename_project(there->id, into, actor()));
                }
                return;
            case 4:
            case 5:
                (void)run_to_end(
                    store_->renames().rename_repository(repo, repository(any(projects), any(repositories)), actor())
                );
                return;
            case 6:
                if (there) give_up_names(there->id);
                return;
            case 7: (void)run_to_end(store_->repositories().remove(repo, actor())); return;
            case 8: (void)run_to_end(store_->manifests().remove(repo, Reference{tag(any(tags))}, actor())); return;
            case 9:
                (void)run_to_end(store_->manifests().remove(repo, Reference{digest_of(image(any(images)))}, actor()));
                return;
            default: push(p, any(repositories));
        }
    }

    // Into an empty database of this engine.
    Contents brought_back(IndexReplay::Report& report)
    {
        const Database into{GetParam()};
        auto blobs = StoredBlobFiles::open_store(root(), false).value();
        IndexDirectory files{root() / "index/journal"};
        ReplayPlace place;
        const auto ids = backup_ids(snapshots_).value();
        if (!ids.empty()) {
            const auto manifest = load_backup(snapshots_, ids.back()).value();
            DirectoryFiles none{place_.path() / "none", [](std::string_view) { return true; }};
            RestoreBackup restore{
                manifest,
                snapshots_,
                {.open_filling = [&] { return into.filling(); }, .blobs = blobs, .audit = none, .directory = none},
                {.without_blobs = true, .setting = {"index.rebuild", "x"}},
                system_clock,
                [](const std::string&) {}
            };
            EXPECT_TRUE(restore.run());
            place.from = *manifest.journal;
        }
        const auto store = into.open();
        if (ids.empty()) make_admin(*store);
        EXPECT_TRUE(into.note("index.repeating", "yes"));
        FlakyBlobs flaky{blobs, chance_};
        for (int tries = 0; tries < 100; ++tries) {
            flaky.is_flaky = tries < 20;
            IndexReplay replay{
                {.projects = store->projects(),
                 .repositories = store->repositories(),
                 .renames = store->renames(),
                 .manifests = store->manifests(),
                 .links = store->blobs(),
                 .scrub = store->scrub(),
                 .blobs = flaky,
                 .files = files,
                 .clock = system_clock,
                 .progress = [](const std::string&) {},
                 .keep =
                     [&place](const ReplayPlace& at) {
                         place = ReplayPlace::parse(at.text()).value();
                         return Result<>{};
                     }},
                place
            };
            auto ran = run_to_end(replay.run());
            if (ran) report = *std::move(ran);
            if (ran) break;
            EXPECT_EQ(ran.error().code(), Errc::unavailable);
        }
        auto contents = contents_of(*store);
        store->stop();
        return contents;
    }

    ScratchDirectory place_{memory_or_disk()};
    Database database_{GetParam()};
    std::unique_ptr<MetadataStore> store_ = database_.open();
    HurriedClock clock_;
    asio::thread_pool pool_{2};
    BackupDirectory snapshots_{root() / "index"};
    std::unique_ptr<IndexDirectory> files_;
    std::unique_ptr<IndexWriter> writer_;
    std::mt19937 chance_{1};
    Micros time_ = 1'763'800'000'000'000;
};

std::string words(const std::vector<std::string>& lines)
{
    std::string text;
    for (const auto& line : lines) text += line + '\n';
    return text;
}

TEST_P(Index, BringsBackWhatThereWasHoweverFarBehindItWas)
{
    const int rounds = GetParam() == Engine::sqlite ? 12 : 4;
    for (int round = 0; round < rounds; ++round) {
        // --gtest_random_seed=N tries others.
        const auto other = static_cast<unsigned>(testing::UnitTest::GetInstance()->random_seed());
        const auto seed = static_cast<unsigned>(round) * 7919U + 5U + other * 1'000'003U;
        chance_.seed(seed);
        const int eagerness = 1 + any(60);
        for (int step = 0; step < 150; ++step) {
            change_something();
            if (any(eagerness) == 0) ASSERT_NO_FATAL_FAILURE(write_journal());
            if (round > 0 && any(100) == 0) ASSERT_NO_FATAL_FAILURE(take_snapshot());
        }
        ASSERT_NO_FATAL_FAILURE(write_journal());
        IndexReplay::Report report;
        const auto there = brought_back(report);
        ASSERT_EQ(there, contents_of(*store_)) << "round " << round << '\n' << words(report.troubles);
        EXPECT_EQ(report.not_repeated, 0U) << "round " << round << '\n' << words(report.troubles);
        EXPECT_EQ(report.missing, std::vector<std::string>{});
        EXPECT_EQ(report.gaps, 0U);
        EXPECT_EQ(report.damaged_bytes, 0U);
    }
}

TEST_P(Index, EventsThatWereRemovedUnreadAreMadeUpForByASnapshot)
{
    while (!run_to_end(store_->projects().find(ProjectName::parse("p0").value()))) change_something();
    ASSERT_NO_FATAL_FAILURE(write_journal());
    EXPECT_FALSE(writer_->wants_snapshot());
    for (int step = 0; step < 100; ++step) change_something();
    ASSERT_TRUE(run_to_end(store_->events().settle()));
    const auto later = time_ + 1;
    while (run_to_end(store_->events().remove(later, later)).value() > 0) {
    }
    ASSERT_NO_FATAL_FAILURE(write_journal());
    EXPECT_TRUE(writer_->wants_snapshot());
    // Also after it was killed before that was taken.
    writer_.reset();
    ASSERT_NO_FATAL_FAILURE(write_journal());
    EXPECT_TRUE(writer_->wants_snapshot());
    ASSERT_NO_FATAL_FAILURE(take_snapshot());
    for (int step = 0; step < 20; ++step) {
        change_something();
        ASSERT_NO_FATAL_FAILURE(write_journal());
    }
    EXPECT_FALSE(writer_->wants_snapshot());
    IndexReplay::Report report;
    EXPECT_EQ(brought_back(report), contents_of(*store_)) << words(report.troubles);
    EXPECT_EQ(report.gaps, 0U);
}

TEST_P(Index, OneWritesAndTheOthersStandBy)
{
    ASSERT_NO_FATAL_FAILURE(write_journal());
    IndexDirectory second{root() / "index/journal"};
    EXPECT_FALSE(second.hold().value());
    writer_.reset();
    files_.reset();
    EXPECT_TRUE(second.hold().value());
}

INSTANTIATE_TEST_SUITE_P(Sqlite, Index, testing::Values(Engine::sqlite));
INSTANTIATE_TEST_SUITE_P(Postgres, Index, testing::Values(Engine::postgres));

}  // namespace
}  // namespace entrepot
