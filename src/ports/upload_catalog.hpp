#pragma once

#include "core/task.hpp"
#include "oci/names.hpp"
#include "ports/actor.hpp"
#include "ports/blob_store.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace entrepot {

// One upload session. `fence` grows each time a request takes the session over; only the latest holder may write.
struct UploadSession {
    UploadId id;
    RepositoryName repository;
    DigestAlgorithm algorithm = DigestAlgorithm::sha256;
    std::uint64_t offset = 0;
    std::string hash_state{};
    std::int64_t fence = 0;
    std::int64_t user_id = 0;
    Micros started_at = 0;
    Micros touched_at = 0;
    std::int64_t sweeps = 0;  // BlobLook's, when the session was read
};

// Upload sessions. What these methods acknowledge survives kill -9 of this process; after a power loss a session may
// stand lower or be gone (specified so: none of it is an acknowledged blob). unavailable from each.
class UploadCatalog {
public:
    virtual ~UploadCatalog() = default;

    // Creates repository and session. name_unknown when the project does not exist; too_many_requests when `user_id`
    // already has `most_of_user` sessions.
    virtual Task<> begin(UploadSession session, std::int64_t most_of_user) = 0;
    // upload_unknown, also when the session belongs to another repository.
    virtual Task<UploadSession> find(RepositoryName repository, UploadId id) = 0;
    // The same, and raises the fence: earlier holders can no longer advance() it. Claims what the upload will hold with
    // `incoming` further bytes (0: unknown) on the project's quota until it ends, unless the project holds the blob
    // already that it `becomes`: quota_exceeded.
    virtual Task<UploadSession>
    take(RepositoryName repository, UploadId id, std::uint64_t incoming, std::optional<Digest> becomes, Micros now) = 0;
    // upload_unknown when the session is gone, conflict when `fence` is not the latest, quota_exceeded.
    virtual Task<>
    advance(UploadId id, std::int64_t fence, std::uint64_t offset, std::string hash_state, Micros now) = 0;
    // upload_unknown.
    virtual Task<> cancel(RepositoryName repository, UploadId id) = 0;
    // At most `limit` sessions not touched since `before`, for cleaning; and their removal whatever repository.
    virtual Task<std::vector<UploadSession>> untouched_since(Micros before, std::int64_t limit) = 0;
    virtual Task<> forget(UploadId id) = 0;
};

}  // namespace entrepot
