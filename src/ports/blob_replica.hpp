#pragma once

#include "core/bytes.hpp"
#include "core/task.hpp"
#include "oci/digest.hpp"
#include "oci/names.hpp"

#include <memory>

namespace entrepot {

// Another registry that holds the same repositories, where what was lost here may still be. Safe from any loop.
class BlobReplica {
public:
    virtual ~BlobReplica() = default;

    // The blob as that repository there has it, to be read on the executor that asked; whether it has the digest is for
    // the reader to check. blob_unknown, denied (the credentials are not enough), unavailable, request_timeout,
    // connection_lost.
    virtual Task<std::unique_ptr<ByteSource>> open(RepositoryName repository, Digest digest) = 0;
};

}  // namespace entrepot
