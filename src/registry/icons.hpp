#pragma once

#include "access/policy.hpp"
#include "core/task.hpp"
#include "ports/blob_catalog.hpp"
#include "ports/blob_store.hpp"

#include <string>
#include <string_view>

namespace entrepot {

// The pictures of the kinds of artifacts, drawn here: artifacts that bring none of their own show these.
struct BuiltinIcon {
    std::string digest;
    std::string svg;
};

const BuiltinIcon& builtin_icon(std::string_view artifact_type);
const BuiltinIcon* find_builtin_icon(std::string_view digest);  // null when it is none of them

struct IconPicture {
    std::string content_type;
    std::string bytes;
};

// The pictures that artifacts name: the built-in ones for everybody, a blob for whoever may pull from a repository that
// holds it, if it really is a PNG, JPEG or GIF of at most 1 MiB. Safe from any loop.
class Icons {
public:
    // `pool` reads files and outlives this.
    Icons(BlobCatalog& links, BlobReader& blobs, const AccessPolicy& policy, asio::thread_pool& pool)
        : links_{links}, blobs_{blobs}, policy_{policy}, pool_{pool}
    {
    }

    Task<IconPicture> find(Caller caller, Digest digest);  // not_found

private:
    BlobCatalog& links_;
    BlobReader& blobs_;
    const AccessPolicy& policy_;
    asio::thread_pool& pool_;
};

}  // namespace entrepot
