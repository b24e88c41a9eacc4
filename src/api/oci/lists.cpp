#include "api/oci/lists.hpp"

#include "api/error_answer.hpp"
#include "api/oci/joined_pages.hpp"
#include "core/ascii.hpp"
#include "core/percent.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <functional>

namespace entrepot {
namespace {

namespace json = boost::json;

// Without `n` a client gets all of a usual repository at once, as it does elsewhere; Link leads on beyond.
constexpr std::int64_t usual_page = 1'000;
constexpr std::int64_t largest_page = 10'000;
constexpr std::int64_t referrers_page = 1'000;

Result<PageRequest> page_of(const Query& query, std::int64_t usual)
{
    PageRequest page{.limit = usual, .last = {}};
    TRY(page.last, query.plain("last"));
    if (const auto text = query.first("n")) {
        const auto number = parse_decimal(*text);
        if (!number) return fail(Errc::page_invalid, "n is not a number");
        page.limit = static_cast<std::int64_t>(std::min<std::uint64_t>(*number, largest_page));
    }
    return page;
}

void add_next(
    Response& response, std::string_view path, const PageRequest& page, std::string_view last, std::string_view rest
)
{
    auto target = std::string{path} + "?n=" + std::to_string(page.limit) + "&last=" + percent_encoded(last);
    target += rest;
    response.add("Link", "<" + target + ">; rel=\"next\"");
}

// {"<head>":…,"<list>":["a","b"]}: names need no escaping, their grammar has nothing to escape.
std::string name_list(std::string head, const std::vector<std::string>& names)
{
    std::size_t size = head.size() + 8;
    for (const auto& name : names) size += name.size() + 3;
    head.reserve(size);
    head += '[';
    for (const auto& name : names) {
        if (head.back() != '[') head += ',';
        head.append("\"").append(name).append("\"");
    }
    return head.append("]}");
}

Response json_response(std::string body)
{
    Response response;
    response.headers = "Content-Type: application/json\r\n";
    response.body = std::move(body);
    return response;
}

Response tags_response(const std::string& repository, const NamePage& tags, const PageRequest& page)
{
    auto response = json_response(name_list(R"({"name":")" + repository + R"(","tags":)", tags.names));
    if (tags.more && !tags.names.empty()) {
        add_next(response, "/v2/" + repository + "/tags/list", page, tags.names.back(), {});
    }
    return response;
}

json::object descriptor(const Referrer& referrer)
{
    json::object object{
        {"mediaType", referrer.media_type}, {"size", referrer.size}, {"digest", referrer.digest.text()}
    };
    if (!referrer.artifact_type.empty()) object["artifactType"] = referrer.artifact_type;
    if (!referrer.annotations.empty()) {
        json::object annotations;
        for (const auto& [key, value] : referrer.annotations) annotations[key] = value;
        object["annotations"] = std::move(annotations);
    }
    return object;
}

}  // namespace

std::optional<Response> OciLists::peek_tags(const Request& request, const RepositoryName& repository)
{
    if (is_proxied(repository)) return std::nullopt;
    const auto query = Query::of(request);
    if (!query) return std::nullopt;
    const auto page = page_of(*query, usual_page);
    if (!page) return std::nullopt;
    const auto tags = browse_.peek_tags(repository, *page);
    if (!tags) return std::nullopt;
    return tags_response(repository.text(), **tags, *page);
}

Task<Response> OciLists::tags(OciCall call)
{
    CO_TRY(const auto query, Query::of(call.request));
    CO_TRY(const auto page, page_of(query, usual_page));
    if (call.sources.empty()) {
        CO_TRY(const auto tags, co_await tags_of(call.repository, page));
        co_return tags_response(call.shown_name(), *tags, page);
    }
    CO_TRY(const auto tags, co_await tags_of_all(std::move(call.sources), call.repository, page));
    co_return tags_response(call.shown_name(), tags, page);
}

// name_unknown where none of them knows the repository.
Task<NamePage> OciLists::tags_of_all(std::vector<RepositoryName> sources, RepositoryName own, const PageRequest& page)
{
    JoinedPages<std::string> pages{page};
    std::optional<Error> unknown;
    bool found = false;
    sources.insert(sources.begin(), std::move(own));
    for (const auto& repository : sources) {
        const auto tags = co_await tags_of(repository, page);
        if (tags) {
            found = true;
            pages.add((*tags)->names, (*tags)->more, std::identity{});
            continue;
        }
        if (tags.error().code() != Errc::name_unknown) co_return std::unexpected{tags.error()};
        if (!unknown) unknown = tags.error();
    }
    if (!found) co_return std::unexpected{*std::move(unknown)};
    auto joined = pages.take();
    co_return NamePage{.names = std::move(joined.entries), .more = joined.more};
}

Task<NamePagePtr> OciLists::tags_of(const RepositoryName& repository, const PageRequest& page)
{
    if (is_proxied(repository)) {
        auto upstream = co_await proxy_->tags(repository, page);
        if (upstream) co_return *std::move(upstream);
    }
    co_return co_await browse_.tags(repository, page);
}

Task<ReferrerPage> OciLists::referrers_of(
    const RepositoryName& repository, const Digest& subject, const std::string& artifact_type, const PageRequest& page
)
{
    if (is_proxied(repository)) {
        auto upstream = co_await proxy_->referrers(repository, subject, artifact_type, page);
        if (upstream) co_return *std::move(upstream);
    }
    co_return co_await browse_.referrers(repository, subject, artifact_type, page);
}

Task<Response> OciLists::referrers(OciCall call)
{
    CO_TRY(auto subject, Digest::parse(call.last));
    CO_TRY(const auto query, Query::of(call.request));
    CO_TRY(const auto page, page_of(query, referrers_page));
    CO_TRY(const auto artifact_type, query.plain("artifactType"));
    CO_TRY(auto found, co_await referrers_of(call.repository, subject, artifact_type, page));
    if (!call.sources.empty()) {
        const auto digest_of = [](const Referrer& referrer) { return referrer.digest.text(); };
        JoinedPages<Referrer> pages{page};
        pages.add(std::move(found.referrers), found.more, digest_of);
        for (const auto& source : call.sources) {
            CO_TRY(auto there, co_await referrers_of(source, subject, artifact_type, page));
            pages.add(std::move(there.referrers), there.more, digest_of);
        }
        auto joined = pages.take();
        found = {.referrers = std::move(joined.entries), .more = joined.more};
    }

    json::array manifests;
    for (const auto& referrer : found.referrers) manifests.push_back(descriptor(referrer));
    auto response = json_response(json::serialize(
        json::object{{"schemaVersion", 2}, {"mediaType", media::oci_index}, {"manifests", std::move(manifests)}}
    ));
    response.headers.clear();
    response.add("Content-Type", media::oci_index);
    if (!artifact_type.empty()) response.add("OCI-Filters-Applied", "artifactType");
    if (found.more && !found.referrers.empty()) {
        const auto filter = artifact_type.empty() ? std::string{} : "&artifactType=" + percent_encoded(artifact_type);
        const auto path = "/v2/" + call.shown_name() + "/referrers/" + subject.text();
        add_next(response, path, page, found.referrers.back().digest.text(), filter);
    }
    co_return response;
}

Task<Response> OciLists::catalog(const Request& request, Caller caller)
{
    CO_TRY(const auto query, Query::of(request));
    CO_TRY(const auto page, page_of(query, usual_page));
    CO_TRY(const auto found, co_await browse_.repositories(caller, page));
    auto response = json_response(name_list(R"({"repositories":)", found.names));
    if (found.more && !found.names.empty()) add_next(response, "/v2/_catalog", page, found.names.back(), {});
    co_return response;
}

}  // namespace entrepot
