#pragma once

#include "ports/copy_site.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace entrepot {

// A site behind a link with troubles. One executor at a time.
class TroubledSite : public CopySite {
public:
    explicit TroubledSite(CopySite& site) : site_{&site} {}

    // From now on this is the site behind it.
    void lead_to(CopySite& site) { site_ = &site; }

    // Calls so far. From the one with the number `dies_at` on every call fails and has no effect, as for a process that
    // was killed: whoever goes on later does so with another TroubledSite.
    std::uint64_t calls = 0;
    std::optional<std::uint64_t> dies_at;
    // Bodies of chunks break off each time so many further bytes have passed.
    std::optional<std::uint64_t> breaks_every;
    std::uint64_t breaks = 0;
    std::uint64_t passed = 0;  // bytes of chunks
    // Before each call; an error is its answer.
    std::function<std::optional<Error>(const std::string& method)> before;
    // After finish(), which had its effect: the answer that arrives instead.
    std::function<std::optional<Error>()> after_finish;
    std::function<void(BlobStream&)> with_blob;
    Micros rests = 0;

    Task<ManifestHead> look(RepositoryName repository, Reference reference) override
    {
        CO_CHECK(enter("look"));
        co_return co_await site_->look(std::move(repository), std::move(reference));
    }
    Task<CopiedManifest> manifest(RepositoryName repository, Reference reference) override
    {
        CO_CHECK(enter("manifest"));
        co_return co_await site_->manifest(std::move(repository), std::move(reference));
    }
    Task<BlobStream> blob(RepositoryName repository, Digest digest, std::uint64_t first) override
    {
        CO_CHECK(enter("blob"));
        CO_TRY(auto stream, co_await site_->blob(std::move(repository), std::move(digest), first));
        if (with_blob) with_blob(stream);
        co_return stream;
    }
    Task<ReferrerPage> referrers(RepositoryName repository, Digest subject, PageRequest page) override
    {
        CO_CHECK(enter("referrers"));
        co_return co_await site_->referrers(std::move(repository), std::move(subject), std::move(page));
    }
    Task<Listing> repositories(PageRequest page) override
    {
        CO_CHECK(enter("repositories"));
        co_return co_await site_->repositories(std::move(page));
    }
    Task<Listing> tags(RepositoryName repository, PageRequest page) override
    {
        CO_CHECK(enter("tags"));
        co_return co_await site_->tags(std::move(repository), std::move(page));
    }
    Task<> prepare(RepositoryName repository) override
    {
        CO_CHECK(enter("prepare"));
        co_return co_await site_->prepare(std::move(repository));
    }
    Task<bool> holds(RepositoryName repository, Digest digest) override
    {
        CO_CHECK(enter("holds"));
        co_return co_await site_->holds(std::move(repository), std::move(digest));
    }
    Task<bool> mount(RepositoryName into, RepositoryName from, Digest digest) override
    {
        CO_CHECK(enter("mount"));
        co_return co_await site_->mount(std::move(into), std::move(from), std::move(digest));
    }
    Task<> put(RepositoryName repository, Digest digest, std::string bytes) override
    {
        CO_CHECK(enter("put"));
        co_return co_await site_->put(std::move(repository), std::move(digest), std::move(bytes));
    }
    Task<CopyUpload>
    begin(RepositoryName repository, DigestAlgorithm algorithm, std::optional<std::uint64_t> size) override
    {
        CO_CHECK(enter("begin"));
        co_return co_await site_->begin(std::move(repository), algorithm, size);
    }
    Task<CopyUpload> resume(RepositoryName repository, std::string place) override
    {
        CO_CHECK(enter("resume"));
        co_return co_await site_->resume(std::move(repository), std::move(place));
    }
    Task<CopyUpload>
    append(RepositoryName repository, CopyUpload upload, ByteSource& body, std::uint64_t length) override
    {
        CO_CHECK(enter("append"));
        Link link{*this, body};
        co_return co_await site_->append(std::move(repository), std::move(upload), link, length);
    }
    Task<> finish(RepositoryName repository, CopyUpload upload, Digest digest) override
    {
        CO_CHECK(enter("finish"));
        auto done = co_await site_->finish(std::move(repository), std::move(upload), std::move(digest));
        auto instead = after_finish ? after_finish() : std::nullopt;
        if (instead) co_return std::unexpected{*std::move(instead)};
        co_return done;
    }
    Task<> cancel(RepositoryName repository, std::string place) override
    {
        CO_CHECK(enter("cancel"));
        co_return co_await site_->cancel(std::move(repository), std::move(place));
    }
    Task<> push(RepositoryName repository, Reference reference, CopiedManifest manifest) override
    {
        CO_CHECK(enter("push"));
        co_return co_await site_->push(std::move(repository), std::move(reference), std::move(manifest));
    }
    Task<> remove(RepositoryName repository, Reference reference) override
    {
        CO_CHECK(enter("remove"));
        co_return co_await site_->remove(std::move(repository), std::move(reference));
    }
    Task<TagSummary> tag_summary(TagRange range) override
    {
        CO_CHECK(enter("tag_summary"));
        co_return co_await site_->tag_summary(std::move(range));
    }
    Task<std::vector<TagState>> tag_states(TagRange range) override
    {
        CO_CHECK(enter("tag_states"));
        co_return co_await site_->tag_states(std::move(range));
    }
    Task<> ping() override { return site_->ping(); }
    Micros rests_until() const override { return rests; }

private:
    class Link final : public ByteSource {
    public:
        Link(TroubledSite& site, ByteSource& body) : site_{site}, body_{body} {}

        std::optional<std::uint64_t> size() const override { return body_.size(); }
        Task<std::size_t> read(std::span<std::byte> into) override
        {
            if (site_.breaks_every) {
                const auto left = *site_.breaks_every - site_.passed % *site_.breaks_every;
                if (left < into.size()) into = into.first(static_cast<std::size_t>(left));
                if (broken_) co_return fail(Errc::connection_lost, "the connection broke");
            }
            CO_TRY(const auto count, co_await body_.read(into));
            site_.passed += count;
            if (count > 0 && site_.breaks_every && site_.passed % *site_.breaks_every == 0) {
                ++site_.breaks;
                broken_ = true;
            }
            co_return count;
        }

    private:
        TroubledSite& site_;
        ByteSource& body_;
        bool broken_ = false;
    };

    Result<> enter(const std::string& method)
    {
        ++calls;
        if (dies_at && calls >= *dies_at) return fail(Errc::internal, "killed");
        if (before) {
            if (auto error = before(method)) return std::unexpected{*std::move(error)};
        }
        return {};
    }

    CopySite* site_;
};

}  // namespace entrepot
