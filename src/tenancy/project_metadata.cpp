#include "tenancy/project_metadata.hpp"

#include "access/glob.hpp"
#include "core/ascii.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <initializer_list>

namespace entrepot {
namespace {

enum class Kind { boolean, integer, severity, pattern, pattern_kind, word };
struct Key {
    std::string_view name;
    Kind kind;
};
constexpr Key keys[] = {
    {"public", Kind::boolean},
    {"shared", Kind::boolean},
    {"enable_content_trust", Kind::boolean},
    {"enable_content_trust_cosign", Kind::boolean},
    {"prevent_vul", Kind::boolean},
    {"severity", Kind::severity},
    {"auto_scan", Kind::boolean},
    {"auto_sbom_generation", Kind::boolean},
    {"reuse_sys_cve_allowlist", Kind::boolean},
    {"retention_id", Kind::integer},
    {"proxy_speed_kb", Kind::integer},
    {"max_upstream_conn", Kind::integer},
    {"proxy_cache_local_on_not_found", Kind::boolean},
    {"proxy_referrer_api", Kind::boolean},
    {"proxy_cache_filter_pattern", Kind::pattern},
    {"proxy_cache_filter_kind", Kind::pattern_kind},
    {"environment", Kind::word},  // ours: what stage of a pipeline it is
};

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words)
{
    return std::ranges::find(words, text) != words.end();
}

// As "staging": nothing that would have to be quoted anywhere.
bool is_word(std::string_view text)
{
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
               c == '.';
    };
    return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, fits);
}

bool is_integer(std::string_view text)
{
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} && end == text.data() + text.size() && number >= -1;
}

bool fits(Kind kind, std::string_view value)
{
    switch (kind) {
        case Kind::boolean: return is_one_of(lowered(value), {"true", "false"});
        case Kind::integer: return is_integer(value);
        case Kind::severity:
            return is_one_of(lowered(value), {"none", "unknown", "negligible", "low", "medium", "high", "critical"});
        case Kind::pattern: return value.empty() || check_glob(value).has_value();
        case Kind::word: return is_word(value);
        case Kind::pattern_kind: return value == "doublestar";
    }
    return false;
}

}  // namespace

Result<> check_project_metadata(std::string_view name, std::string_view value)
{
    const auto* const key = std::ranges::find(keys, name, &Key::name);
    if (key == std::ranges::end(keys)) {
        return fail(Errc::bad_request, "projects have no metadata \"" + std::string{name} + "\"");
    }
    if (fits(key->kind, value)) return {};
    return fail(Errc::bad_request, "\"" + std::string{value} + "\" is no value for " + std::string{name});
}

bool is_project_metadata(std::string_view name) noexcept
{
    return std::ranges::find(keys, name, &Key::name) != std::ranges::end(keys);
}

std::string kept_metadata(std::string_view value)
{
    auto small = lowered(value);
    return is_one_of(small, {"true", "false"}) ? small : std::string{value};
}

}  // namespace entrepot
