#include "api/management/artifact_json.hpp"

#include "api/management/json_append.hpp"
#include "core/percent.hpp"
#include "registry/additions.hpp"
#include "registry/icons.hpp"

namespace entrepot {
namespace {

constexpr std::string_view pull_time_field = R"("pull_time":")";

// A kept text, or null where there is nothing in it: Harbor's clients tell untagged artifacts by `tags == null`.
void append_kept(std::string& out, std::string_view name, std::string_view json)
{
    append_name(out, name);
    out += json.empty() || json == "[]" ? std::string_view{"null"} : json;
}

// Pulls are counted by artifact: each of its tags shows its time in the place of none.
void append_tags(std::string& out, const ListedArtifact& artifact)
{
    const auto start = out.size();
    append_kept(out, "tags", artifact.tags_json);
    if (artifact.pulled_at == 0) return;
    const auto time = rfc3339(artifact.pulled_at);
    if (time.size() != no_time.size()) return;
    for (auto at = out.find(pull_time_field, start); at != std::string::npos; at = out.find(pull_time_field, at)) {
        at += pull_time_field.size();
        out.replace(at, no_time.size(), time);
    }
}

void append_accessory(std::string& out, const AccessoryRecord& accessory)
{
    out += '{';
    append_field(out, "id", accessory.id);
    append_field(out, "artifact_id", accessory.id);
    append_field(out, "subject_artifact_id", accessory.subject_id);
    append_field(out, "subject_artifact_digest", accessory.subject_digest);
    append_field(out, "subject_artifact_repo", accessory.repository);
    append_field(out, "size", accessory.size);
    append_field(out, "digest", accessory.digest);
    append_field(out, "type", accessory.type);
    append_field(out, "icon", accessory.icon);
    append_time(out, "creation_time", accessory.created_at);
    out += '}';
}

void append_addition_links(std::string& out, const ListedArtifact& artifact)
{
    append_name(out, "addition_links");
    out += '{';
    // An index has no config, and so none of these.
    const auto names =
        artifact.config_media_type.empty() ? std::vector<std::string_view>{} : Additions::names_for(artifact.type);
    if (names.empty()) {
        out += '}';
        return;
    }
    const std::string_view full = artifact.repository;
    const auto slash = full.find('/');
    std::string base =
        R"({"absolute":false,"href":"/api/v2.0/projects/)" + std::string{full.substr(0, slash)} + "/repositories/";
    // Twice, as clients send it.
    if (slash != std::string_view::npos) base += percent_encoded(percent_encoded(full.substr(slash + 1)));
    base += "/artifacts/" + artifact.digest + "/additions/";
    for (const auto name : names) {
        append_name(out, name);
        out.append(base).append(name).append("\"}");
    }
    out += '}';
}

void append_artifact(std::string& out, const ListedArtifact& artifact)
{
    out += '{';
    append_field(out, "id", artifact.id);
    append_field(out, "type", artifact.type);
    append_field(out, "media_type", artifact.config_media_type);
    append_field(out, "manifest_media_type", artifact.media_type);
    append_field(out, "artifact_type", artifact.artifact_type);
    append_field(out, "project_id", artifact.project_id);
    append_field(out, "repository_id", artifact.repository_id);
    append_field(out, "repository_name", artifact.repository);
    append_field(out, "digest", artifact.digest);
    append_field(out, "size", artifact.size);
    append_field(out, "icon", artifact.icon.empty() ? builtin_icon(artifact.type).digest : artifact.icon);
    append_time(out, "push_time", artifact.pushed_at);
    append_time(out, "pull_time", artifact.pulled_at);
    append_name(out, "extra_attrs");
    out += artifact.extra_json;
    if (artifact.annotations_json != "{}") {
        append_name(out, "annotations");
        out += artifact.annotations_json;
    }
    append_kept(out, "references", artifact.references_json);
    append_tags(out, artifact);
    append_addition_links(out, artifact);
    append_kept(out, "labels", artifact.labels_json);
    append_name(out, "accessories");
    out += artifact.accessories.empty() ? "null" : to_json(artifact.accessories);
    out += '}';
}

void append_repository(std::string& out, const RepositoryRecord& repository)
{
    out += '{';
    append_field(out, "id", repository.id);
    append_field(out, "project_id", repository.project_id);
    append_field(out, "name", repository.name);
    append_field(out, "description", repository.description);
    append_field(out, "artifact_count", repository.artifact_count);
    append_field(out, "pull_count", repository.pull_count);
    append_time(out, "creation_time", repository.created_at);
    append_time(out, "update_time", repository.updated_at);
    out += '}';
}

void append_tag_record(std::string& out, const TagRecord& tag)
{
    out += '{';
    append_field(out, "id", tag.id);
    append_field(out, "repository_id", tag.repository_id);
    append_field(out, "artifact_id", tag.artifact_id);
    append_field(out, "name", tag.name);
    append_time(out, "push_time", tag.pushed_at);
    append_time(out, "pull_time", tag.pulled_at);
    append_flag(out, "immutable", tag.immutable);
    out += '}';
}

std::size_t weight_of(const ListedArtifact& artifact)
{
    return 1200 + artifact.extra_json.size() + artifact.annotations_json.size() + artifact.references_json.size() +
           artifact.tags_json.size() + artifact.labels_json.size() + artifact.accessories.size() * 400;
}

}  // namespace

std::string to_json(const RepositoryRecord& repository)
{
    std::string out;
    append_repository(out, repository);
    return out;
}

std::string to_json(const ListedArtifact& artifact)
{
    std::string out;
    append_artifact(out, artifact);
    return out;
}

std::string to_json(const std::vector<RepositoryRecord>& repositories)
{
    return json_list(repositories, repositories.size() * 300, append_repository);
}

std::string to_json(const std::vector<ListedArtifact>& artifacts)
{
    std::size_t size = 0;
    for (const auto& artifact : artifacts) size += weight_of(artifact);
    return json_list(artifacts, size, append_artifact);
}

std::string to_json(const std::vector<TagRecord>& tags)
{
    return json_list(tags, tags.size() * 250, append_tag_record);
}

std::string to_json(const std::vector<AccessoryRecord>& accessories)
{
    return json_list(accessories, accessories.size() * 500, append_accessory);
}

}  // namespace entrepot
