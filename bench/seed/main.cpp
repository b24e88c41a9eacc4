// Fills a metadata store with projects, repositories, artifacts, tags and labels. What it writes is what pushes of
// images would have left there, but for the blobs' bytes, which no list reads. The store's server must not be running.
#include "core/clock.hpp"
#include "drivers/postgres/postgres_store.hpp"
#include "drivers/sqlite/sqlite_store.hpp"
#include "oci/artifact_view.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <CLI/CLI.hpp>

#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

namespace entrepot {
namespace {

struct SeedOptions {
    std::string database;
    std::int64_t projects = 10;
    std::int64_t repositories = 10;  // in each project
    std::int64_t artifacts = 100'000;
    std::int64_t tags = 5;  // of each artifact
    std::int64_t labels = 10;
    std::int64_t labelled = 4;  // every so many artifacts one label
    std::int64_t empty_projects = 10'000;
    std::int64_t more_repositories = 10'000;  // in one more project, an artifact with a tag in each
    int at_once = 256;
};

template <class T>
T or_throw(Result<T> result)
{
    if (!result) throw std::runtime_error{result.error().message() + " " + result.error().detail()};
    if constexpr (!std::is_void_v<T>) return *std::move(result);
}

constexpr std::string_view config_text =
    R"({"architecture":"amd64","os":"linux","author":"bench","created":"2026-01-02T03:04:05Z","config":{"Env":[)"
    R"("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","LANG=C.UTF-8"],"Cmd":["/app/server",)"
    R"("--listen=:8080"],"WorkingDir":"/app","Labels":{"org.opencontainers.image.source":"https://example.org/app",)"
    R"("org.opencontainers.image.revision":"0123456789abcdef0123456789abcdef01234567"}},"rootfs":{"type":"layers"}})";
constexpr std::string_view layer_text = "a layer";

std::string descriptor_text(std::string_view type, std::string_view content)
{
    return R"({"mediaType":")" + std::string{type} + R"(","digest":")" + digest_of(content).text() + R"(","size":)" +
           std::to_string(content.size()) + "}";
}

std::string manifest_text(std::int64_t number)
{
    return R"({"schemaVersion":2,"mediaType":")" + std::string{media::oci_manifest} + R"(","config":)" +
           descriptor_text("application/vnd.oci.image.config.v1+json", config_text) + R"(,"layers":[)" +
           descriptor_text("application/vnd.oci.image.layer.v1.tar+gzip", layer_text) +
           R"(],"annotations":{"org.opencontainers.image.version":"1.0.)" + std::to_string(number) + R"("}})";
}

class Seeder {
public:
    Seeder(MetadataStore& store, const SeedOptions& options, Micros start)
        : store_{store}, options_{options}, start_{start}
    {
    }

    void run()
    {
        spawn_and_wait(prepare());
        at_once(options_.artifacts, [this](std::int64_t number) { return push(place(number), number, options_.tags); });
        at_once(options_.empty_projects, [this](std::int64_t number) {
            return create("empty" + std::to_string(number));
        });
        at_once(options_.more_repositories, [this](std::int64_t number) { return fill(number); });
    }

private:
    std::int64_t places() const { return options_.projects * options_.repositories; }

