#include "api/management/tag_lifetimes_api.hpp"

#include "api/management/api_values.hpp"
#include "api/management/project_of.hpp"
#include "api/management/repository_of_call.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace entrepot {
namespace {

namespace json = boost::json;

constexpr std::int64_t longest_use = 31LL * 86'400;
constexpr std::size_t longest_source = 64;

json::object expiry_json(const Tag& tag, Micros at)
{
    return {{"tag", tag.text()}, {"expires_at", at == 0 ? json::value(nullptr) : json::value(rfc3339(at))}};
}

json::object image_json(const ImageInUse& image)
{
    const auto& name = image.repository.text();
    return {
        {"source", image.source},
        {"image", name.substr(name.find('/') + 1) + (image.reference.digest() ? "@" : ":") + image.reference.text()},
        {"until", rfc3339(image.until)},
    };
}

Result<Tag> tag_of(const std::string& text)
{
    auto tag = Tag::parse(text);
    // Nothing has such a name.
    if (!tag) return fail(Errc::not_found, "there is no such tag");
    return tag;
}

Result<std::string> source_of(const std::string& text)
{
    if (text.size() <= longest_source && ProjectName::parse(text)) return text;
    return fail(Errc::bad_request, "a source has a name of at most 64 characters, such as cluster-a");
}

// "app:v1" or "team/app@sha256:…", below the project.
Result<ImageInUse> image_of(const std::string& project, const std::string& source, std::string_view text, Micros until)
{
    auto end = text.find('@');
    if (end == std::string_view::npos) end = text.rfind(':');
    const auto rest = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    auto name = RepositoryName::parse(project + "/" + std::string{text.substr(0, end)});
    auto reference = Reference::parse(rest);
    if (!name || !reference || (text[end] == '@') != (reference->digest() != nullptr)) {
        return fail(
            Errc::bad_request,
            "\"" + std::string{text} + "\" is no image of the project: repository:tag or repository@digest"
        );
    }
    return ImageInUse{source, *std::move(name), *std::move(reference), until};
}

}  // namespace

void TagLifetimesApi::add_to(ApiRouter& router)
{
    constexpr auto expiry = "projects/{project_name}/repositories/{repository_name}/tags/{tag_name}/expiry";
    router.get(expiry, [this](ApiCall call) { return read_expiry(std::move(call)); });
    router.put(expiry, [this](ApiCall call) { return set_expiry(std::move(call)); });
    router.get("projects/{project_name_or_id}/in-use", [this](ApiCall call) { return list_in_use(std::move(call)); });
    router.put("projects/{project_name_or_id}/in-use/{source}", [this](ApiCall call) {
        return set_in_use(std::move(call));
    });
}

Task<Response> TagLifetimesApi::read_expiry(ApiCall call)
{
    CO_TRY(auto name, repository_of_call(call, policy_));
    CO_TRY(const auto tag, tag_of(call.path.at(2)));
    CO_TRY(const auto at, co_await lifetimes_.expiry(call.caller, std::move(name), tag));
    co_return json_response(expiry_json(tag, at));
}

Task<Response> TagLifetimesApi::set_expiry(ApiCall call)
{
    CO_TRY(const auto name, repository_of_call(call, policy_));
    CO_TRY(const auto tag, tag_of(call.path.at(2)));
    note_subject(call, policy_, "tag", name.text() + ":" + tag.text());
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(const auto text, body.optional_text("expires_at"));
    const auto at = text ? parse_time(*text) : std::optional<Micros>{0};
    if (!at || (text && *at <= clock_.now())) {
        co_return fail(Errc::bad_request, "\"expires_at\" is no time to come, nor null");
    }
    if (call.audit) call.audit->after = json::serialize(expiry_json(tag, *at));
    CO_CHECK(co_await lifetimes_.set_expiry(call.caller, name, tag, *at));
    co_return Response{};
}

Task<Response> TagLifetimesApi::list_in_use(ApiCall call)
{
    CO_TRY(const auto project, project_of(call, policy_, call.path.at(0)));
    CO_TRY(const auto query, list_query_of(call.query));
    CO_TRY(const auto page, co_await lifetimes_.in_use(call.caller, project->id, query));
    json::array listed;
    for (const auto& image : page.items) listed.push_back(image_json(image));
    co_return list_response(call.request, std::move(listed), query, page.total);
}

Task<Response> TagLifetimesApi::set_in_use(ApiCall call)
{
    CO_TRY(const auto project, project_of(call, policy_, call.path.at(0)));
    CO_TRY(auto source, source_of(call.path.at(1)));
    note_subject(call, policy_, "in-use", project->name + "/" + source);
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(const auto seconds, body.optional_integer("expires_in"));
    const auto lasts = seconds.value_or(3600);
    if (lasts < 1 || lasts > longest_use) {
        co_return fail(Errc::bad_request, "\"expires_in\" is from 1 second to 31 days");
    }
    CO_TRY(const auto texts, body.texts("images"));
    std::vector<ImageInUse> images;
    for (const auto& text : texts) {
        CO_TRY(auto image, image_of(project->name, source, text, clock_.now() + lasts * 1'000'000));
        images.push_back(std::move(image));
    }
    CO_CHECK(co_await lifetimes_.use(call.caller, project->id, std::move(source), std::move(images)));
    co_return Response{};
}

}  // namespace entrepot
