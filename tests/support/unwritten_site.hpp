#pragma once

#include "ports/copy_site.hpp"

namespace entrepot {

// A site that is only read: nothing is written to it.
class UnwrittenSite : public CopySite {
public:
    Task<> prepare(RepositoryName) override { co_return nothing(); }
    Task<bool> holds(RepositoryName, Digest) override { co_return nothing(); }
    Task<bool> mount(RepositoryName, RepositoryName, Digest) override { co_return nothing(); }
    Task<> put(RepositoryName, Digest, std::string) override { co_return nothing(); }
    Task<CopyUpload> begin(RepositoryName, DigestAlgorithm, std::optional<std::uint64_t>) override
    {
        co_return nothing();
    }
    Task<CopyUpload> resume(RepositoryName, std::string) override { co_return nothing(); }
    Task<CopyUpload> append(RepositoryName, CopyUpload, ByteSource&, std::uint64_t) override { co_return nothing(); }
    Task<> finish(RepositoryName, CopyUpload, Digest) override { co_return nothing(); }
    Task<> cancel(RepositoryName, std::string) override { co_return nothing(); }
    Task<> push(RepositoryName, Reference, CopiedManifest) override { co_return nothing(); }
    Task<> remove(RepositoryName, Reference) override { co_return nothing(); }

protected:
    static std::unexpected<Error> nothing() { return fail(Errc::unsupported, "there is nothing here"); }
};

}  // namespace entrepot
