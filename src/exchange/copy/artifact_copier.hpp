#pragma once

#include "exchange/copy/copy_run.hpp"
#include "oci/manifest.hpp"
#include "ports/copy_site.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace entrepot {

struct CopyOrder {
    RepositoryName from;
    Reference reference;  // at the source
    RepositoryName into;
    std::optional<Tag> tag{};  // at the target; none: by digest alone
};

struct CopiedArtifact {
    enum class End {
        copied,
        already_there,
        differs,      // the tag is there with other content, and nothing is overridden
        not_signed,   // and only what is signed is wanted
        no_platform,  // it is for none of the wanted ones
    };
    End end = End::copied;
    std::optional<Digest> digest{};  // at the source
    bool newest = false;             // of a tag: the source named it still when all was done
    std::string note{};              // for a person, where there is something to say
};

// Copies one artifact with all that belongs to it: blobs, then child manifests, the manifest by its digest, what refers
// to it, and its tag at the end. Bytes and digests stay as they are; an index whose children are not all wanted is
// sparse at the target. Used once, on the run's executor.
class ArtifactCopier {
public:
    ArtifactCopier(CopyRun& run, CopyOrder order) : run_{run}, order_{std::move(order)} {}

    // What ends it for good or for now, as the sites say; manifest_unknown, blob_unknown: the source lacks it.
    Task<CopiedArtifact> operator()();

private:
    // What refers to a manifest at the source.
    struct Following {
        std::vector<Digest> referrers;
        std::vector<Tag> tags;  // by cosign's naming
        bool signature = false;
    };

    Task<CopiedArtifact> copy_once();
    Task<std::optional<ManifestHead>> look_there(Reference reference);
    Task<bool> is_for_us(const Manifest& manifest, std::string_view bytes);
    Task<> bring(CopiedManifest manifest, int depth);
    Task<> bring_child(Descriptor child, int depth);
    Task<> bring_blobs(std::vector<Descriptor> blobs);
    Task<> push(CopiedManifest manifest, std::optional<Tag> tag);
    Task<Following> following(Digest subject, bool tags_too);
    Task<bool> bring_following(Following following, int depth);
    Task<bool> bring_referrer(Digest referrer, int depth);
    Task<bool> bring_tagged(Tag tag);
    Task<CopiedManifest> fetch(Reference reference);
    std::string name() const
    {
        return order_.from.text() + (order_.reference.tag() ? ":" : "@") + order_.reference.text();
    }

    CopyRun& run_;
    const CopyOrder order_;
    std::set<Digest> seen_;  // referrers, so that a circle ends
    bool sparse_ = false;    // the source itself lacks children
};

}  // namespace entrepot
