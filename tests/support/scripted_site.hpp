#pragma once

#include "oci/hasher.hpp"
#include "tests/support/unwritten_site.hpp"

#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <string>

namespace entrepot {

// A registry elsewhere that behaves as a test wants. Settings are changed and counts are read from any thread.
class ScriptedSite final : public UnwrittenSite {
public:
    struct Script {
        std::chrono::milliseconds before_answer{0};
        std::chrono::milliseconds between_reads{0};
        std::size_t read_size = 64 * 1024;
        std::uint64_t break_after = UINT64_MAX;  // bytes of a stream, then the connection is lost
        std::uint64_t end_after = UINT64_MAX;    // then the stream ends as if that was all
        int breaks = 0;                          // of so many streams; then they are whole
        bool ranges = true;
        bool says_size = true;
        std::optional<Errc> refuses{};  // every question
    };

    void set(Script script)
    {
        const std::lock_guard guard{mutex_};
        script_ = script;
    }
    void add_blob(const std::string& bytes) { add_blob(digest_of(bytes), bytes); }
    // Also what doesn't have the digest.
    void add_blob(const Digest& digest, std::string bytes)
    {
        const std::lock_guard guard{mutex_};
        blobs_[digest.text()] = std::make_shared<const std::string>(std::move(bytes));
    }
    Digest add_manifest(const std::string& repository, const std::string& tag, std::string bytes, std::string type)
    {
        const auto digest = digest_of(bytes);
        const std::lock_guard guard{mutex_};
        const CopiedManifest manifest{digest, std::move(type), std::move(bytes)};
        manifests_.insert_or_assign(repository + "@" + digest.text(), manifest);
        if (!tag.empty()) manifests_.insert_or_assign(repository + ":" + tag, manifest);
        return digest;
    }
    void remove_tag(const std::string& repository, const std::string& tag)
    {
        const std::lock_guard guard{mutex_};
        manifests_.erase(repository + ":" + tag);
    }

    std::atomic<int> looks{0};
    std::atomic<int> manifests{0};
    std::atomic<int> streams{0};
    std::atomic<int> ranged{0};  // of them
    std::atomic<std::uint64_t> bytes_sent{0};
    std::atomic<Micros> rest{0};

    Task<ManifestHead> look(RepositoryName repository, Reference reference) override
    {
        ++looks;
        CO_TRY(auto found, co_await find(std::move(repository), std::move(reference)));
        co_return ManifestHead{found.digest, found.media_type, found.bytes.size()};
    }
    Task<CopiedManifest> manifest(RepositoryName repository, Reference reference) override
    {
        ++manifests;
        co_return co_await find(std::move(repository), std::move(reference));
    }
    Task<BlobStream> blob(RepositoryName, Digest digest, std::uint64_t first) override
    {
        ++streams;
        if (first > 0) ++ranged;
        CO_CHECK(co_await answer());
        std::shared_ptr<const std::string> bytes;
        Script script;
        {
            const std::lock_guard guard{mutex_};
            const auto place = blobs_.find(digest.text());
            if (place == blobs_.end()) co_return fail(Errc::blob_unknown, "no such blob");
            bytes = place->second;
            script = script_;
            if (script_.breaks > 0 && --script_.breaks == 0) {
                script_.break_after = script_.end_after = UINT64_MAX;
            }
        }
        if (!script.ranges) first = 0;
        BlobStream stream{.body = std::make_unique<Stream>(*this, bytes, script, first), .first = first};
        if (script.says_size) stream.size = bytes->size();
        co_return stream;
    }
    Task<ReferrerPage> referrers(RepositoryName, Digest, PageRequest) override
    {
        CO_CHECK(co_await answer());
        co_return ReferrerPage{};
    }
    Task<Listing> repositories(PageRequest) override { co_return fail(Errc::unsupported, "no list"); }
    Task<Listing> tags(RepositoryName repository, PageRequest) override
    {
        CO_CHECK(co_await answer());
        const std::lock_guard guard{mutex_};
        Listing listing;
        const auto prefix = repository.text() + ":";
        for (const auto& [name, manifest] : manifests_) {
            if (name.starts_with(prefix)) listing.names.push_back(name.substr(prefix.size()));
        }
        co_return listing;
    }

    Task<> ping() override { co_return Result<>{}; }
    Micros rests_until() const override { return rest; }

private:
    class Stream final : public ByteSource {
    public:
        Stream(ScriptedSite& site, std::shared_ptr<const std::string> bytes, Script script, std::uint64_t at)
            : site_{site}, bytes_{std::move(bytes)}, script_{script}, at_{at}
        {
        }
        std::optional<std::uint64_t> size() const override { return bytes_->size() - at_; }
        Task<std::size_t> read(std::span<std::byte> into) override
        {
            if (script_.between_reads.count() > 0) co_await sleep(script_.between_reads);
            if (sent_ >= script_.end_after) co_return 0U;
            if (sent_ >= script_.break_after) co_return fail(Errc::connection_lost, "the connection broke");
            const auto most = std::min(script_.break_after, script_.end_after) - sent_;
            const auto count = static_cast<std::size_t>(
                std::min<std::uint64_t>({into.size(), script_.read_size, bytes_->size() - at_, most})
            );
            std::ranges::copy(as_bytes(std::string_view{*bytes_}.substr(at_, count)), into.begin());
            at_ += count;
            sent_ += count;
            site_.bytes_sent += count;
            co_return count;
        }

    private:
        ScriptedSite& site_;
        const std::shared_ptr<const std::string> bytes_;
        const Script script_;
        std::uint64_t at_;
        std::uint64_t sent_ = 0;
    };

    static asio::awaitable<void> sleep(std::chrono::milliseconds time)
    {
        asio::steady_timer timer{co_await asio::this_coro::executor, time};
        co_await timer.async_wait(asio::use_awaitable);
    }
    Task<> answer()
    {
        Script script;
        {
            const std::lock_guard guard{mutex_};
            script = script_;
        }
        if (script.before_answer.count() > 0) co_await sleep(script.before_answer);
        if (script.refuses) co_return fail(*script.refuses, "as the script says");
        co_return Result<>{};
    }
    Task<CopiedManifest> find(RepositoryName repository, Reference reference)
    {
        CO_CHECK(co_await answer());
        const std::lock_guard guard{mutex_};
        const auto name = repository.text() + (reference.digest() != nullptr ? "@" : ":") + reference.text();
        const auto place = manifests_.find(name);
        if (place == manifests_.end()) co_return fail(Errc::manifest_unknown, "no such manifest");
        co_return place->second;
    }

    mutable std::mutex mutex_;
    Script script_;
    std::map<std::string, std::shared_ptr<const std::string>> blobs_;
    std::map<std::string, CopiedManifest> manifests_;
};

}  // namespace entrepot
