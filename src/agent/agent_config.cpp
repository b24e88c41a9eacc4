#include "agent/agent_config.hpp"

#include "client/http_url.hpp"
#include "core/address.hpp"
#include "core/ascii.hpp"
#include "core/host_name.hpp"
#include "core/yaml_documents.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <set>

namespace entrepot {
namespace {

using Set = Result<> (*)(AgentConfig&, std::string_view);

struct AgentKey {
    std::string_view name;
    Set set;
    bool list = false;  // a sequence of the file is set item by item
};

std::unexpected<Error> no_good(std::string_view value, std::string_view wanted)
{
    return fail(Errc::bad_request, "'" + std::string{value} + "' is not " + std::string{wanted});
}

Result<AgentEndpoint> parse_agent_endpoint(std::string_view text)
{
    constexpr std::string_view wanted = "ADDRESS:PORT with a numeric address, as in 127.0.0.1:5100 or [::1]:5100";
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return no_good(text, wanted);
    auto host = text.substr(0, colon);
    const bool bracketed = host.starts_with('[') && host.ends_with(']');
    if (bracketed) host = host.substr(1, host.size() - 2);
    if (host == "localhost") host = "127.0.0.1";
    if (host.empty() && !bracketed) host = "0.0.0.0";
    const auto port = parse_decimal(text.substr(colon + 1));
    if (bracketed != host.contains(':') || !Address::parse(host) || !port || *port > 65'535)
        return no_good(text, wanted);
    return AgentEndpoint{.address = std::string{host}, .port = static_cast<std::uint16_t>(*port)};
}

struct Unit {
    std::string_view name;
    std::uint64_t factor;
};

template <std::size_t count>
std::optional<std::uint64_t> measured(std::string_view text, const std::array<Unit, count>& units)
{
    const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto number = parse_decimal(text.substr(0, digits));
    const auto unit = std::ranges::find(units, text.substr(digits), &Unit::name);
    if (!number || unit == units.end()) return std::nullopt;
    if (*number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / unit->factor)
        return std::nullopt;
    return *number * unit->factor;
}

Result<> set_registry(AgentConfig& config, std::string_view value)
{
    const auto url = parse_http_url(value);
    if (!url || url->target != "/") return no_good(value, "the URL of a registry, as in https://registry.example.com");
    config.registry = std::string{value};
    return {};
}

Result<> add_served(AgentConfig& config, std::string_view value)
{
    if (value.empty() || value.find_first_of("/ \t") != std::string_view::npos)
        return no_good(value, "a name such as registry.example.com:443");
    config.serves.push_back(lowered(value));
    return {};
}

Result<> set_polite(AgentConfig& config, std::string_view value)
{
    if (value != "true" && value != "false") return no_good(value, "true or false");
    config.polite = value == "true";
    return {};
}

Result<> set_budget(AgentConfig& config, std::string_view value)
{
    constexpr std::array units{
        Unit{"", 1},
        Unit{"MB", 1'000'000},
        Unit{"GB", 1'000'000'000},
        Unit{"TB", 1'000'000'000'000},
        Unit{"MiB", 1ULL << 20U},
        Unit{"GiB", 1ULL << 30U},
        Unit{"TiB", 1ULL << 40U},
    };
    constexpr std::uint64_t least = 16ULL << 20U;
    const auto bytes = measured(value, units);
    if (!bytes || *bytes < least) return no_good(value, "a size of at least 16MiB, as in 20GiB");
    config.budget = *bytes;
    return {};
}

template <std::uint64_t AgentConfig::* field>
Result<> set_rate(AgentConfig& config, std::string_view value)
{
    constexpr std::array units{Unit{"", 125'000}};
    const auto rate = measured(value, units);
    if (!rate) return no_good(value, "a rate in Mbit/s");
    config.*field = *rate;
    return {};
}

Result<> set_patience(AgentConfig& config, std::string_view value)
{
    constexpr std::array units{Unit{"ms", 1}, Unit{"s", 1'000}};
    const auto time = measured(value, units);
    if (!time || *time > 60'000) return no_good(value, "a time up to 60s, as in 700ms");
    config.patience = std::chrono::milliseconds{*time};
    return {};
}

Result<> set_log_level(AgentConfig& config, std::string_view value)
{
    constexpr std::array words{
        std::pair{"debug", log::Level::debug},
        std::pair{"info", log::Level::info},
        std::pair{"warning", log::Level::warning},
        std::pair{"error", log::Level::error},
    };
    const auto found = std::ranges::find(words, value, [](const auto& word) { return std::string_view{word.first}; });
    if (found == words.end()) return no_good(value, "debug, info, warning or error");
    config.log_level = found->second;
    return {};
}

template <AgentEndpoint AgentConfig::* field>
Result<> set_endpoint(AgentConfig& config, std::string_view value)
{
    TRY(config.*field, parse_agent_endpoint(value));
    return {};
}

Result<> set_metrics_listen(AgentConfig& config, std::string_view value)
{
    TRY(config.metrics_listen, parse_agent_endpoint(value));
    return {};
}

// Text that others are shown, as the certificate request has it: printable, without blanks.
template <std::string AgentConfig::* field>
Result<> set_label(AgentConfig& config, std::string_view value)
{
    constexpr std::size_t longest = 253;
    const bool printable = std::ranges::all_of(value, [](char c) { return c > ' ' && c < '\x7f'; });
    if (value.empty() || value.size() > longest || !printable) return no_good(value, "a name without blanks");
    config.*field = std::string{value};
    return {};
}

template <auto field>
Result<> set_path(AgentConfig& config, std::string_view value)
{
    if (value.empty()) return no_good(value, "a path");
    config.*field = std::string{value};
    return {};
}

constexpr std::array<AgentKey, 16> keys{{
    {"registry", set_registry},
    {"serves", add_served, true},
    {"listen", set_endpoint<&AgentConfig::listen>},
    {"peer_listen", set_endpoint<&AgentConfig::peer_listen>},
    {"metrics_listen", set_metrics_listen},
    {"data", set_path<&AgentConfig::data>},
    {"node", set_label<&AgentConfig::node>},
    {"zone", set_label<&AgentConfig::zone>},
    {"bootstrap_token_file", set_path<&AgentConfig::bootstrap_token_file>},
    {"ca_file", set_path<&AgentConfig::ca_file>},
    {"rate_up", set_rate<&AgentConfig::rate_up>},
    {"rate_down", set_rate<&AgentConfig::rate_down>},
    {"polite", set_polite},
    {"budget", set_budget},
    {"patience", set_patience},
    {"log_level", set_log_level},
}};

Result<> set_key(AgentConfig& config, std::string_view name, std::string_view value, const std::string& place)
{
    const auto key = std::ranges::find(keys, name, &AgentKey::name);
    if (key == keys.end()) return fail(Errc::bad_request, place + ": there is no such key");
    const auto done = key->set(config, value);
    if (!done) return fail(Errc::bad_request, place + ": " + done.error().message());
    return {};
}

Result<> apply_entry(AgentConfig& config, const YAML::Node& key, const YAML::Node& value, const std::string& line)
{
    if (!key.IsScalar()) return fail(Errc::bad_request, line + ": a key must be plain text");
    const auto place = line + ": " + key.Scalar();
    if (value.IsScalar()) return set_key(config, key.Scalar(), value.Scalar(), place);
    const auto known = std::ranges::find(keys, std::string_view{key.Scalar()}, &AgentKey::name);
    if (known == keys.end()) return fail(Errc::bad_request, place + ": there is no such key");
    if (!known->list || !value.IsSequence()) return fail(Errc::bad_request, place + ": must be a single value");
    for (const auto& item : value) {
        if (!item.IsScalar()) return fail(Errc::bad_request, place + ": an item must be plain text");
        CHECK(set_key(config, key.Scalar(), item.Scalar(), place));
    }
    return {};
}

Result<> apply_yaml(AgentConfig& config, const std::string& yaml, const std::string& file)
{
    const auto line_of = [&file](const YAML::Mark& mark) { return file + ":" + std::to_string(mark.line + 1); };
    try {
        const auto documents = load_yaml_documents(yaml);
        if (documents.size() > 1) return fail(Errc::bad_request, file + ": holds a second document, there must be one");
        if (documents.empty() || documents.front().IsNull()) return {};
        if (!documents.front().IsMap()) return fail(Errc::bad_request, file + ": must be a map of keys and values");
        std::set<std::string> seen;
        for (const auto& entry : documents.front()) {
            const auto line = line_of(entry.first.Mark());
            if (entry.first.IsScalar() && !seen.insert(entry.first.Scalar()).second)
                return fail(Errc::bad_request, line + ": " + entry.first.Scalar() + ": is set twice");
            CHECK(apply_entry(config, entry.first, entry.second, line));
        }
    } catch (const YAML::Exception& failure) {
        return fail(Errc::bad_request, line_of(failure.mark) + ": is not valid YAML: " + failure.msg);
    }
    return {};
}

}  // namespace

Result<AgentConfig>
parse_agent_config(const std::string& yaml, const std::string& file, const std::vector<AgentSetting>& settings)
{
    AgentConfig config;
    CHECK(apply_yaml(config, yaml, file));
    for (const auto& [name, value] : settings) {
        auto option = name;
        std::ranges::replace(option, '_', '-');
        CHECK(set_key(config, name, value, "--" + option));
    }
    if (config.registry.empty())
        return fail(Errc::bad_request, "registry: must be set, to the URL of the registry that pods pull from");
    if (config.node.empty()) config.node = host_name();
    if (config.node.empty()) config.node = "node";
    return config;
}

}  // namespace entrepot
