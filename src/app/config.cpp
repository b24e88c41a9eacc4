#include "app/config.hpp"

#include "app/config_file.hpp"
#include "app/config_keys.hpp"
#include "app/config_values.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>
#include <system_error>
#include <tuple>

#include <unistd.h>

namespace entrepot {
namespace {

constexpr std::string_view prefix = "ENTREPOT_";

// No part of the configuration: what the first start alone reads, and what a shell may have set for `entrepot ctl`.
constexpr std::array<std::string_view, 6> no_keys{
    "ENTREPOT_ADMIN_PASSWORD",
    "ENTREPOT_URL",
    "ENTREPOT_USER",
    "ENTREPOT_PASSWORD",
    "ENTREPOT_TOKEN",
    "ENTREPOT_NEW_PASSWORD",
};

// Kubernetes puts such variables into every pod beside a Service whose name starts with "entrepot".
bool is_service_link(std::string_view name, std::string_view value)
{
    if (name.ends_with("_SERVICE_HOST") || name.contains("_SERVICE_PORT")) return true;
    if (name.ends_with("_PORT")) return value.contains("://");
    constexpr std::string_view port = "_PORT_";
    const auto at = name.find(port);
    if (at == std::string_view::npos) return false;
    return name.find_first_of("0123456789", at) == at + port.size();
}

void set_key(ConfigDraft& draft, const std::string& place, const ConfigKey<Config>& key, std::string_view value)
{
    draft.places[std::string{key.name}] = place;
    const auto done = key.set(draft.config, value);
    if (!done) draft.complain(place, key.name, done.error().message());
}

const ConfigKey<Config>& key_called(std::string_view name)
{
    return *std::ranges::find(config_keys(), name, &ConfigKey<Config>::name);
}

std::string nearest_variable(std::string_view name)
{
    std::string best;
    std::size_t best_distance = 4;
    for (const auto& key : config_keys()) {
        const auto distance = edit_distance(name, variable_of(key.name));
        if (distance >= best_distance) continue;
        best_distance = distance;
        best = variable_of(key.name);
    }
    return best;
}

void apply_environment(ConfigDraft& draft, const Environment& environment)
{
    for (const auto& [name, value] : environment) {
        if (!name.starts_with(prefix) || std::ranges::find(no_keys, name) != no_keys.end()) continue;
        const auto known =
            std::ranges::find_if(config_keys(), [&](const auto& key) { return variable_of(key.name) == name; });
        if (known != config_keys().end()) {
            set_key(draft, name, *known, value);
        } else if (!is_service_link(name, value)) {
            const auto meant = nearest_variable(name);
            draft.complain(name, "", "there is no such key" + (meant.empty() ? "" : "; did you mean " + meant + "?"));
        }
    }
}

void add_listener(
    ConfigDraft& draft,
    std::string name,
    const std::string& flag,
    const std::string& endpoint,
    std::optional<TlsFiles> tls
)
{
    auto parsed = parse_endpoint(endpoint);
    if (!parsed) return draft.complain(flag, "", parsed.error().message());
    draft.places["listeners[" + std::to_string(draft.config.listeners.size()) + "]"] = flag;
    auto& listener = draft.config.listeners.emplace_back();
    listener.name = std::move(name);
    std::tie(listener.address, listener.port) = std::move(*parsed);
    listener.tls = std::move(tls);
}

void apply_listen_flags(ConfigDraft& draft, const ConfigFlags& flags)
{
    const bool all = flags.tls_listen && flags.tls_cert && flags.tls_key;
    const bool none = !flags.tls_listen && !flags.tls_cert && !flags.tls_key;
    if (!all && !none) draft.complain("--tls-listen, --tls-cert, --tls-key", "", "need each other");
    if (!flags.listen && !flags.tls_listen) return;
    draft.config.listeners.clear();
    if (flags.listen) add_listener(draft, "main", "--listen", *flags.listen, std::nullopt);
    if (all) add_listener(draft, "tls", "--tls-listen", *flags.tls_listen, TlsFiles{*flags.tls_cert, *flags.tls_key});
}

void apply_flags(ConfigDraft& draft, const ConfigFlags& flags)
{
    if (flags.data) set_key(draft, "--data", key_called("data"), *flags.data);
    if (flags.database) set_key(draft, "--database", key_called("database.url"), *flags.database);
    apply_listen_flags(draft, flags);
}

void finish_listeners(ConfigDraft& draft)
{
    std::set<std::string> names;
    std::set<std::string> endpoints;
    auto& listeners = draft.config.listeners;
    for (std::size_t index = 0; index < listeners.size(); ++index) {
        auto& listener = listeners[index];
        const auto key = "listeners[" + std::to_string(index) + "]";
        const auto address = listener.address.contains(':') ? "[" + listener.address + "]" : listener.address;
        const auto endpoint = address + ":" + std::to_string(listener.port);
        if (listener.name.empty()) listener.name = endpoint;
        const bool half_tls =
            listener.tls && (listener.tls->certificate_file.empty() || listener.tls->key_file.empty());
        if (half_tls) draft.complain_of(key, "tls.certificate and tls.key need each other");
        if (!names.insert(listener.name).second)
            draft.complain_of(key, "another listener has the name " + listener.name);
        const bool taken = listener.port != 0 && !endpoints.insert(endpoint).second;
        if (taken) draft.complain_of(key, "another listener has the address " + endpoint);
    }
}

void check_whole(ConfigDraft& draft)
{
    const auto& config = draft.config;
    finish_listeners(draft);
    if (!config.auth.master_key.empty() && !config.auth.master_key_file.empty()) {
        draft.complain_of("auth.master_key", "auth.master_key_file is set too, only one of them may be");
    }
    if (config.shutdown.stalled > config.shutdown.longest) {
        const bool stalled_is_set = draft.places.contains("shutdown.stalled");
        draft.complain_of(
            stalled_is_set ? "shutdown.stalled" : "shutdown.longest",
            "shutdown.stalled must not be longer than shutdown.longest"
        );
    }
}

Result<Config> finished(ConfigDraft draft)
{
    if (draft.problems.empty()) return std::move(draft.config);
    std::string message;
    for (const auto& problem : draft.problems) message += (message.empty() ? "" : "\n") + problem;
    return fail(Errc::bad_request, std::move(message));
}

Result<std::string> text_of(const std::string& file)
{
    std::error_code ignored;
    if (std::filesystem::is_directory(file, ignored)) return fail(Errc::bad_request, file + ": is a directory");
    std::ifstream stream{file, std::ios::binary};
    if (!stream) return fail(Errc::bad_request, file + ": can't be read: " + std::strerror(errno));
    return std::string{std::istreambuf_iterator<char>{stream}, {}};
}

}  // namespace

void ConfigDraft::complain(std::string_view place, std::string_view key, std::string_view what)
{
    auto problem = std::string{place};
    if (!key.empty()) problem += ": " + std::string{key};
    problems.push_back(problem + ": " + std::string{what});
}

void ConfigDraft::complain_of(std::string_view key, std::string_view what)
{
    const auto place = places.find(key);
    complain(place == places.end() ? "configuration" : place->second, key, what);
}

Environment process_environment()
{
    Environment environment;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text{*entry};
        const auto equals = text.find('=');
        if (!text.starts_with(prefix) || equals == std::string_view::npos) continue;
        environment.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    }
    return environment;
}

Result<Config>
read_config(std::string_view yaml, std::string_view file, const Environment& environment, const ConfigFlags& flags)
{
    ConfigDraft draft;
    apply_file(draft, yaml, std::string{file});
    apply_environment(draft, environment);
    apply_flags(draft, flags);
    if (draft.problems.empty()) check_whole(draft);
    return finished(std::move(draft));
}

Result<Config>
load_config(const std::optional<std::string>& file, const Environment& environment, const ConfigFlags& flags)
{
    if (!file) return read_config("", "", environment, flags);
    TRY(const auto yaml, text_of(*file));
    return read_config(yaml, *file, environment, flags);
}

}  // namespace entrepot
