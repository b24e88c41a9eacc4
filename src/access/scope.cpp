#include "access/scope.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace entrepot {
namespace {

struct Word {
    std::string_view text;
    Action action;
};
constexpr std::array words{Word{"pull", Action::pull}, Word{"push", Action::push}, Word{"delete", Action::remove}};

std::unexpected<Error> malformed()
{
    return fail(Errc::bad_request, "a scope is type:name:action[,action]");
}

bool printable(std::string_view text) noexcept
{
    return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f' && c != '"' && c != '\\'; });
}

// "type" or "type(class)"; the class changes nothing for us.
std::optional<std::string_view> type_without_class(std::string_view text) noexcept
{
    const auto open = text.find('(');
    const auto type = text.substr(0, open);
    if (type.empty() ||
        !std::ranges::all_of(type, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); })) {
        return std::nullopt;
    }
    if (open != std::string_view::npos && (text.back() != ')' || text.size() < open + 3)) return std::nullopt;
    return type;
}

ActionSet actions_in(std::string_view list) noexcept
{
    ActionSet actions = 0;
    while (true) {
        const auto comma = list.find(',');
        actions |= action_named(list.substr(0, comma));
        if (comma == std::string_view::npos) return actions;
        list.remove_prefix(comma + 1);
    }
}

void add_repository(TokenScopes& scopes, std::string_view name, ActionSet actions)
{
    if (actions == 0) return;
    const auto repository = RepositoryName::parse(name);
    if (!repository) return;
    const auto same = std::ranges::find(scopes.entries, repository->text(), &TokenScopes::Entry::repository);
    if (same != scopes.entries.end()) {
        same->actions |= actions;
    } else {
        scopes.entries.push_back({repository->text(), actions});
    }
}

Result<> add_scope(TokenScopes& scopes, std::string_view text)
{
    const auto first = text.find(':');
    const auto last = text.rfind(':');
    if (first == std::string_view::npos || first == last || !printable(text)) return malformed();
    const auto type = type_without_class(text.substr(0, first));
    const auto name = text.substr(first + 1, last - first - 1);
    const auto actions = text.substr(last + 1);
    if (!type || name.empty()) return malformed();
    if (*type == "repository") add_repository(scopes, name, actions_in(actions));
    if (*type == "registry" && name == "catalog" && actions == "*") scopes.catalog = true;
    return {};
}

}  // namespace

Result<TokenScopes> parse_scopes(std::span<const std::string> parameters)
{
    TokenScopes scopes;
    std::size_t bytes = 0;
    std::size_t count = 0;
    for (std::string_view rest : parameters) {
        bytes += rest.size();
        if (bytes > longest_scopes) return fail(Errc::bad_request, "the scopes are too long");
        while (!rest.empty()) {
            const auto end = std::min(rest.find(' '), rest.size());
            const auto scope = rest.substr(0, end);
            rest.remove_prefix(std::min(end + 1, rest.size()));
            if (scope.empty()) continue;
            if (++count > most_scopes) return fail(Errc::bad_request, "too many scopes");
            CHECK(add_scope(scopes, scope));
        }
    }
    return scopes;
}

std::string scope_text(std::string_view repository, ActionSet actions)
{
    return "repository:" + std::string{repository} + ":" + action_list(actions, ",");
}

std::string scope_for(std::string_view repository, Action action)
{
    auto wanted = bit(action);
    if (action == Action::push) wanted |= bit(Action::pull);
    return scope_text(repository, wanted);
}

std::string scope_text(const TokenScopes& scopes)
{
    std::string text;
    for (const auto& entry : scopes.entries) {
        if (!text.empty()) text += ' ';
        text += scope_text(entry.repository, entry.actions);
    }
    if (scopes.catalog) text += text.empty() ? "registry:catalog:*" : " registry:catalog:*";
    return text;
}

ActionSet action_named(std::string_view word) noexcept
{
    if (word == "*") return all_actions;
    const auto found = std::ranges::find(words, word, &Word::text);
    return found == words.end() ? ActionSet{0} : bit(found->action);
}

std::string_view name_of(Action action) noexcept
{
    const auto found = std::ranges::find(words, action, &Word::action);
    return found == words.end() ? std::string_view{} : found->text;
}

std::string action_list(ActionSet actions, std::string_view separator)
{
    std::string text;
    for (const auto& word : words) {
        if ((actions & bit(word.action)) == 0) continue;
        if (!text.empty()) text += separator;
        text += word.text;
    }
    return text;
}

}  // namespace entrepot
