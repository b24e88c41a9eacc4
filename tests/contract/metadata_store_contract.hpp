#pragma once

#include "core/clock.hpp"
#include "ports/metadata_store.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

// What every MetadataStore owes its callers, as tests that each engine's own test file instantiates with a host.
namespace entrepot::contract {

// An empty database of one engine, and the store that is open on it.
class MetadataHost {
public:
    virtual ~MetadataHost() = default;
    virtual MetadataStore& store() = 0;
    // Closes the store and opens it again on the same database.
    virtual void reopen() = 0;
    // The one number that a query past the store answers.
    virtual std::int64_t number(const std::string& query) = 0;
    // Whether peek() is exact here, or always asks for load().
    virtual bool peeks() const = 0;
};

struct MetadataEngine {
    std::string name;
    std::function<std::unique_ptr<MetadataHost>()> start;
};

inline void PrintTo(const MetadataEngine& engine, std::ostream* out)
{
    *out << engine.name;
}

// Loops end with the program: a thread of the store may still be inside post() when what it posted has run.
inline asio::io_context& loop_of_this_thread()
{
    static std::mutex mutex;
    static std::vector<std::unique_ptr<asio::io_context>> loops;
    thread_local asio::io_context* const own = [] {
        const std::lock_guard lock{mutex};
        return loops.emplace_back(std::make_unique<asio::io_context>(1)).get();
    }();
    return *own;
}

template <class T>
asio::awaitable<void> keep_result(std::optional<Result<T>>& slot, Task<T> task)
{
    slot.emplace(co_await std::move(task));
}

template <class T>
Result<T> run(Task<T> task)
{
    asio::io_context& loop = loop_of_this_thread();
    std::optional<Result<T>> slot;
    asio::co_spawn(loop, keep_result(slot, std::move(task)), [](std::exception_ptr thrown) {
        if (thrown) std::rethrow_exception(thrown);
    });
    loop.restart();
    loop.run();
    return *std::move(slot);
}

inline RepositoryName repository(std::string_view text)
{
    return RepositoryName::parse(text).value();
}

inline ProjectName project(std::string_view text)
{
    return ProjectName::parse(text).value();
}

inline Tag tag(std::string_view text)
{
    return Tag::parse(text).value();
}

inline Reference reference(std::string_view text)
{
    return Reference::parse(text).value();
}

inline UploadId upload_id(unsigned number)
{
    std::string text = std::to_string(number);
    return UploadId::parse(std::string(32 - text.size(), '0') + text).value();
}

// A session as begin() takes it; the number tells ids and times apart.
inline UploadSession upload(unsigned number, std::string_view name = "p/a", std::int64_t user = 3)
{
    return {
        .id = upload_id(number),
        .repository = repository(name),
        .algorithm = DigestAlgorithm::sha512,
        .offset = 0,
        .hash_state = std::string{"\0state\xff", 7},
        .fence = 1,
        .user_id = user,
        .started_at = 100 + number,
        .touched_at = 100 + number,
    };
}

inline std::string descriptor(std::string_view media_type, const Digest& digest, std::size_t size = 5)
{
    return R"({"mediaType":")" + std::string{media_type} + R"(","digest":")" + digest.text() + R"(","size":)" +
           std::to_string(size) + "}";
}

// What a test pushes: blobs are named by the text they are the digest of.
struct Image {
    std::vector<std::string> blobs = {};
    std::string annotation = {};  // makes otherwise equal images differ
    std::string artifact_type = {};
    std::optional<Digest> subject = {};

    std::string bytes() const
    {
        std::string layers;
        for (std::size_t i = 1; i < blobs.size(); ++i) {
            layers += (i > 1 ? "," : "") +
                      descriptor("application/vnd.oci.image.layer.v1.tar", digest_of(blobs[i]), blobs[i].size());
        }
        const std::string config = blobs.empty() ? std::string{"none"} : blobs.front();
        std::string text = R"({"schemaVersion":2,"mediaType":")" + std::string{media::oci_manifest} + R"(",)";
        if (!artifact_type.empty()) text += R"("artifactType":")" + artifact_type + R"(",)";
        text +=
            R"("config":)" + descriptor("application/vnd.oci.image.config.v1+json", digest_of(config), config.size());
        text += R"(,"layers":[)" + layers + "]";
        if (subject) text += R"(,"subject":)" + descriptor(media::oci_manifest, *subject);
        return text + R"(,"annotations":{"note":")" + annotation + R"("}})";
    }
};

inline NewManifest pushed(
    const RepositoryName& name,
    const std::string& bytes,
    std::string_view media_type,
    const std::vector<std::string>& tags = {}
)
{
    std::vector<Tag> parsed;
    for (const std::string& text : tags) parsed.push_back(tag(text));
    return NewManifest{
        name, digest_of(bytes), bytes, Manifest::parse(media_type, bytes).value(), parsed, Actor{7, 1000}
    };
}

inline NewManifest pushed(const RepositoryName& name, const Image& image, const std::vector<std::string>& tags = {})
{
    return pushed(name, image.bytes(), media::oci_manifest, tags);
}

inline BlobCatalog::Arrival arrival(const RepositoryName& name, std::string_view content)
{
    return {
        .repository = name,
        .digest = digest_of(content),
        .size = content.size(),
        .upload = {},
        .fence = 0,
        .actor = {7, 1000}
    };
}

class MetadataStoreContract : public testing::TestWithParam<MetadataEngine> {
protected:
    void SetUp() override
    {
        host_ = GetParam().start();
        ASSERT_NE(host_, nullptr);
        ASSERT_TRUE(run(store().projects().create({.name = project("p")}, {1, 10})));
    }

