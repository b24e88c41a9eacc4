#include "cli/ctl_generic.hpp"
#include "cli/ctl_lookup.hpp"
#include "cli/ctl_tables.hpp"
#include "core/percent.hpp"

#include <fmt/format.h>

namespace entrepot {
namespace {

const CtlColumns repository_columns{
    {"NAME", "name"},
    {"ARTIFACTS", "artifact_count"},
    {"PULLS", "pull_count"},
    {"CHANGED", "update_time"},
    {"DESCRIPTION", "description"},
};
const CtlColumns artifact_columns{
    {"DIGEST", "digest"},
    {"TYPE", "type"},
    {"TAGS", "tags"},
    {"LABELS", "labels"},
    {"SIZE", "size", CtlFormat::bytes},
    {"PUSHED", "push_time"},
    {"PULLED", "pull_time"},
};
const CtlColumns artifact_card{
    {"DIGEST", "digest"},
    {"TYPE", "type"},
    {"MEDIA TYPE", "manifest_media_type"},
    {"ARTIFACT TYPE", "artifact_type"},
    {"TAGS", "tags"},
    {"LABELS", "labels"},
    {"SIZE", "size", CtlFormat::bytes},
    {"CONTAINS", "references"},
    {"ACCESSORIES", "accessories"},
    {"ANNOTATIONS", "annotations"},
    {"PUSHED", "push_time"},
    {"PULLED", "pull_time"},
};
const CtlColumns tag_columns{
    {"NAME", "name"},
    {"IMMUTABLE", "immutable"},
    {"PUSHED", "push_time"},
    {"PULLED", "pull_time"},
};
const CtlColumns label_columns{
    {"NAME", "name"},
    {"ID", "id"},
    {"SCOPE", "scope"},
    {"COLOUR", "color"},
    {"DESCRIPTION", "description"},
};

const CtlArgument repository{.name = "repository", .text = "PROJECT/REPOSITORY"};
const CtlArgument artifact{.name = "artifact", .text = "PROJECT/REPOSITORY:TAG or PROJECT/REPOSITORY@DIGEST"};
const CtlOption label_project{
    .name = "project", .value = "NAME", .text = "a label of this project; without it, of the platform"
};
constexpr std::string_view one_repository = "projects/{repository:project}/repositories/{repository:repository}";
constexpr std::string_view one_artifact =
    "projects/{artifact:project}/repositories/{artifact:repository}/artifacts/{artifact:reference}";

Result<int> copy(CtlRun& run)
{
    TRY(const auto from, parse_artifact_name(run.value("from")));
    if (from.reference.empty()) return fail(Errc::bad_request, "the first argument lacks a tag or a digest");
    const auto mark = from.reference.contains(':') ? '@' : ':';
    TRY(const auto path, run.path("projects/{to:project}/repositories/{to:repository}/artifacts"));
    const auto source = fmt::format("{}/{}{}{}", from.project, from.repository, mark, from.reference);
    TRY(auto* const api, run.api());
    TRY(const auto answer, api->call("POST", path + "?from=" + percent_encoded(source)));
    CHECK(run.print_change(answer, said_text(run, "{from}: copied to {to}")));
    return ctl_exit::success;
}

Result<int> create_label(CtlRun& run)
{
    TRY(auto body, run.body());
    body["scope"] = run.has("project") ? "p" : "g";
    if (run.has("project")) {
        TRY(auto* const api, run.api());
        TRY(const auto path, run.path("projects/{project}"));
        TRY(const auto project, api->get(path));
        const auto* id = project.is_object() ? find_field(project.as_object(), "project_id") : nullptr;
        if (id != nullptr) body["project_id"] = *id;
    }
    TRY(auto* const api, run.api());
    TRY(const auto answer, api->call("POST", "labels", body));
    CHECK(run.print_change(answer, said_text(run, "label {label}: created")));
    return ctl_exit::success;
}

// A label of the platform or, with --project, of that project; artifacts bear both.
Result<int> add_label(CtlRun& run)
{
    TRY(const auto id, ctl_lookup(run, "label", run.value("label")));
    TRY(const auto path, run.path(std::string{one_artifact} + "/labels"));
    TRY(auto* const api, run.api());
    TRY(const auto number, ctl_value({.name = "label", .kind = CtlValue::integer}, id, 0));
    CHECK(api->call("POST", path, boost::json::object{{"id", number}}));
    run.say(said_text(run, "{artifact}: has the label {label}"));
    return ctl_exit::success;
}

Result<int> list_labels(CtlRun& run)
{
    std::string path = "labels?scope=g";
    if (run.has("project")) {
        TRY(path, run.path("labels?scope=p&project_id={project:project_id}"));
    }
    CHECK(run.print_list(path, label_columns));
    return ctl_exit::success;
}

std::vector<CtlCommand> repositories()
{
    return {
        {.path = "repository list",
         .text = "lists repositories",
         .options = {{.name = "project", .value = "NAME", .text = "only this project's"}},
         .traits = ctl_listing,
         .run =
             [](CtlRun& run) {
                 const auto* path = run.has("project") ? "projects/{project}/repositories" : "repositories";
                 return list_of(path, repository_columns)(run);
             }},
        {.path = "repository show",
         .text = "shows a repository",
         .arguments = {repository},
         .traits = ctl_showing,
         .run = show_of(one_repository, repository_columns)},
        {.path = "repository rename",
         .text = "gives a repository another name; the old one leads to it from then on",
         .arguments = {repository, {.name = "to", .text = "its new name below the project", .field = "name"}},
         .options = {{.name = "project", .value = "NAME", .text = "the project that it goes to", .field = "project"}},
         .traits = ctl_showing,
         .run = send_to(
             "POST",
             "projects/{repository:project}/repositories/{repository:repository}/rename",
             "repository {repository}: is {to} now"
         ),
         .example = "entrepot ctl repository rename web/app shop --project retail"},
        {.path = "repository delete",
         .text = "deletes a repository and all that is in it",
         .arguments = {repository},
         .traits = ctl_deleting,
         .run = delete_at(
             one_repository, "the repository {repository} with all that is in it", "repository {repository}: deleted"
         )},
        {.path = "artifact list",
         .text = "lists a repository's artifacts",
         .arguments = {repository},
         .traits = ctl_listing,
         .run = list_of(
             "projects/{repository:project}/repositories/{repository:repository}/"
             "artifacts?with_tag=true&with_label=true",
             artifact_columns
         )},
        {.path = "artifact show",
         .text = "shows an artifact",
         .arguments = {artifact},
         .traits = ctl_showing,
         .run = show_of(
             std::string_view{
                 "projects/{artifact:project}/repositories/{artifact:repository}/artifacts/{artifact:reference}"
                 "?with_tag=true&with_label=true&with_accessory=true"
             },
             artifact_card
         )},
        {.path = "artifact delete",
         .text = "deletes an artifact with all its tags",
         .arguments = {artifact},
         .traits = ctl_deleting,
         .run = delete_at(one_artifact, "the artifact {artifact} with all its tags", "artifact {artifact}: deleted")},
        {.path = "artifact copy",
         .text = "copies an artifact to another repository; no bytes are moved",
         .arguments = {{.name = "from", .text = artifact.text}, {.name = "to", .text = repository.text}},
         .traits = ctl_showing,
         .run = copy,
         .example = "entrepot ctl artifact copy web/app:1 web/kept"},
    };
}

std::vector<CtlCommand> tags_and_labels()
{
    return {
        {.path = "tag list",
         .text = "lists an artifact's tags",
         .arguments = {artifact},
         .traits = ctl_listing,
         .run = list_of(
             "projects/{artifact:project}/repositories/{artifact:repository}/artifacts/{artifact:reference}/tags",
             tag_columns
         )},
        {.path = "tag add",
         .text = "gives an artifact another tag",
         .arguments = {artifact, {.name = "tag", .text = "the new tag", .field = "name"}},
         .traits = ctl_showing,
         .run = send_to(
             "POST",
             "projects/{artifact:project}/repositories/{artifact:repository}/artifacts/{artifact:reference}/tags",
             "{artifact}: has the tag {tag}"
         )},
        {.path = "tag remove",
         .text = "takes a tag away; the artifact stays",
         .arguments = {{.name = "artifact", .text = "PROJECT/REPOSITORY:TAG"}},
         .traits = ctl_deleting,
         .run = delete_at(
             "projects/{artifact:project}/repositories/{artifact:repository}/artifacts/{artifact:reference}/tags/"
             "{artifact:reference}",
             "the tag {artifact}",
             "{artifact}: the tag is gone"
         )},
        {.path = "label list",
         .text = "lists labels of the platform or of a project",
         .options = {label_project},
         .traits = ctl_listing,
         .run = list_labels},
        {.path = "label create",
         .text = "makes a label",
         .arguments = {{.name = "label", .text = "the new label's name", .field = "name"}},
         .options =
             {label_project,
              {.name = "color", .value = "#RRGGBB", .text = "its colour", .field = "color"},
              {.name = "description", .value = "TEXT", .text = "what it means", .field = "description"}},
         .traits = ctl_showing,
         .run = create_label},
        {.path = "label delete",
         .text = "deletes a label, also from all that bears it",
         .arguments = {{.name = "label", .text = "the label's name"}},
         .options = {label_project},
         .traits = ctl_deleting,
         .run = delete_at("labels/{label:label}", "the label {label}", "label {label}: deleted")},
        {.path = "label add",
         .text = "puts a label on an artifact",
         .arguments = {{.name = "label", .text = "the label's name"}, artifact},
         .options = {label_project},
         .traits = ctl_showing,
         .run = add_label},
        {.path = "label remove",
         .text = "takes a label off an artifact",
         .arguments = {{.name = "label", .text = "the label's name"}, artifact},
         .options = {label_project},
         .traits = ctl_deleting,
         .run = delete_at(
             "projects/{artifact:project}/repositories/{artifact:repository}/artifacts/{artifact:reference}/labels/"
             "{label:label}",
             "the label {label} from {artifact}",
             "{artifact}: has the label {label} no more"
         )},
    };
}

}  // namespace

std::vector<CtlCommand> artifact_commands()
{
    auto all = repositories();
    for (auto& command : tags_and_labels()) all.push_back(std::move(command));
    return all;
}

}  // namespace entrepot
