#pragma once

#include "client/outbound_rules.hpp"
#include "core/clock.hpp"
#include "drivers/upstream/adapter.hpp"
#include "drivers/upstream/registry_calls.hpp"
#include "ports/copy_site.hpp"
#include "ports/home_sites.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

namespace entrepot {

struct RegistrySiteOptions {
    RegistryEndpoint endpoint{};                   // its secret in clear
    std::shared_ptr<const OutboundRules> rules{};  // null: everywhere, as the operator chose
    std::optional<HomeClaim> claim{};              // that goes along with all that is written
};

// Another registry by the distribution API (OCI distribution-spec 1.1), where an adapter doesn't know better. Safe from
// any thread; goes before the loops it is used on.
class RegistrySite final : public CopySite {
public:
    // bad_request: an address, a type, a certificate or a pin that can't be.
    static Result<std::shared_ptr<RegistrySite>> create(RegistrySiteOptions options, const Clock& clock);

    Task<ManifestHead> look(RepositoryName repository, Reference reference) override;
    Task<CopiedManifest> manifest(RepositoryName repository, Reference reference) override;
    Task<BlobStream> blob(RepositoryName repository, Digest digest, std::uint64_t first) override;
    Task<ReferrerPage> referrers(RepositoryName repository, Digest subject, PageRequest page) override;
    Task<Listing> repositories(PageRequest page) override;
    Task<Listing> tags(RepositoryName repository, PageRequest page) override;

    Task<> prepare(RepositoryName repository) override;
    Task<bool> holds(RepositoryName repository, Digest digest) override;
    Task<bool> mount(RepositoryName into, RepositoryName from, Digest digest) override;
    Task<> put(RepositoryName repository, Digest digest, std::string bytes) override;
    Task<CopyUpload>
    begin(RepositoryName repository, DigestAlgorithm algorithm, std::optional<std::uint64_t> size) override;
    Task<CopyUpload> resume(RepositoryName repository, std::string place) override;
    Task<CopyUpload>
    append(RepositoryName repository, CopyUpload upload, ByteSource& body, std::uint64_t length) override;
    Task<> finish(RepositoryName repository, CopyUpload upload, Digest digest) override;
    Task<> cancel(RepositoryName repository, std::string place) override;
    Task<> push(RepositoryName repository, Reference reference, CopiedManifest manifest) override;
    Task<> remove(RepositoryName repository, Reference reference) override;

    Task<TagSummary> tag_summary(TagRange range) override;
    Task<std::vector<TagState>> tag_states(TagRange range) override;
    // As HomeSites does, with the claim that this was opened with.
    Task<> announce(std::string project);
    Task<> dismiss(std::string project);

    Task<> ping() override;
    Micros rests_until() const override { return calls_.rests_until(); }

private:
    RegistrySite(
        HttpClient client,
        HttpUrl registry,
        RegistryLoginOptions login,
        RegistryEndpoint endpoint,
        const Adapter& adapter,
        std::optional<HomeClaim> claim,
        const Clock& clock
    );

    Task<> tell_home(std::string method, std::string project, std::string body);
    std::string remote(const RepositoryName& repository) const;
    std::string url_of(const RepositoryName& repository, std::string_view rest) const;
    RegistryCall call_of(const RepositoryName& repository, std::string_view method, std::string_view rest) const;
    RegistryCall write_call(const RepositoryName& repository, std::string_view method, std::string url) const;
    std::string scope_of(const RepositoryName& repository, std::string_view actions) const;

    Task<CopiedManifest> fetch_manifest(RepositoryName repository, Reference reference);
    Task<Listing> list(RegistryCall call, const char* key, Errc unknown, PageRequest page);
    Task<std::vector<Referrer>> all_referrers(RepositoryName repository, Digest subject);
    Task<std::vector<Referrer>> fallback_referrers(RepositoryName repository, Digest subject);
    Task<> note_referrer(RepositoryName repository, const CopiedManifest& manifest);
    bool lacks_referrers() const;

    Result<std::string> place_in(const ClientAnswerHead& answer) const;
    Result<std::string> url_at(const std::string& place) const;
    Result<CopyUpload> upload_in(const ClientAnswerHead& answer, std::string place_before) const;

    RegistryCalls calls_;
    const RegistryEndpoint endpoint_;
    const Adapter& adapter_;
    const std::optional<HomeClaim> claim_;
    const std::string base_;                           // the registry's address, without a slash at its end
    std::atomic<std::int64_t> no_referrers_until_{0};  // steady, in ticks: where the API turned out to be absent
    std::mutex mutex_;
    std::set<std::string> prepared_;  // projects and repositories that are there
};

}  // namespace entrepot
