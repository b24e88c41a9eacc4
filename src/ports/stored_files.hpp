#pragma once

#include "oci/digest.hpp"
#include "ports/backup_target.hpp"

namespace entrepot {

// A store's blobs as a command sees them that runs beside its server. Blocks; one thread.
class BlobFiles {
public:
    virtual ~BlobFiles() = default;

    // While what it returns lives nobody removes blobs, in any process. conflict while somebody does.
    virtual Result<std::unique_ptr<BackupTarget::Hold>> hold_removals() = 0;
    virtual Result<std::unique_ptr<ByteReader>> open(const Digest& digest) = 0;  // blob_unknown
    virtual Result<std::optional<std::uint64_t>> find(const Digest& digest) = 0;

    // Takes a blob in; `seen` as in BackupTarget::copy. Durable after settle().
    virtual Result<> take_in(const Digest& digest, ByteReader& source, const BackupTarget::Seen& seen) = 0;
    virtual Result<> settle() = 0;
};

// Files below a directory that are kept whole beside the metadata, such as the audit trail's segments.
class KeptFiles {
public:
    virtual ~KeptFiles() = default;

    // Paths below the directory, sorted.
    virtual Result<std::vector<std::string>> list() = 0;
    virtual Result<std::unique_ptr<ByteReader>> open(const std::string& path) = 0;  // not_found
    // Makes the file, or makes it anew, from pieces up to an empty one; synced with its directory.
    virtual Result<> write(const std::string& path, const std::function<Result<std::string>()>& next_piece) = 0;
};

}  // namespace entrepot
