#pragma once

#include "api/management/api_router.hpp"
#include "registry/tag_history.hpp"

namespace entrepot {

// The tags of a repository, now and as they were, and the way back. Beside Harbor's resources.
class TagHistoryApi {
public:
    TagHistoryApi(TagHistory& history, const AccessPolicy& policy) : history_{history}, policy_{policy} {}

    void add_to(ApiRouter& router);

private:
    Task<Response> list(ApiCall call);
    Task<Response> of_tag(ApiCall call);
    Task<Response> restore(ApiCall call);

    TagHistory& history_;
    const AccessPolicy& policy_;
};

}  // namespace entrepot
