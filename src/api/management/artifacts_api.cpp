#include "api/management/artifacts_api.hpp"

#include "api/management/api_values.hpp"
#include "api/management/artifact_json.hpp"
#include "api/management/repository_of_call.hpp"

namespace entrepot {
namespace {

Result<bool> flag(const Query& query, std::string_view name, bool otherwise)
{
    const auto text = query.first(name).value_or("");
    if (text.empty()) return otherwise;
    if (text == "true" || text == "1") return true;
    if (text == "false" || text == "0") return false;
    return fail(Errc::bad_request, std::string{name} + " is neither true nor false");
}

Result<ArtifactParts> parts_of(const Query& query)
{
    ArtifactParts parts;
    TRY(parts.tags, flag(query, "with_tag", true));
    TRY(parts.labels, flag(query, "with_label", false));
    TRY(parts.accessories, flag(query, "with_accessory", false));
    TRY(parts.immutable, flag(query, "with_immutable_status", false));
    return parts;
}

// "project/repository:tag" or "project/repository@sha256:…"
struct CopySource {
    RepositoryName repository;
    Reference reference;
};
Result<CopySource> copy_source_of(std::string_view text)
{
    auto end = text.find('@');
    if (end == std::string_view::npos) end = text.rfind(':');
    if (end == std::string_view::npos) {
        return fail(Errc::bad_request, "from is not of the form project/repository:tag or project/repository@digest");
    }
    const bool by_digest = text[end] == '@';
    auto repository = RepositoryName::parse(text.substr(0, end));
    auto reference = Reference::parse(text.substr(end + 1));
    if (!repository || !reference || by_digest != (reference->digest() != nullptr)) {
        return fail(Errc::bad_request, "from is not of the form project/repository:tag or project/repository@digest");
    }
    return CopySource{*std::move(repository), *std::move(reference)};
}

std::string address_of(const ApiCall& call, std::string_view rest)
{
    std::string path{call.request.path};
    if (path.ends_with('/')) path.pop_back();
    return path.append("/").append(rest);
}

}  // namespace

void ArtifactsApi::add_to(ApiRouter& router)
{
    constexpr auto all = "projects/{project_name}/repositories/{repository_name}/artifacts";
    constexpr auto one = "projects/{project_name}/repositories/{repository_name}/artifacts/{reference}";
    constexpr auto tags = "projects/{project_name}/repositories/{repository_name}/artifacts/{reference}/tags";
    constexpr auto one_tag =
        "projects/{project_name}/repositories/{repository_name}/artifacts/{reference}/tags/{tag_name}";
    constexpr auto accessories =
        "projects/{project_name}/repositories/{repository_name}/artifacts/{reference}/accessories";
    constexpr auto labels = "projects/{project_name}/repositories/{repository_name}/artifacts/{reference}/labels";
    constexpr auto one_label =
        "projects/{project_name}/repositories/{repository_name}/artifacts/{reference}/labels/{label_id}";
    constexpr auto anyone = ApiAudience::anyone;
    router.get(
        "projects/{project_name}/artifacts", [this](ApiCall call) { return list_of_project(std::move(call)); }, anyone
    );
    router.get(all, [this](ApiCall call) { return list(std::move(call)); }, anyone);
    router.post(all, [this](ApiCall call) { return copy(std::move(call)); });
    router.get(one, [this](ApiCall call) { return get(std::move(call)); }, anyone);
    router.del(one, [this](ApiCall call) { return remove(std::move(call)); });
    router.get(tags, [this](ApiCall call) { return list_tags(std::move(call)); }, anyone);
    router.post(tags, [this](ApiCall call) { return add_tag(std::move(call)); });
    router.del(one_tag, [this](ApiCall call) { return remove_tag(std::move(call)); });
    router.get(accessories, [this](ApiCall call) { return list_accessories(std::move(call)); }, anyone);
    router.post(labels, [this](ApiCall call) { return add_label(std::move(call)); });
    router.del(one_label, [this](ApiCall call) { return remove_label(std::move(call)); });
}

Task<Response> ArtifactsApi::list_of_project(ApiCall call)
{
    CO_TRY(const auto project, project_of_call(call, policy_));
    CO_TRY(const auto query, list_query_of(call.query));
    CO_TRY(const auto parts, parts_of(call.query));
    CO_TRY(const bool latest_only, flag(call.query, "latest_in_repository", false));
    CO_TRY(const auto page, co_await artifacts_.of_project(call.caller, project->id, query, parts, latest_only));
    co_return list_response(call.request, to_json(page.items), query, page.total);
}

Task<Response> ArtifactsApi::list(ApiCall call)
{
    CO_TRY(auto name, repository_of_call(call, policy_));
    CO_TRY(const auto query, list_query_of(call.query));
    CO_TRY(const auto parts, parts_of(call.query));
    CO_TRY(const auto page, co_await artifacts_.of_repository(call.caller, std::move(name), query, parts));
    co_return list_response(call.request, to_json(page.items), query, page.total);
}

Task<Response> ArtifactsApi::copy(ApiCall call)
{
    CO_TRY(const auto into, repository_of_call(call, policy_));
    CO_TRY(const auto from, copy_source_of(call.query.first("from").value_or("")));
    note_subject(call, policy_, "artifact", into.text());
    CO_TRY(const auto digest, co_await artifacts_.copy(call.caller, from.repository, from.reference, into));
    if (call.audit) call.audit->resource = into.text() + "@" + digest.text();
    co_return created_response(address_of(call, digest.text()));
}

Task<Response> ArtifactsApi::get(ApiCall call)
{
    CO_TRY(auto name, repository_of_call(call, policy_));
    CO_TRY(auto reference, reference_of(call.path.at(2)));
    CO_TRY(const auto parts, parts_of(call.query));
    CO_TRY(const auto artifact, co_await artifacts_.find(call.caller, std::move(name), std::move(reference), parts));
    co_return json_text(to_json(artifact));
}

Task<Response> ArtifactsApi::remove(ApiCall call)
{
    CO_TRY(const auto name, repository_of_call(call, policy_));
    CO_TRY(const auto reference, reference_of(call.path.at(2)));
    note_subject(call, policy_, "artifact", name_of(name, reference));
    CO_CHECK(co_await artifacts_.remove(call.caller, name, reference));
    co_return Response{};
}

Task<Response> ArtifactsApi::list_tags(ApiCall call)
{
    CO_TRY(auto name, repository_of_call(call, policy_));
    CO_TRY(auto reference, reference_of(call.path.at(2)));
    CO_TRY(const auto query, list_query_of(call.query));
    CO_TRY(const auto page, co_await artifacts_.tags(call.caller, std::move(name), std::move(reference), query));
    co_return list_response(call.request, to_json(page.items), query, page.total);
}

Task<Response> ArtifactsApi::add_tag(ApiCall call)
{
    CO_TRY(const auto name, repository_of_call(call, policy_));
    CO_TRY(const auto reference, reference_of(call.path.at(2)));
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(const auto text, body.text("name"));
    auto tag = Tag::parse(text);
    if (!tag) co_return fail(Errc::bad_request, "\"" + text + "\" is no tag");
    note_subject(call, policy_, "tag", name.text() + ":" + text);
    CO_CHECK(co_await artifacts_.add_tag(call.caller, name, reference, *std::move(tag)));
    co_return created_response(address_of(call, text));
}

Task<Response> ArtifactsApi::remove_tag(ApiCall call)
{
    CO_TRY(const auto name, repository_of_call(call, policy_));
    CO_TRY(const auto reference, reference_of(call.path.at(2)));
    auto tag = Tag::parse(call.path.at(3));
    if (!tag) co_return fail(Errc::not_found, "there is no such tag");
    note_subject(call, policy_, "tag", name.text() + ":" + tag->text());
    CO_CHECK(co_await artifacts_.remove_tag(call.caller, name, reference, *std::move(tag)));
    co_return Response{};
}

Task<Response> ArtifactsApi::list_accessories(ApiCall call)
{
    CO_TRY(auto name, repository_of_call(call, policy_));
    CO_TRY(auto reference, reference_of(call.path.at(2)));
    CO_TRY(const auto query, list_query_of(call.query));
    CO_TRY(const auto page, co_await artifacts_.accessories(call.caller, std::move(name), std::move(reference), query));
    co_return list_response(call.request, to_json(page.items), query, page.total);
}

Task<Response> ArtifactsApi::add_label(ApiCall call)
{
    CO_TRY(const auto name, repository_of_call(call, policy_));
    CO_TRY(const auto reference, reference_of(call.path.at(2)));
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(const auto id, body.optional_integer("id"));
    if (!id || *id <= 0) co_return fail(Errc::bad_request, "\"id\" names no label");
    note_subject(call, policy_, "artifact", name_of(name, reference));
    if (call.audit) call.audit->after = R"({"label_id":)" + std::to_string(*id) + "}";
    CO_CHECK(co_await artifacts_.add_label(call.caller, name, reference, *id));
    co_return Response{};
}

Task<Response> ArtifactsApi::remove_label(ApiCall call)
{
    CO_TRY(const auto name, repository_of_call(call, policy_));
    CO_TRY(const auto reference, reference_of(call.path.at(2)));
    CO_TRY(const auto id, parse_id(call.path.at(3)));
    note_subject(call, policy_, "artifact", name_of(name, reference));
    if (call.audit) call.audit->before = R"({"label_id":)" + std::to_string(id) + "}";
    CO_CHECK(co_await artifacts_.remove_label(call.caller, name, reference, id));
    co_return Response{};
}

}  // namespace entrepot
