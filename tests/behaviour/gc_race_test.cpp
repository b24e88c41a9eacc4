// Pushes, mounts, moving tags, deletes and questions race with garbage collection without any lease or grace, over few
// digests, on each engine and on files: no manifest ever lacks a blob, every byte is accounted for, and when all is
// deleted nothing is left. Five seconds an engine; ENTREPOT_RACE_SECONDS says otherwise.
#include "access/policy.hpp"
#include "core/run_to_end.hpp"
#include "drivers/filesystem/filesystem_blobs.hpp"
#include "drivers/filesystem/scratch_directory.hpp"
#include "drivers/postgres/postgres_store.hpp"
#include "drivers/sqlite/sqlite_store.hpp"
#include "oci/hasher.hpp"
#include "registry/mount_blob.hpp"
#include "registry/pull.hpp"
#include "registry/uploads.hpp"
#include "tenancy/access_directory.hpp"
#include "tests/contract/metadata_store_recounts.hpp"
#include "tests/support/plain_sqlite.hpp"
#include "tests/support/postgres_server.hpp"
#include "upkeep/gc/garbage_collection.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <random>
#include <thread>

namespace entrepot {
namespace {

std::chrono::seconds race_time()
{
    const char* set = std::getenv("ENTREPOT_RACE_SECONDS");
    return std::chrono::seconds{set ? std::atoi(set) : 5};
}

class Body final : public ByteSource {
public:
    explicit Body(std::string text) : text_{std::move(text)} {}
    std::optional<std::uint64_t> size() const override { return text_.size(); }
    Task<std::size_t> read(std::span<std::byte> into) override
    {
        const auto count = std::min(into.size(), text_.size() - at_);
        std::copy_n(as_bytes(text_).begin() + static_cast<std::ptrdiff_t>(at_), count, into.begin());
        at_ += count;
        co_return count;
    }

private:
    std::string text_;
    std::size_t at_ = 0;
};

// A run that keeps nothing: the catalog knows what has been done.
class LooseRun final : public JobRun {
public:
    explicit LooseRun(std::string parameters, const std::atomic<bool>& stop)
        : parameters_{std::move(parameters)}, stop_{stop}
    {
    }
    std::int64_t id() const noexcept override { return 1; }
    std::int64_t fence() const noexcept override { return 1; }
    std::int32_t attempt() const noexcept override { return 1; }
    std::string_view parameters() const noexcept override { return parameters_; }
    std::string_view checkpoint() const noexcept override { return {}; }
    bool stop_requested() const noexcept override { return stop_; }
    Task<> save(std::string, std::string) override { co_return Result<>{}; }
    void log(std::string) override {}

private:
    std::string parameters_;
    const std::atomic<bool>& stop_;
};

// A store whose removals now and then end half way, as those of a killed process do.
class DyingRemoval final : public BlobRemoval {
public:
    explicit DyingRemoval(BlobRemoval& store) : store_{store} {}
    Task<std::unique_ptr<BlobRemover>> begin_removal() override
    {
        CO_TRY(auto remover, co_await store_.begin_removal());
        co_return std::make_unique<Remover>(*this, std::move(remover));
    }
    std::atomic<bool> dies = true;

private:
    class Remover final : public BlobRemover {
    public:
        Remover(DyingRemoval& owner, std::unique_ptr<BlobRemover> inner) : owner_{owner}, inner_{std::move(inner)} {}
        Task<Removed> remove(std::vector<Digest> digests) override
        {
            const bool killed = owner_.dies && owner_.count_++ % 5 == 0;
            if (killed) digests.resize(digests.size() / 2, digests.front());
            CO_TRY(const auto removed, co_await inner_->remove(std::move(digests)));
            if (killed) co_return fail(Errc::unavailable, "killed");
            co_return removed;
        }

    private:
        DyingRemoval& owner_;
        std::unique_ptr<BlobRemover> inner_;
    };