    // Calls make(0) … make(count - 1), so many of them at a time.
    template <class Make>
    void at_once(std::int64_t count, Make make)
    {
        std::int64_t next = 0;
        const auto work = [&]() -> asio::awaitable<void> {
            while (next < count && failure_.empty()) {
                const auto number = next++;
                try {
                    co_await make(number);
                } catch (const std::exception& thrown) {
                    failure_ = thrown.what();
                }
                if (number % 20'000 == 0) std::fprintf(stderr, "%lld\n", static_cast<long long>(number));
            }
        };
        for (int i = 0; i < options_.at_once; ++i) asio::co_spawn(loop_, work(), asio::detached);
        loop_.restart();
        loop_.run();
        if (!failure_.empty()) throw std::runtime_error{failure_};
    }

    RepositoryName place(std::int64_t number) const
    {
        const auto project = number % options_.projects;
        const auto repository = number / options_.projects % options_.repositories;
        return RepositoryName::parse("lists" + std::to_string(project) + "/team/app" + std::to_string(repository))
            .value();
    }

    void spawn_and_wait(asio::awaitable<void> work)
    {
        asio::co_spawn(loop_, std::move(work), [](std::exception_ptr thrown) {
            if (thrown) std::rethrow_exception(thrown);
        });
        loop_.restart();
        loop_.run();
    }

    asio::awaitable<void> prepare()
    {
        for (std::int64_t i = 0; i < options_.projects; ++i) {
            co_await create("lists" + std::to_string(i));
        }
        co_await create("many");
        for (std::int64_t i = 0; i < places(); ++i) co_await bring_blobs(place(i));
        for (std::int64_t i = 0; i < options_.labels; ++i) {
            Label label;
            label.name = "label-" + std::to_string(i);
            label.description = "what a label says";
            label.color = "#0095d3";
            const auto made = or_throw(co_await store_.labels().create(label, Actor{1, start_}));
            labels_.push_back(made.id);
        }
    }

    asio::awaitable<void> create(std::string name)
    {
        NewProject project{.name = ProjectName::parse(name).value()};
        or_throw(co_await store_.projects().create(std::move(project), Actor{1, start_}));
    }

    asio::awaitable<void> bring_blobs(RepositoryName repository)
    {
        for (const auto content : {config_text, layer_text}) {
            const BlobCatalog::Arrival arrival{
                .repository = repository, .digest = digest_of(content), .size = content.size(), .actor = {1, start_}
            };
            or_throw(co_await store_.blobs().arrive(arrival));
        }
    }

    asio::awaitable<void> fill(std::int64_t number)
    {
        const auto repository = RepositoryName::parse("many/app" + std::to_string(number)).value();
        co_await bring_blobs(repository);
        co_await push(repository, number, 1);
    }

    asio::awaitable<void> push(RepositoryName repository, std::int64_t number, std::int64_t tag_count)
    {
        const auto bytes = manifest_text(number);
        auto manifest = Manifest::parse(media::oci_manifest, bytes).value();
        auto view = view_of(manifest, bytes, config_text);
        std::vector<Tag> tags;
        for (std::int64_t i = 0; i < tag_count; ++i) {
            tags.push_back(Tag::parse("1.0." + std::to_string(number) + "-build" + std::to_string(i)).value());
        }
        const auto digest = digest_of(bytes);
        or_throw(co_await store_.manifests().commit(NewManifest{
            .repository = repository,
            .digest = digest,
            .bytes = bytes,
            .manifest = std::move(manifest),
            .tags = std::move(tags),
            .actor = {1, start_ + number * 1'000'000},
            .view = std::move(view),
        }));
        if (labels_.empty() || number % options_.labelled != 0) co_return;
        const auto label = labels_[static_cast<std::size_t>(number) % labels_.size()];
        or_throw(co_await store_.artifacts().add_label(repository, Reference{digest}, label, Actor{1, start_}));
    }

    MetadataStore& store_;
    SeedOptions options_;
    Micros start_;
    asio::io_context loop_{1};
    std::vector<std::int64_t> labels_;
    std::string failure_;
};

int seed(int argc, char** argv)
{
    SeedOptions options;
    CLI::App app{"fills a metadata store for bench/lists.py"};
    app.add_option("--database", options.database, "an SQLite file, or postgresql://…")->required();
    app.add_option("--projects", options.projects);
    app.add_option("--repositories", options.repositories, "in each project");
    app.add_option("--artifacts", options.artifacts, "in all");
    app.add_option("--tags", options.tags, "of each artifact");
    app.add_option("--empty-projects", options.empty_projects, "beside the others");
    app.add_option("--more-repositories", options.more_repositories, "in one more project, an artifact in each");
    app.add_option("--labels", options.labels, "that there are");
    CLI11_PARSE(app, argc, argv);

    const SystemClock clock;
    std::unique_ptr<MetadataStore> store;
    if (options.database.starts_with("postgres")) {
        PostgresOptions to;
        to.url = options.database;
        store = open_postgres_store(to, clock);
    } else {
        SqliteOptions to;
        to.file = options.database;
        store = open_sqlite_store(to, clock);
    }
    Seeder{*store, options, clock.now() - options.artifacts * 1'000'000}.run();
    store->stop();
    return 0;
}

}  // namespace
}  // namespace entrepot

int main(int argc, char** argv)
{
    try {
        return entrepot::seed(argc, argv);
    } catch (const std::exception& thrown) {
        std::fprintf(stderr, "entrepot_seed: %s\n", thrown.what());
        return 1;
    }
}
