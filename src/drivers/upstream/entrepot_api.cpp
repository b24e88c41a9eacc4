#include "drivers/upstream/entrepot_api.hpp"

#include "core/percent.hpp"
#include "drivers/upstream/harbor.hpp"
#include "drivers/upstream/remote_problem.hpp"
#include "oci/json_fields.hpp"
#include "oci/names.hpp"

#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace entrepot::entrepot_api {
namespace {

namespace json = boost::json;

std::string query_of(const TagRange& range, bool in_short)
{
    auto query = "/tag-states?limit=" + std::to_string(range.limit);
    const auto add = [&](std::string_view name, std::string_view value) {
        if (!value.empty()) query.append("&").append(name).append("=").append(percent_encoded(value));
    };
    add("after_repository", range.after.repository);
    add("after_tag", range.after.tag);
    add("until_repository", range.until.repository);
    add("until_tag", range.until.tag);
    add("prefix", range.prefix);
    add("referrers", range.with_referrers ? "true" : "false");
    add("summary", in_short ? "true" : "false");
    return query;
}

std::unexpected<Error> no_such_answer(const std::string& url)
{
    return fail(Errc::unavailable, "the registry answers with something else than states of tags", url);
}

bool is_place(std::string_view repository, std::string_view tag)
{
    return RepositoryName::parse(repository).has_value() && Tag::parse(tag).has_value();
}

// Older ones have no such operation, or one without `last` and what came with it.
Task<json::object> ask(AdapterCalls site, TagRange range, bool in_short)
{
    auto call = harbor::api_call(site.calls, "GET", query_of(range, in_short));
    CO_TRY(const auto answer, co_await site.calls.send(std::move(call)));
    if (answer.status != 200) co_return std::unexpected{remote_error(answer, answer.body, Errc::unsupported)};
    auto object = parse_object(answer.body);
    if (!object) co_return no_such_answer(answer.url);
    if (!object->contains("last")) co_return fail(Errc::unsupported, "the registry is older than digests of ranges");
    co_return *std::move(object);
}

}  // namespace

Task<TagSummary> tag_summary(AdapterCalls site, TagRange range)
{
    CO_TRY(const auto object, co_await ask(site, range, true));
    const auto* tags = object.if_contains("tags");
    const auto* more = object.if_contains("more");
    const auto* last = object.at("last").if_object();
    const auto digest = Digest::parse(find_text(object, "digest"));
    const bool whole = tags != nullptr && tags->is_int64() && more != nullptr && more->is_bool() && last != nullptr;
    const bool in_bounds =
        whole && tags->get_int64() >= 0 && tags->get_int64() <= range.limit &&
        (tags->get_int64() == 0 || is_place(find_text(*last, "repository"), find_text(*last, "tag")));
    if (!in_bounds || !digest) co_return no_such_answer(site.endpoint.url);
    co_return TagSummary{
        .tags = tags->get_int64(),
        .more = more->get_bool(),
        .last = {std::string{find_text(*last, "repository")}, std::string{find_text(*last, "tag")}},
        .digest = *digest,
    };
}

Task<std::vector<TagState>> tag_states(AdapterCalls site, TagRange range)
{
    CO_TRY(const auto object, co_await ask(site, range, false));
    const auto* repositories = find_array(object, "repositories");
    if (repositories == nullptr) co_return no_such_answer(site.endpoint.url);
    std::vector<TagState> states;
    for (const auto& repository : *repositories) {
        const auto* tags = repository.is_object() ? find_array(repository.get_object(), "tags") : nullptr;
        if (tags == nullptr) co_return no_such_answer(site.endpoint.url);
        const auto name = find_text(repository.get_object(), "name");
        for (const auto& tag : *tags) {
            const bool fits = std::ssize(states) < range.limit && tag.is_object() &&
                              is_place(name, find_text(tag.get_object(), "name"));
            if (!fits) co_return no_such_answer(site.endpoint.url);
            CO_TRY(auto digest, Digest::parse(find_text(tag.get_object(), "digest")));
            TagState state{{std::string{name}, std::string{find_text(tag.get_object(), "name")}}, std::move(digest)};
            if (const auto referrers = Digest::parse(find_text(tag.get_object(), "referrers"))) {
                state.referrers = *referrers;
            }
            states.push_back(std::move(state));
        }
    }
    co_return states;
}

}  // namespace entrepot::entrepot_api
