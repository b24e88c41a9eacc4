#pragma once

#include "core/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace entrepot {

class CtlApi;
class CtlRun;

// What the API calls an object that people call by its name, ready for a path. `what` is one of user, tenant_user,
// team, group, role, member, robot, token, label, webhook, quota, tenant_id, project_id; or of the words
// "project/repository:tag" and "project/repository@digest" the part project, repository, reference. not_found,
// bad_request.
Result<std::string> ctl_lookup(CtlRun& run, std::string_view what, std::string_view text);

// "library/sub/app:1" taken apart.
struct CtlArtifactName {
    std::string project;
    std::string repository;  // below the project
    std::string reference;   // a tag or a digest; empty where none is given
};
Result<CtlArtifactName> parse_artifact_name(std::string_view text);  // bad_request

// The id of the list's entry whose `field` is exactly `name`; not_found says "there is no NOUN NAME".
Result<std::int64_t> find_entry(
    CtlApi& api,
    const std::string& list,
    std::string_view field,
    std::string_view name,
    std::string_view id,
    std::string_view noun
);
// A query parameter's value that asks for exactly this: `q=field=name`, encoded.
std::string exact_query(std::string_view field, std::string_view name);

}  // namespace entrepot