    MetadataStore& store() { return host_->store(); }
    MetadataHost& host() { return *host_; }

    void arrive(const RepositoryName& name, std::string_view content)
    {
        const auto done = run(store().blobs().arrive(arrival(name, content)));
        ASSERT_TRUE(done) << done.error().message() << done.error().detail();
    }
    // The image's blobs, then the image.
    void push(const RepositoryName& name, const Image& image, const std::vector<std::string>& tags = {})
    {
        for (const std::string& blob : image.blobs) arrive(name, blob);
        const auto done = run(store().manifests().commit(pushed(name, image, tags)));
        ASSERT_TRUE(done) << done.error().message() << done.error().detail();
    }
    std::int64_t bytes_of(std::string_view name) { return run(store().projects().find(project(name)))->bytes; }

    static constexpr Actor someone{7, 2000};

private:
    std::unique_ptr<MetadataHost> host_;
};

#define EXPECT_FAILS(expected, ...)                                                                              \
    do {                                                                                                         \
        const auto outcome_ = (__VA_ARGS__);                                                                     \
        ASSERT_FALSE(outcome_) << "it succeeded";                                                                \
        EXPECT_EQ(outcome_.error().code(), expected) << outcome_.error().message() << outcome_.error().detail(); \
    } while (false)

#define EXPECT_SUCCEEDS(...)                                                                                   \
    do {                                                                                                       \
        const auto outcome_ = (__VA_ARGS__);                                                                   \
        ASSERT_TRUE(outcome_) << name_of(outcome_.error().code()) << ": " << outcome_.error().message() << " " \
                              << outcome_.error().detail();                                                    \
    } while (false)

}  // namespace entrepot::contract

#include "tests/contract/metadata_store_contract_access.hpp"
#include "tests/contract/metadata_store_contract_accounts.hpp"
#include "tests/contract/metadata_store_contract_artifact_changes.hpp"
#include "tests/contract/metadata_store_contract_artifacts.hpp"
#include "tests/contract/metadata_store_contract_audit.hpp"
#include "tests/contract/metadata_store_contract_blobs.hpp"
#include "tests/contract/metadata_store_contract_checks.hpp"
#include "tests/contract/metadata_store_contract_environments.hpp"
#include "tests/contract/metadata_store_contract_events.hpp"
#include "tests/contract/metadata_store_contract_exchange.hpp"
#include "tests/contract/metadata_store_contract_garbage.hpp"
#include "tests/contract/metadata_store_contract_grants.hpp"
#include "tests/contract/metadata_store_contract_jobs.hpp"
#include "tests/contract/metadata_store_contract_labels.hpp"
#include "tests/contract/metadata_store_contract_manifests.hpp"
#include "tests/contract/metadata_store_contract_people.hpp"
#include "tests/contract/metadata_store_contract_projects.hpp"
#include "tests/contract/metadata_store_contract_promotions.hpp"
#include "tests/contract/metadata_store_contract_proxies.hpp"
#include "tests/contract/metadata_store_contract_push_policies.hpp"
#include "tests/contract/metadata_store_contract_quotas.hpp"
#include "tests/contract/metadata_store_contract_races.hpp"
#include "tests/contract/metadata_store_contract_renames.hpp"
#include "tests/contract/metadata_store_contract_retention.hpp"
#include "tests/contract/metadata_store_contract_robots.hpp"
#include "tests/contract/metadata_store_contract_scrub.hpp"
#include "tests/contract/metadata_store_contract_settings.hpp"
#include "tests/contract/metadata_store_contract_tag_rules.hpp"
#include "tests/contract/metadata_store_contract_tenancy.hpp"
#include "tests/contract/metadata_store_contract_trash.hpp"
#include "tests/contract/metadata_store_contract_uploads.hpp"
#include "tests/contract/metadata_store_contract_webhooks.hpp"
