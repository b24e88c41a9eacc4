#include "oci/names.hpp"

#include "core/ascii.hpp"

namespace entrepot {
namespace {

constexpr bool is_alphanumeric(char c) noexcept
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// How long the separator at the front of `text` is: one '.', one or two '_', any number of '-'; 0 when there is none.
constexpr std::size_t separator_length(std::string_view text) noexcept
{
    if (text.starts_with("__")) return 2;
    if (text.starts_with('_') || text.starts_with('.')) return 1;
    const auto end = text.find_first_not_of('-');
    return end == std::string_view::npos ? text.size() : end;
}

// [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*
bool is_path_segment(std::string_view text) noexcept
{
    if (text.empty() || !is_alphanumeric(text.back())) return false;
    std::size_t at = 0;
    for (;;) {
        const auto start = at;
        while (at < text.size() && is_alphanumeric(text[at])) ++at;
        if (at == start) return false;
        if (at == text.size()) return true;
        const auto separator = separator_length(text.substr(at));
        if (separator == 0) return false;
        at += separator;
    }
}

constexpr bool is_tag_character(char c, bool first) noexcept
{
    const bool letter = is_letter_or_digit(c) || c == '_';
    return letter || (!first && (c == '.' || c == '-'));
}

}  // namespace

Result<RepositoryName> RepositoryName::parse(std::string_view text)
{
    bool valid = !text.empty() && text.size() <= longest;
    for (std::size_t at = 0; valid && at <= text.size();) {
        const auto end = std::min(text.find('/', at), text.size());
        valid = is_path_segment(text.substr(at, end - at));
        at = end + 1;
    }
    if (!valid) {
        return fail(
            Errc::name_invalid,
            "a repository name is path segments of lower-case letters and digits, separated inside by '.', '_', "
            "'__' or dashes and joined by '/', 255 characters at most"
        );
    }
    return RepositoryName{std::string{text}};
}

Result<ProjectName> ProjectName::parse(std::string_view text)
{
    if (text.size() > RepositoryName::longest || !is_path_segment(text)) {
        return fail(
            Errc::name_invalid,
            "a project name is lower-case letters and digits, separated inside by '.', '_', '__' or dashes"
        );
    }
    return ProjectName{std::string{text}};
}

Result<Tag> Tag::parse(std::string_view text)
{
    bool valid = !text.empty() && text.size() <= 128;
    for (std::size_t at = 0; valid && at < text.size(); ++at) valid = is_tag_character(text[at], at == 0);
    if (!valid) {
        return fail(
            Errc::tag_invalid,
            "a tag is up to 128 letters, digits, '_', '.' and '-', and starts with neither of the last two"
        );
    }
    return Tag{std::string{text}};
}

Result<Reference> Reference::parse(std::string_view text)
{
    if (text.find(':') != std::string_view::npos) {
        TRY(auto digest, Digest::parse(text));
        return Reference{std::move(digest)};
    }
    TRY(auto tag, Tag::parse(text));
    return Reference{std::move(tag)};
}

}  // namespace entrepot
