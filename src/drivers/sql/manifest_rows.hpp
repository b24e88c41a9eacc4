#pragma once

#include "drivers/sql/sql_session.hpp"
#include "ports/manifest_catalog.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace entrepot {

// The transactions behind ManifestCatalog, to be called inside one; the port's header says what each answers.

Result<ManifestPtr> load_manifest(SqlSession& session, const RepositoryName& repository, const Reference& reference);

// What commit_manifest() found: a digest that wasn't here, the same again, or the same under another media type.
enum class ManifestChange { added, repeated, retyped };
// With the id of a claim (project_budget.hpp) where one could be made beforehand: nullopt, having changed nothing, when
// it is needed and isn't there.
Result<std::optional<ManifestChange>>
commit_manifest(SqlSession& session, const NewManifest& manifest, std::string_view claim);

Result<>
remove_manifest(SqlSession& session, const RepositoryName& repository, const Reference& reference, const Actor& actor);

Result<NamePage> list_tags(SqlSession& session, const RepositoryName& repository, const PageRequest& page);
Result<NamePage> list_repositories(
    SqlSession& session, const std::optional<std::vector<std::int64_t>>& projects, const PageRequest& page
);
Result<std::vector<TagState>>
list_tag_states(SqlSession& session, const std::optional<std::vector<std::int64_t>>& projects, const TagRange& range);
Result<ReferrerPage> list_referrers(
    SqlSession& session,
    const RepositoryName& repository,
    const Digest& subject,
    const std::string& artifact_type,
    const PageRequest& page
);

}  // namespace entrepot
