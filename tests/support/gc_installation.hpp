#pragma once

#include "access/policy.hpp"
#include "core/run_to_end.hpp"
#include "drivers/filesystem/filesystem_blobs.hpp"
#include "drivers/postgres/postgres_store.hpp"
#include "drivers/sqlite/sqlite_store.hpp"
#include "oci/hasher.hpp"
#include "registry/pull.hpp"
#include "registry/uploads.hpp"
#include "tenancy/access_directory.hpp"
#include "tests/support/plain_sqlite.hpp"
#include "tests/support/postgres_server.hpp"
#include "upkeep/gc/garbage_collection.hpp"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace entrepot {

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
    std::atomic<bool> dies = false;

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

// Where metadata lies: the URL of a PostgreSQL database, or empty for SQLite in the directory.
inline std::unique_ptr<MetadataStore>
open_metadata(const std::string& url, const std::filesystem::path& directory, const Clock& clock)
{
    if (url.empty()) {
        SqliteOptions options;
        options.file = directory / "db";
        return open_sqlite_store(options, clock);
    }
    PostgresOptions options;
    options.patience = std::chrono::minutes{1};  // on a machine that stands still at times
    options.url = url;
    options.connections = 8;
    return open_postgres_store(options, clock);
}

// A number that a query past the store answers.
inline std::int64_t number_in(const std::string& url, const std::filesystem::path& directory, const std::string& query)
{
    return url.empty() ? PlainSqlite{directory / "db"}.number(query) : number_on_postgres(url, query);
}

// Small ones take the journal, large ones a file of their own.
inline const std::vector<std::string>& contents()
{
    static const std::vector<std::string> texts = [] {
        std::vector<std::string> made;
        for (int i = 0; i < 6; ++i) made.push_back("small blob " + std::to_string(i));
        for (int i = 0; i < 2; ++i) made.push_back(std::string(100'000, static_cast<char>('a' + i)));
        return made;
    }();
    return texts;
}

inline const std::vector<RepositoryName>& repositories()
{
    static const std::vector<RepositoryName> names{
        RepositoryName::parse("p/a").value(),
        RepositoryName::parse("p/b").value(),
        RepositoryName::parse("q/a").value(),
        RepositoryName::parse("q/b").value()
    };
    return names;
}

// `note` makes otherwise equal images differ.
inline std::string image_of(const std::vector<std::string>& blobs, const std::string& note = {})
{
    const auto described = [](const char* type, const std::string& blob) {
        return R"({"mediaType":")" + std::string{type} + R"(","digest":")" + digest_of(blob).text() + R"(","size":)" +
               std::to_string(blob.size()) + "}";
    };
    return R"({"schemaVersion":2,"mediaType":")" + std::string{media::oci_manifest} + R"(","config":)" +
           described("application/vnd.oci.image.config.v1+json", blobs[0]) + R"(,"layers":[)" +
           described("application/vnd.oci.image.layer.v1.tar", blobs[1]) + R"(],"annotations":{"note":")" + note +
           R"("}})";
}

// A whole registry below its API: catalog, files, verbs, and garbage collection without lease or grace.
struct Installation {
    Installation(const std::string& database_url, const std::filesystem::path& directory)
        : store{open_metadata(database_url, directory, clock)}, blobs{{.root = directory / "blobs"}}
    {
    }
    ~Installation()
    {
        store->stop();
        blobs.stop();
    }
    Installation(const Installation&) = delete;
    Installation& operator=(const Installation&) = delete;

    // For an empty database.
    Result<> create_projects()
    {
        for (const char* name : {"p", "q"}) {
            CHECK(run_to_end(store->projects().create({.name = ProjectName::parse(name).value()}, {1, 1})));
        }
        Account account;
        account.name = "admin";
        account.credential_version = 1;
        CHECK(run_to_end(store->accounts().create_admin(account)));
        return {};
    }
    // As the program does when it starts.
    Result<> start()
    {
        CHECK(run_to_end(store->garbage().condemn_unknown(blobs.restored(), actor())));
        CHECK(run_to_end(access.catch_up()));
        return run_to_end(collection.end_removals());
    }

    Actor actor() const { return {.user_id = 1, .at = clock.now()}; }
    static Caller admin()
    {
        Caller caller;
        caller.identity = std::make_shared<const Identity>(Identity{.user_id = 1, .name = "admin"});
        caller.credential_version = 1;
        return caller;
    }

    // What a client does: asks, mounts or uploads what is missing, then pushes.
    Result<> push(
        const RepositoryName& place,
        const std::string& image,
        const std::vector<std::string>& needed,
        std::vector<Tag> tags,
        std::mt19937& random
    )
    {
        for (const auto& blob : needed) CHECK(bring(place, blob, random));
        return run_to_end(store->manifests().commit(NewManifest{
            .repository = place,
            .digest = digest_of(image),
            .bytes = image,
            .manifest = Manifest::parse(media::oci_manifest, image).value(),
            .tags = std::move(tags),
            .actor = actor(),
        }));
    }
    Result<> bring(const RepositoryName& place, const std::string& blob, std::mt19937& random)
    {
        const auto digest = digest_of(blob);
        if (random() % 2 == 0 && run_to_end(pull.load_blob_size(place, digest))) return {};
        if (random() % 3 == 0) {
            const auto& from = repositories()[random() % repositories().size()];
            if (run_to_end(store->blobs().mount(place, from, digest, actor()))) return {};
        }
        Body body{blob};
        return run_to_end(uploads.push(place, digest, body, admin()));
    }
    // The first of its blobs that can't be read whole.
    std::optional<Digest> missing_blob(const RepositoryName& place, const StoredManifest& manifest)
    {
        const auto parsed = Manifest::parse(manifest.media_type, manifest.bytes).value();
        for (const auto& blob : parsed.required_blobs()) {
            const auto content = run_to_end(pull.load_blob(place, blob.digest));
            if (!content || content->size != blob.size) return blob.digest;
        }
        return std::nullopt;
    }
    Result<GarbageCount> collect(const std::atomic<bool>& stop)
    {
        LooseRun loose{R"({"delete_untagged": true})", stop};
        TRY(const auto ended, run_to_end(collection.run(loose)));
        return GarbageCount::parse(ended.result);
    }

    SystemClock clock;
    SystemRandom random_source;
    std::unique_ptr<MetadataStore> store;
    FilesystemBlobs blobs;
    DyingRemoval removal{blobs};
    AccessPolicy policy{ProjectCreation::admins, clock};
    AccessDirectory access{store->access(), policy};
    ProjectGate gate{policy, store->projects(), [this] { return access.catch_up(); }};
    PullLedger ledger{store->pulls(), clock};
    Pull pull{store->manifests(), store->blobs(), blobs, ledger, clock, 0};
    Uploads uploads{store->uploads(), store->blobs(), blobs, gate, random_source, clock, {}};
    GarbageCollection collection{store->garbage(), removal, clock, {}};
};

}  // namespace entrepot