    BlobRemoval& store_;
    std::atomic<int> count_{0};
};

struct Engine {
    const char* name;
    // The store, and who answers a number past it.
    std::function<std::unique_ptr<MetadataStore>(const std::string& directory, const Clock& clock)> open;
    std::function<std::int64_t(const std::string& directory, const std::string& query)> number;
};

std::string& postgres_url()
{
    static std::string url = PostgresServer::shared().create_database();
    return url;
}

std::vector<Engine> engines()
{
    return {
        {"sqlite",
         [](const std::string& directory, const Clock& clock) {
             SqliteOptions options;
             options.file = directory + "/db";
             return open_sqlite_store(options, clock);
         },
         [](const std::string& directory, const std::string& query) {
             return PlainSqlite{directory + "/db"}.number(query);
         }},
        {"postgres",
         [](const std::string&, const Clock& clock) {
             PostgresOptions options;
             options.url = postgres_url();
             options.connections = 8;
             return open_postgres_store(options, clock);
         },
         [](const std::string&, const std::string& query) { return number_on_postgres(postgres_url(), query); }},
    };
}

// Small ones take the journal, large ones a file of their own.
const std::vector<std::string>& contents()
{
    static const std::vector<std::string> texts = [] {
        std::vector<std::string> made;
        for (int i = 0; i < 6; ++i) made.push_back("small blob " + std::to_string(i));
        for (int i = 0; i < 2; ++i) made.push_back(std::string(100'000, static_cast<char>('a' + i)));
        return made;
    }();
    return texts;
}

const std::vector<RepositoryName>& repositories()
{
    static const std::vector<RepositoryName> names{
        RepositoryName::parse("p/a").value(),
        RepositoryName::parse("p/b").value(),
        RepositoryName::parse("q/a").value(),
        RepositoryName::parse("q/b").value()
    };
    return names;
}

std::string image_of(const std::vector<std::string>& blobs)
{
    const auto described = [](const char* type, const std::string& blob) {
        return R"({"mediaType":")" + std::string{type} + R"(","digest":")" + digest_of(blob).text() + R"(","size":)" +
               std::to_string(blob.size()) + "}";
    };
    return R"({"schemaVersion":2,"mediaType":")" + std::string{media::oci_manifest} + R"(","config":)" +
           described("application/vnd.oci.image.config.v1+json", blobs[0]) + R"(,"layers":[)" +
           described("application/vnd.oci.image.layer.v1.tar", blobs[1]) + "]}";
}

class Race : public testing::TestWithParam<Engine> {
protected:
    ~Race() override
    {
        store->stop();
        blobs.stop();
    }
    void SetUp() override
    {
        for (const char* name : {"p", "q"}) {
            ASSERT_TRUE(run_to_end(store->projects().create({.name = ProjectName::parse(name).value()}, {1, 1})));
        }
        ASSERT_TRUE(run_to_end(store->accounts().create_admin(admin_account())));
        ASSERT_TRUE(run_to_end(access.catch_up()));
    }
    static Account admin_account()
    {
        Account account;
        account.name = "admin";
        account.credential_version = 1;
        return account;
    }
    Caller admin()
    {
        Caller caller;
        caller.identity = std::make_shared<const Identity>(Identity{.user_id = 1, .name = "admin"});
        caller.credential_version = 1;
        return caller;
    }
    Actor actor() { return {.user_id = 1, .at = clock.now()}; }

    // What a client does: asks, mounts or uploads what is missing, then pushes.
    void push(std::mt19937& random)
    {
        const auto& place = repositories()[random() % repositories().size()];
        const std::vector<std::string> needed{
            contents()[random() % contents().size()], contents()[random() % contents().size()]
        };
        for (const auto& blob : needed) bring(place, blob, random);
        const auto bytes = image_of(needed);
        NewManifest manifest{
            .repository = place,
            .digest = digest_of(bytes),
            .bytes = bytes,
            .manifest = Manifest::parse(media::oci_manifest, bytes).value(),
            .tags = {},
            .actor = actor(),
        };
        if (random() % 3 != 0) manifest.tags = {Tag::parse("t" + std::to_string(random() % 3)).value()};
        const auto committed = run_to_end(store->manifests().commit(std::move(manifest)));
        ++(committed ? pushed : refused);
        if (!committed) expect_one_of(committed.error(), {Errc::manifest_blob_unknown, Errc::unavailable});
    }
    void bring(const RepositoryName& place, const std::string& blob, std::mt19937& random)
    {
        const auto digest = digest_of(blob);
        if (random() % 2 == 0 && run_to_end(pull.load_blob_size(place, digest))) return;
        if (random() % 3 == 0) {
            const auto& from = repositories()[random() % repositories().size()];
            if (run_to_end(store->blobs().mount(place, from, digest, actor()))) return;
        }
        Body body{blob};
        const auto uploaded = run_to_end(uploads.push(place, digest, body, admin()));
        if (!uploaded) expect_one_of(uploaded.error(), {Errc::unavailable});
    }
    void remove(std::mt19937& random)
    {
        const auto& place = repositories()[random() % repositories().size()];
        const auto tag = Reference::parse("t" + std::to_string(random() % 3)).value();
        const auto loaded = run_to_end(store->manifests().load(place, tag));
        if (!loaded) return;
        const Reference digest{(*loaded)->digest};
        (void)run_to_end(store->manifests().remove(place, random() % 2 == 0 ? tag : digest, actor()));
    }
    // A manifest that is there has its blobs, unless it went while they were looked for.
    void look(std::mt19937& random)
    {
        const auto& place = repositories()[random() % repositories().size()];
        const auto tag = Reference::parse("t" + std::to_string(random() % 3)).value();
        const auto loaded = run_to_end(store->manifests().load(place, tag));
        if (!loaded) return;
        ++looked;
        const auto parsed = Manifest::parse((*loaded)->media_type, (*loaded)->bytes).value();
        for (const auto& blob : parsed.required_blobs()) {
            const auto content = run_to_end(pull.load_blob(place, blob.digest));
            if (content) continue;
            const auto again = run_to_end(store->manifests().load(place, Reference{(*loaded)->digest}));
            if (again && (*again)->id == (*loaded)->id) {
                ADD_FAILURE() << place.text() << " holds a manifest without " << blob.digest.text();
            }
        }
    }
    void collect()
    {
        LooseRun loose{R"({"delete_untagged": true})", stop_collecting};
        const auto ended = run_to_end(collection.run(loose));
        if (!ended) return expect_one_of(ended.error(), {Errc::unavailable});
        const auto count = GarbageCount::parse(ended->result);
        removed_manifests += count.manifests;
        removed_blobs += count.blobs;
    }
    static void expect_one_of(const Error& error, std::initializer_list<Errc> codes)
    {
        EXPECT_TRUE(std::ranges::find(codes, error.code()) != codes.end())
            << name_of(error.code()) << ": " << error.message() << " " << error.detail();
    }
    std::int64_t number(const std::string& query) { return GetParam().number(directory.path(), query); }
    void expect_exact()
    {
        for (const auto& query : contract::recounts()) EXPECT_EQ(number(query), 0) << query;
    }
    std::int64_t stored_files()
    {
        std::int64_t count = 0;
        for (const auto& entry : std::filesystem::recursive_directory_iterator{directory.path() / "blobs/sha256"}) {
            count += entry.is_regular_file() ? 1 : 0;
        }
        return count;
    }
    void expect_every_live_blob_stored()
    {
        for (const auto& content : contents()) {
            const auto digest = digest_of(content);
            const bool held = !run_to_end(store->blobs().holders(digest, 1))->empty();
            if (held) EXPECT_TRUE(run_to_end(blobs.confirm(digest))) << digest.text();
        }
    }

    ScratchDirectory directory{memory_or_disk()};
    SystemClock clock;
    SystemRandom random_source;
    std::unique_ptr<MetadataStore> store{GetParam().open(directory.path(), clock)};
    FilesystemBlobs blobs{{.root = directory.path() / "blobs"}};
    DyingRemoval removal{blobs};
    AccessPolicy policy{ProjectCreation::admins, clock};
    AccessDirectory access{store->access(), policy};
    ProjectGate gate{policy, store->projects(), [this] { return access.catch_up(); }};
    PullLedger ledger{store->pulls(), clock};
    Pull pull{store->manifests(), store->blobs(), blobs, ledger, clock, 0};
    Uploads uploads{store->uploads(), store->blobs(), blobs, gate, random_source, clock, {}};
    GarbageCollection collection{store->garbage(), removal, clock, {}};

    std::atomic<bool> stop_collecting = false;
    std::atomic<std::uint64_t> pushed = 0;
    std::atomic<std::uint64_t> refused = 0;
    std::atomic<std::uint64_t> looked = 0;
    std::atomic<std::uint64_t> removed_manifests = 0;
    std::atomic<std::uint64_t> removed_blobs = 0;
};

TEST_P(Race, no_manifest_ever_lacks_a_blob_and_in_the_end_nothing_is_left)
{
    const auto until = std::chrono::steady_clock::now() + race_time();
    std::vector<std::jthread> crowd;
    const auto work = [&](unsigned seed, auto step) {
        crowd.emplace_back([seed, step, until] {
            std::mt19937 random{seed};
            while (std::chrono::steady_clock::now() < until && !testing::Test::HasFailure()) step(random);
        });
    };
    for (unsigned i = 0; i < 4; ++i) work(i, [this](std::mt19937& random) { push(random); });
    work(10, [this](std::mt19937& random) { remove(random); });
    work(11, [this](std::mt19937& random) { look(random); });
    for (unsigned i = 0; i < 2; ++i) work(20 + i, [this](std::mt19937&) { collect(); });
    crowd.clear();

    expect_exact();
    expect_every_live_blob_stored();
    std::mt19937 random{1};
    for (int i = 0; i < 50; ++i) look(random);
    EXPECT_GT(pushed, 50U);
    EXPECT_GT(looked, 50U);
    EXPECT_GT(removed_manifests, 20U);
    EXPECT_GT(removed_blobs, 20U);

    removal.dies = false;
    for (const auto& place : repositories()) (void)run_to_end(store->repositories().remove(place, actor()));
    for (int i = 0; i < 3; ++i) collect();
    EXPECT_EQ(number("SELECT COUNT(*) FROM blobs"), 0);
    EXPECT_EQ(number("SELECT SUM(bytes) FROM projects"), 0);
    EXPECT_EQ(stored_files(), 0);
    std::cout << pushed << " pushes, " << refused << " refused, " << looked << " looks, " << removed_manifests
              << " manifests and " << removed_blobs << " blobs removed\n";
}

INSTANTIATE_TEST_SUITE_P(GarbageCollection, Race, testing::ValuesIn(engines()), [](const auto& instance) {
    return std::string{instance.param.name};
});

}  // namespace
}  // namespace entrepot
