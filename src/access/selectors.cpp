#include "access/selectors.hpp"

#include "access/glob.hpp"

#include <algorithm>

namespace entrepot {
namespace {

constexpr std::string_view matching = "matches ";
constexpr std::string_view excluding = "excludes ";

Result<> check_count(const std::vector<Selector>& selectors, std::string_view of)
{
    if (!selectors.empty() && selectors.size() <= Selectors::most) return {};
    return fail(
        Errc::bad_request, "a rule has 1 to " + std::to_string(Selectors::most) + " selectors of " + std::string{of}
    );
}

}  // namespace

Result<Selectors> Selectors::of_repositories(std::vector<Selector> selectors)
{
    CHECK(check_count(selectors, "repositories"));
    for (const auto& selector : selectors) CHECK(check_glob(selector.pattern));
    return Selectors{std::move(selectors)};
}

Result<Selectors> Selectors::of_tags(std::vector<Selector> selectors)
{
    CHECK(check_count(selectors, "tags"));
    for (const auto& selector : selectors) CHECK(check_tag_glob(selector.pattern));
    return Selectors{std::move(selectors)};
}

Result<Selectors> Selectors::parse(std::string_view text)
{
    std::vector<Selector> selectors;
    while (!text.empty()) {
        const auto end = text.find('\n');
        auto line = text.substr(0, end);
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
        const bool excludes = line.starts_with(excluding);
        if (!excludes && !line.starts_with(matching)) {
            return fail(Errc::corrupt, "a stored rule makes no sense", std::string{line});
        }
        line.remove_prefix(excludes ? excluding.size() : matching.size());
        selectors.push_back({excludes, std::string{line}});
    }
    return Selectors{std::move(selectors)};
}

bool Selectors::choose(std::string_view name) const noexcept
{
    return std::ranges::all_of(selectors_, [&](const Selector& selector) {
        return glob_matches(selector.pattern, name) != selector.excludes;
    });
}

bool Selectors::choose_all() const noexcept
{
    return std::ranges::all_of(selectors_, [](const Selector& selector) {
        return selector.pattern == "**" && !selector.excludes;
    });
}

std::string Selectors::text() const
{
    std::string text;
    for (const auto& selector : selectors_) {
        if (!text.empty()) text += '\n';
        text += std::string{selector.excludes ? excluding : matching} + selector.pattern;
    }
    return text;
}

}  // namespace entrepot
