#pragma once

#include "core/task.hpp"
#include "oci/digest.hpp"
#include "oci/names.hpp"
#include "ports/actor.hpp"
#include "ports/list_query.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace entrepot {

// One change of a tag, or the state that it is in since then. Digests are texts as they are stored.
struct TagChange {
    std::int64_t id = 0;
    std::string tag;
    std::string digest;    // empty: it was deleted
    std::string previous;  // empty: there was no such tag
    Micros at = 0;
    std::int64_t user_id = 0;
    std::string user_name;   // empty when the user is gone, or it was the system
    std::string how;         // text_of(Via)
    bool available = false;  // the digest is in the repository now
};

// What the tags of a repository pointed at, and when. Each change of a tag adds to it in the transaction of the change.
// Lists take offset and limit of a query alone. name_unknown without the repository; unavailable.
class TagHistoryCatalog {
public:
    using Moment = std::variant<Digest, Micros>;

    virtual ~TagHistoryCatalog() = default;

    virtual Task<ListPage<TagChange>> of_tag(RepositoryName repository, Tag tag, ListQuery query) = 0;  // newest first
    // The tags as they were then, in the order of names.
    virtual Task<ListPage<TagChange>> at(RepositoryName repository, Micros time, ListQuery query) = 0;
    // Points the tag at what it pointed at before: at that digest, or at what it had at that time. Answers the digest.
    // not_found when its history knows no such thing, manifest_unknown when that is no longer here,
    // precondition_failed for an immutable tag that is elsewhere now.
    virtual Task<Digest> restore(RepositoryName repository, Tag tag, Moment moment, Actor actor) = 0;
    // Forgets states that ended before; at most `limit` of them. Answers how many.
    virtual Task<std::int64_t> forget_before(Micros time, std::int64_t limit) = 0;
};

}  // namespace entrepot
