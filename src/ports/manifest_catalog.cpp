#include "ports/manifest_catalog.hpp"

namespace entrepot {

std::unexpected<Error> refuse_blob_unknown(const RepositoryName& repository, const Digest& blob)
{
    return fail(
        Errc::manifest_blob_unknown, "blob " + blob.text() + " is not known in repository " + repository.text()
    );
}

std::unexpected<Error> refuse_blob_size(const Digest& blob)
{
    return fail(Errc::size_invalid, "blob " + blob.text() + " has another size than its descriptor says");
}

}  // namespace entrepot
