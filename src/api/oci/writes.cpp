#include "api/oci/writes.hpp"

#include <algorithm>

namespace entrepot {
namespace {

// distribution-spec after 1.1 asks for at least 10 tags a push.
constexpr std::size_t most_tags = 64;

// Absent where the request has no Content-Type: the manifest says it itself then.
Result<std::optional<MediaType>> media_type_of(const Request& request)
{
    const auto value = request.header("content-type");
    if (!value || value->empty()) return std::optional<MediaType>{};
    TRY(auto type, MediaType::of_content_type(*value));
    return std::optional{std::move(type)};
}

Result<std::vector<Tag>> tags_of(const Request& request)
{
    TRY(const auto query, Query::of(request));
    const auto texts = query.all("tag");
    if (texts.size() > most_tags) {
        return fail(Errc::too_many_tags, "at most " + std::to_string(most_tags) + " tags can be given at once");
    }
    std::vector<Tag> tags;
    for (const auto text : texts) {
        TRY(auto tag, Tag::parse(text));
        if (std::ranges::find(tags, tag) == tags.end()) tags.push_back(std::move(tag));
    }
    return tags;
}

// As a header's quoted text.
std::string quotable(std::string text)
{
    constexpr std::size_t longest = 500;
    if (text.size() > longest) text.resize(longest);
    std::ranges::replace_if(text, [](char c) { return c < ' ' || c > '~' || c == '"' || c == '\\'; }, '\'');
    return text;
}

Response accepted()
{
    Response response;
    response.status = 202;
    return response;
}

}  // namespace

Task<Response> OciWrites::put_manifest(OciCall call)
{
    CO_TRY(auto reference, Reference::parse(call.last));
    CO_TRY(auto media_type, media_type_of(call.request));
    CO_TRY(auto tags, tags_of(call.request));
    if (reference.tag() != nullptr && !tags.empty()) {
        co_return fail(Errc::bad_request, "the tag parameter goes with a push by digest");
    }
    auto bytes = co_await read_all(call.body, largest_manifest_);
    if (!bytes && bytes.error().code() == Errc::payload_too_large) {
        co_return fail(
            Errc::manifest_too_large, "the manifest is larger than " + std::to_string(largest_manifest_) + " bytes"
        );
    }
    if (!bytes) co_return std::unexpected{bytes.error()};

    ManifestPush push{
        .repository = call.repository,
        .reference = std::move(reference),
        .extra_tags = std::move(tags),
        .media_type = std::move(media_type),
        .bytes = *std::move(bytes),
        .caller = call.caller,
        .actor = actor(call, Via::push),
    };
    CO_TRY(const auto pushed, co_await push_(std::move(push)));

    Response response;
    response.status = 201;
    response.add("Location", "/v2/" + call.repository.text() + "/manifests/" + pushed.digest.text());
    response.add("Docker-Content-Digest", pushed.digest.text());
    if (pushed.subject) response.add("OCI-Subject", pushed.subject->text());
    for (const auto& tag : pushed.tags) response.add("OCI-Tag", tag.text());
    if (!pushed.warning.empty()) response.add("Warning", "199 - \"" + quotable(pushed.warning) + "\"");
    if (pushed.missing_children > 0) {
        response.add(
            "Warning",
            "299 - \"" + std::to_string(pushed.missing_children) +
                " of the manifests that this index lists are not in the repository\""
        );
    }
    co_return response;
}

Task<Response> OciWrites::delete_manifest(OciCall call)
{
    CO_TRY(auto reference, Reference::parse(call.last));
    CO_CHECK(co_await browse_.remove_manifest(call.repository, std::move(reference), actor(call, Via::client_delete)));
    co_return accepted();
}

Task<Response> OciWrites::delete_blob(OciCall call)
{
    CO_TRY(auto digest, Digest::parse(call.last));
    CO_CHECK(co_await browse_.remove_blob(call.repository, std::move(digest), actor(call, Via::client_delete)));
    co_return accepted();
}

}  // namespace entrepot
