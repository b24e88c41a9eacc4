#pragma once

#include "api/oci/call.hpp"
#include "api/oci/gate.hpp"
#include "core/clock.hpp"
#include "core/task.hpp"
#include "registry/mount_blob.hpp"
#include "registry/uploads.hpp"

#include <cstdint>

namespace entrepot {

// POST, PATCH, PUT, GET and DELETE of upload sessions (OCI distribution-spec, "Pushing blobs"), and mounts.
class UploadEndpoints {
public:
    // `least_chunk`: announced as OCI-Chunk-Min-Length when it is not 0; shorter chunks are taken all the same.
    UploadEndpoints(Uploads& uploads, MountBlob& mount, Gate& gate, const Clock& clock, std::uint64_t least_chunk)
        : uploads_{uploads}, mount_{mount}, gate_{gate}, clock_{clock}, least_chunk_{least_chunk}
    {
    }

    Task<Response> begin(OciCall call);
    Task<Response> append(OciCall call);
    Task<Response> finish(OciCall call);
    Task<Response> status(OciCall call);
    Task<Response> cancel(OciCall call);

private:
    Task<MountOutcome> mount(const OciCall& call, Digest digest, std::optional<std::string_view> from);
    Response ask_for_wider_token(const OciCall& call, const RepositoryName& source) const;
    Response at(unsigned status, const OciCall& call, const UploadId& id, std::uint64_t offset) const;

    Uploads& uploads_;
    MountBlob& mount_;
    Gate& gate_;
    const Clock& clock_;
    std::uint64_t least_chunk_;
};

}  // namespace entrepot
