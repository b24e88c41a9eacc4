#pragma once

#include "core/task.hpp"
#include "oci/names.hpp"
#include "ports/actor.hpp"
#include "ports/list_query.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace entrepot {

// An artifact that belongs to another one of the same repository.
struct AccessoryRecord {
    std::int64_t id = 0;
    std::int64_t subject_id = 0;  // 0: the subject is not here
    std::string subject_digest;
    std::string repository;
    std::string digest;
    std::string type;
    std::string icon;
    std::int64_t size = 0;
    Micros created_at = 0;
};

// One artifact as lists show it. Fields called …_json are JSON texts that the catalog keeps ready (Harbor API v2.0:
// extra_attrs, annotations, references, tags, labels), to be written out as they are.
struct ListedArtifact {
    std::int64_t id = 0;
    std::int64_t repository_id = 0;
    std::int64_t project_id = 0;
    std::string repository;
    std::string digest;
    std::string media_type;
    std::string config_media_type;
    std::string artifact_type;
    std::string type;
    std::string icon;
    std::int64_t size = 0;
    Micros pushed_at = 0;
    Micros pulled_at = 0;  // 0: never
    std::string accessory_type;
    std::string extra_json;
    std::string annotations_json;
    std::string references_json;
    std::string tags_json;
    std::string labels_json;
    std::vector<AccessoryRecord> accessories;  // where asked for
};

struct TagRecord {
    std::int64_t id = 0;
    std::int64_t repository_id = 0;
    std::int64_t artifact_id = 0;
    std::string name;
    Micros pushed_at = 0;
    Micros pulled_at = 0;
    bool immutable = false;
};

// What of an artifact is wanted besides its own fields.
struct ArtifactParts {
    bool tags = true;
    bool labels = false;
    bool accessories = false;
    bool immutable = false;  // whether its tags are; else they say false
};

// Artifacts as people manage them, beside ManifestCatalog, through which clients push and pull. Lists are in the order
// of pushing, the newest first, unless the query says otherwise; they hold what is tagged or in no index, and no
// accessories. What a changing method acknowledges is durable. Each may answer unavailable, lists bad_request, those
// that write storage_full, those that move or drop an immutable tag precondition_failed; name_unknown without the
// repository and manifest_unknown without the artifact.
class ArtifactCatalog {
public:
    virtual ~ArtifactCatalog() = default;

    virtual Task<ListPage<ListedArtifact>> of_repository(RepositoryName name, ListQuery query, ArtifactParts parts) = 0;
    // `latest_only`: of each repository only the newest.
    virtual Task<ListPage<ListedArtifact>>
    of_project(std::int64_t project_id, ListQuery query, ArtifactParts parts, bool latest_only) = 0;
    virtual Task<ListedArtifact> find(RepositoryName name, Reference reference, ArtifactParts parts) = 0;

    // With its tags, its accessories, and those children of an index that are neither tagged nor in another one.
    // precondition_failed while it is in an index itself.
    virtual Task<> remove(RepositoryName name, Reference reference, Actor actor) = 0;
    // Also its children, accessories and tags; answers its digest. conflict when it is there already.
    virtual Task<Digest> copy(RepositoryName from, Reference reference, RepositoryName into, Actor actor) = 0;

    virtual Task<ListPage<TagRecord>> tags(RepositoryName name, Reference reference, ListQuery query) = 0;
    virtual Task<> add_tag(RepositoryName name, Reference reference, Tag tag, Actor actor) = 0;  // conflict
    // not_found when that tag is not one of this artifact.
    virtual Task<> remove_tag(RepositoryName name, Reference reference, Tag tag, Actor actor) = 0;

    virtual Task<ListPage<AccessoryRecord>> accessories(RepositoryName name, Reference reference, ListQuery query) = 0;

    // A label of everybody or of the artifact's project: not_found; conflict when the artifact has it already.
    virtual Task<> add_label(RepositoryName name, Reference reference, std::int64_t label_id, Actor actor) = 0;
    virtual Task<> remove_label(RepositoryName name, Reference reference, std::int64_t label_id, Actor actor) = 0;
};

}  // namespace entrepot
