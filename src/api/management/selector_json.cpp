#include "api/management/selector_json.hpp"

namespace entrepot {
namespace {

namespace json = boost::json;

json::object selector_json(const Selector& selector, std::string_view matches, std::string_view excludes)
{
    return {
        {"kind", "doublestar"},
        {"decoration", selector.excludes ? excludes : matches},
        {"pattern", selector.pattern},
    };
}

Result<std::vector<Selector>>
selectors_of(const std::vector<JsonBody>& bodies, std::string_view matches, std::string_view excludes)
{
    std::vector<Selector> selectors;
    for (const auto& body : bodies) {
        TRY(const auto kind, body.optional_text("kind"));
        if (kind.value_or("doublestar") != "doublestar") {
            return fail(Errc::bad_request, "the kind of a selector is doublestar");
        }
        TRY(const auto decoration, body.text("decoration"));
        if (decoration != matches && decoration != excludes) {
            return fail(
                Errc::bad_request,
                "the decoration of this selector is " + std::string{matches} + " or " + std::string{excludes}
            );
        }
        TRY(auto pattern, body.text("pattern"));
        selectors.push_back({decoration == excludes, std::move(pattern)});
    }
    return selectors;
}

}  // namespace

json::array tag_selectors_json(const Selectors& selectors, std::string_view extras)
{
    json::array list;
    for (const auto& selector : selectors.all()) {
        auto object = selector_json(selector, "matches", "excludes");
        if (!extras.empty()) object["extras"] = extras;
        list.push_back(std::move(object));
    }
    return list;
}

json::object scope_selectors_json(const Selectors& repositories)
{
    json::array list;
    for (const auto& selector : repositories.all()) {
        list.push_back(selector_json(selector, "repoMatches", "repoExcludes"));
    }
    return {{"repository", std::move(list)}};
}

Result<Selectors> tag_selectors_of(const JsonBody& rule)
{
    TRY(const auto bodies, rule.objects("tag_selectors"));
    TRY(auto selectors, selectors_of(bodies, "matches", "excludes"));
    return Selectors::of_tags(std::move(selectors));
}

Result<Selectors> scope_selectors_of(const JsonBody& rule)
{
    TRY(const auto scopes, rule.optional_object("scope_selectors"));
    if (!scopes) return fail(Errc::bad_request, "\"scope_selectors\" is missing");
    return repository_selectors_of(*scopes, "repository");
}

Result<Selectors> repository_selectors_of(const JsonBody& body, std::string_view name)
{
    TRY(const auto bodies, body.objects(name));
    TRY(auto selectors, selectors_of(bodies, "repoMatches", "repoExcludes"));
    return Selectors::of_repositories(std::move(selectors));
}

}  // namespace entrepot
