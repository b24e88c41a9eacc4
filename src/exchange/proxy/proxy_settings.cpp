#include "exchange/proxy/proxy_settings.hpp"

#include "access/glob.hpp"
#include "core/ascii.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <utility>

namespace entrepot {
namespace {

namespace json = boost::json;

constexpr std::int64_t longest_ttl = 10LL * 365 * 24 * 3600;
constexpr std::int64_t most_fetches = 1'000;
constexpr std::size_t most_patterns = 100;

constexpr std::pair<std::string_view, Freshness> freshness_words[] = {
    {"always", Freshness::always},
    {"ttl", Freshness::ttl},
    {"stale_while_revalidate", Freshness::stale_while_revalidate},
    {"local_first", Freshness::local_first},
};

std::unexpected<Error> wrong(std::string_view member, std::string_view wanted)
{
    return fail(Errc::bad_request, "proxy settings: " + std::string{member} + " must be " + std::string{wanted});
}

Result<Freshness> freshness_of(const json::value& value)
{
    const auto* text = value.if_string();
    for (const auto& [word, freshness] : freshness_words) {
        if (text != nullptr && std::string_view{*text} == word) return freshness;
    }
    return wrong("freshness", "always, ttl, stale_while_revalidate or local_first");
}

Result<std::int64_t> number_of(std::string_view member, const json::value& value, std::int64_t least, std::int64_t most)
{
    boost::system::error_code error;
    const auto number = value.to_number<std::int64_t>(error);
    if (!value.is_number() || error || number < least || number > most) {
        return wrong(member, "a number from " + std::to_string(least) + " to " + std::to_string(most));
    }
    return number;
}

Result<std::vector<std::string>> patterns_of(const json::value& value)
{
    const auto* list = value.if_array();
    if (list == nullptr || list->size() > most_patterns) return wrong("repositories", "a list of up to 100 patterns");
    std::vector<std::string> patterns;
    for (const auto& entry : *list) {
        const auto* text = entry.if_string();
        if (text == nullptr || !check_glob(*text)) return wrong("repositories", "patterns of repositories' names");
        patterns.emplace_back(*text);
    }
    return patterns;
}

Result<> read_member(ProxySettings& settings, std::string_view name, const json::value& value)
{
    constexpr Micros second = 1'000'000;
    if (name == "freshness") {
        TRY(settings.freshness, freshness_of(value));
    } else if (name == "ttl" || name == "negative_ttl" || name == "referrers_ttl") {
        TRY(const auto seconds, number_of(name, value, 0, longest_ttl));
        auto& time = name == "ttl"            ? settings.ttl
                     : name == "negative_ttl" ? settings.negative_ttl
                                              : settings.referrers_ttl;
        time = seconds * second;
    } else if (name == "local_on_not_found") {
        if (!value.is_bool()) return wrong(name, "true or false");
        settings.local_on_not_found = value.get_bool();
    } else if (name == "repositories") {
        TRY(settings.repositories, patterns_of(value));
    } else if (name == "bytes_per_second") {
        TRY(settings.bytes_per_second, number_of(name, value, 0, std::int64_t{1} << 50));
    } else if (name == "fetches_at_once") {
        TRY(const auto number, number_of(name, value, 1, most_fetches));
        settings.fetches_at_once = static_cast<std::int32_t>(number);
    } else {
        return fail(Errc::bad_request, "proxy settings: there is no " + std::string{name.substr(0, 64)});
    }
    return {};
}

}  // namespace

bool ProxySettings::allows(std::string_view upstream_repository) const noexcept
{
    return repositories.empty() || std::ranges::any_of(repositories, [upstream_repository](const auto& pattern) {
               return glob_matches(pattern, upstream_repository);
           });
}

ProxySettings proxy_settings_in(const ProjectMetadata& metadata)
{
    ProxySettings settings;
    const auto text = [&metadata](std::string_view name) {
        const auto found = metadata.find(name);
        return found == metadata.end() ? std::string_view{} : std::string_view{found->second};
    };
    constexpr std::uint64_t most_kib = std::uint64_t{1} << 40;
    if (const auto kib = parse_decimal(text("proxy_speed_kb"))) {
        settings.bytes_per_second = static_cast<std::int64_t>(std::min(*kib, most_kib) * 1024);
    }
    if (const auto fetches = parse_decimal(text("max_upstream_conn")); fetches && *fetches > 0) {
        settings.fetches_at_once = static_cast<std::int32_t>(std::min<std::uint64_t>(*fetches, most_fetches));
    }
    settings.local_on_not_found = text("proxy_cache_local_on_not_found") == "true";
    if (const auto pattern = text("proxy_cache_filter_pattern"); check_glob(pattern)) {
        settings.repositories.emplace_back(pattern);
    }
    return settings;
}

Result<ProxySettings> parse_proxy_settings(std::string_view text, ProxySettings otherwise)
{
    auto settings = std::move(otherwise);
    if (text.empty()) return settings;
    boost::system::error_code error;
    const auto value = json::parse(text, error);
    const auto* object = value.if_object();
    if (error || object == nullptr) return fail(Errc::bad_request, "proxy settings: no JSON object");
    for (const auto& member : *object) CHECK(read_member(settings, member.key(), member.value()));
    return settings;
}

}  // namespace entrepot
