#pragma once

#include "core/clock.hpp"
#include "drivers/sql/sql_session.hpp"
#include "oci/artifact_view.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// The JSON texts that rows of artifacts keep ready for lists (Harbor API v2.0: Tag, Label, Reference).

// As long as every other time, so that a list can put the artifact's own in its place.
inline constexpr std::string_view never = "0001-01-01T00:00:00Z";

// A tag has no row number. Clients get one that follows from its repository and name, below 2^53 because many of them
// read numbers as floating point.
std::int64_t tag_id(std::int64_t repository_id, std::string_view name) noexcept;

struct TagText {
    std::string name;
    Micros pushed_at = 0;
};
void append_tag(std::string& text, std::int64_t repository_id, std::int64_t artifact_id, const TagText& tag);
std::string tags_text(std::int64_t repository_id, std::int64_t artifact_id, const std::vector<TagText>& tags);

// The same text with what `immutable` says of each tag.
std::string with_immutability(std::string_view tags_text, const std::function<bool(std::string_view)>& immutable);

// Rows of (id, name, description, color, scope, project_id, created_at, updated_at).
std::string labels_text(std::span<const SqlRow> labels);

// The entries of an index; `child_ids` in their order, 0 for a child that is not here.
std::string children_text(
    std::int64_t parent_id, const std::vector<ArtifactView::Child>& children, const std::vector<std::int64_t>& child_ids
);
// How the entry of a child begins there, so that a statement can replace its id.
std::string child_mark(std::string_view digest, std::int64_t child_id);

}  // namespace entrepot
