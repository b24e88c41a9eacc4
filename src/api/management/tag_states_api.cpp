#include "api/management/tag_states_api.hpp"

#include "api/management/api_values.hpp"

#include <boost/json/array.hpp>

#include <charconv>

namespace entrepot {
namespace {

namespace json = boost::json;

constexpr std::int64_t usual_limit = 1'000;
constexpr std::int64_t most_at_once = 10'000;

Result<std::int64_t> limit_of(const Query& query)
{
    const auto text = query.first("limit");
    if (!text) return usual_limit;
    std::int64_t limit = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), limit);
    if (error != std::errc{} || end != text->data() + text->size() || limit < 1 || limit > most_at_once) {
        return fail(Errc::bad_request, "limit has to be a number from 1 to " + std::to_string(most_at_once));
    }
    return limit;
}

Result<bool> flag_of(const Query& query, std::string_view name, std::string_view otherwise)
{
    const auto text = query.first(name).value_or(otherwise);
    if (text == "true" || text == "false") return text == "true";
    return fail(Errc::bad_request, std::string{name} + " is true or false");
}

TagPlace place_of(const Query& query, std::string_view repository, std::string_view tag)
{
    return {std::string{query.first(repository).value_or("")}, std::string{query.first(tag).value_or("")}};
}

Result<TagRange> range_of(const Query& query)
{
    TagRange range;
    range.after = place_of(query, "after_repository", "after_tag");
    range.until = place_of(query, "until_repository", "until_tag");
    TRY(range.limit, limit_of(query));
    range.prefix = query.first("prefix").value_or("");
    TRY(range.with_referrers, flag_of(query, "referrers", "true"));
    if (!range.until.repository.empty() && range.until < range.after) {
        return fail(Errc::bad_request, "the range ends before it begins");
    }
    return range;
}

json::array to_json(const std::vector<TagState>& states)
{
    json::array repositories;
    const std::string* repository = nullptr;
    for (const auto& state : states) {
        if (repository == nullptr || *repository != state.place.repository) {
            repositories.push_back(json::object{{"name", state.place.repository}, {"tags", json::array{}}});
            repository = &state.place.repository;
        }
        json::object tag{{"name", state.place.tag}, {"digest", state.digest.text()}};
        if (state.referrers) tag["referrers"] = state.referrers->text();
        repositories.back().as_object()["tags"].as_array().push_back(std::move(tag));
    }
    return repositories;
}

}  // namespace

void TagStatesApi::add_to(ApiRouter& router)
{
    router.get("tag-states", [this](ApiCall call) { return list(std::move(call)); });
}

Task<Response> TagStatesApi::list(ApiCall call)
{
    CO_TRY(const auto range, range_of(call.query));
    CO_TRY(const bool in_short, flag_of(call.query, "summary", "false"));
    auto one_more = range;
    ++one_more.limit;
    CO_TRY(auto states, co_await browse_.tag_states(call.caller, std::move(one_more)));
    const auto summary = summary_of(states, range);
    json::object answer{
        {"tags", summary.tags},
        {"more", summary.more},
        {"digest", summary.digest.text()},
        {"last", json::object{{"repository", summary.last.repository}, {"tag", summary.last.tag}}},
    };
    if (!in_short) answer["repositories"] = to_json(states);
    co_return json_response(answer);
}

}  // namespace entrepot
