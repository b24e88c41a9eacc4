#pragma once

#include "api/oci/call.hpp"
#include "core/clock.hpp"
#include "core/task.hpp"
#include "registry/browse.hpp"
#include "registry/push_manifest.hpp"

#include <cstddef>

namespace entrepot {

// PUT of manifests, DELETE of manifests, tags and blobs.
class OciWrites {
public:
    OciWrites(PushManifest& push, Browse& browse, const Clock& clock, std::size_t largest_manifest)
        : push_{push}, browse_{browse}, clock_{clock}, largest_manifest_{largest_manifest}
    {
    }

    Task<Response> put_manifest(OciCall call);
    Task<Response> delete_manifest(OciCall call);
    Task<Response> delete_blob(OciCall call);

private:
    Actor actor(const OciCall& call, Via via) const
    {
        return {
            .user_id = call.caller.identity->user_id,
            .at = clock_.now(),
            .via = call.home_epoch != 0 ? Via::replication : via,
            .home_epoch = call.home_epoch,
        };
    }

    PushManifest& push_;
    Browse& browse_;
    const Clock& clock_;
    std::size_t largest_manifest_;
};

}  // namespace entrepot
