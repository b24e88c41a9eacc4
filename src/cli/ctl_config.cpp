#include "cli/ctl_config.hpp"

#include "client/http_url.hpp"
#include "core/bytes.hpp"
#include "oci/json_fields.hpp"

#include <boost/json/serialize.hpp>

#include <fmt/format.h>

namespace entrepot {
namespace {

namespace json = boost::json;

CtlContext context_of(const json::object& object)
{
    CtlContext context{
        .url = std::string{find_text(object, "url")},
        .user = std::string{find_text(object, "user")},
        .password = std::string{find_text(object, "password")},
        .token = std::string{find_text(object, "token")},
        .token_id = 0,
        .token_name = std::string{find_text(object, "token_name")},
        .token_expires = 0,
        .ca_file = std::string{find_text(object, "ca_file")},
        .insecure = false,
    };
    if (const auto* id = object.if_contains("token_id"); id != nullptr && id->is_int64())
        context.token_id = id->as_int64();
    if (const auto* end = object.if_contains("token_expires"); end != nullptr && end->is_int64())
        context.token_expires = end->as_int64();
    if (const auto* flag = object.if_contains("insecure"); flag != nullptr && flag->is_bool())
        context.insecure = flag->as_bool();
    return context;
}

json::object object_of(const CtlContext& context)
{
    json::object object{{"url", context.url}, {"user", context.user}};
    if (!context.password.empty()) object["password"] = context.password;
    if (!context.token.empty()) object["token"] = context.token;
    if (context.token_id != 0) object["token_id"] = context.token_id;
    if (!context.token_name.empty()) object["token_name"] = context.token_name;
    if (context.token_expires != 0) object["token_expires"] = context.token_expires;
    if (!context.ca_file.empty()) object["ca_file"] = context.ca_file;
    if (context.insecure) object["insecure"] = true;
    return object;
}

bool is_loopback(std::string_view host)
{
    return host == "localhost" || host == "::1" || host.starts_with("127.");
}

}  // namespace

Result<std::string> ctl_config_path(const CtlIo& io)
{
    if (const auto base = io.variable("XDG_CONFIG_HOME"); base && base->starts_with('/'))
        return *base + "/entrepot/config.json";
    if (const auto home = io.variable("HOME"); home && home->starts_with('/'))
        return *home + "/.config/entrepot/config.json";
    return fail(Errc::bad_request, "neither XDG_CONFIG_HOME nor HOME says where contexts are kept");
}

Result<CtlConfig> load_ctl_config(const CtlIo& io)
{
    TRY(const auto path, ctl_config_path(io));
    auto text = io.read_file(path);
    if (!text && text.error().code() == Errc::not_found) return CtlConfig{};
    if (!text) return std::unexpected{std::move(text).error()};
    const auto object = parse_object(*text);
    const auto* contexts = object ? find_object(*object, "contexts") : nullptr;
    if (contexts == nullptr) return fail(Errc::internal, fmt::format("{} is damaged: it is no file of contexts", path));
    CtlConfig config{.current = std::string{find_text(*object, "current")}, .contexts = {}};
    for (const auto& [name, entry] : *contexts) {
        if (!entry.is_object()) return fail(Errc::internal, fmt::format("{} is damaged: {} is no context", path, name));
        config.contexts[std::string{name}] = context_of(entry.as_object());
    }
    return config;
}

Result<> save_ctl_config(CtlIo& io, const CtlConfig& config)
{
    TRY(const auto path, ctl_config_path(io));
    json::object contexts;
    for (const auto& [name, context] : config.contexts) contexts[name] = object_of(context);
    const json::object file{{"current", config.current}, {"contexts", std::move(contexts)}};
    return io.write_private(path, json::serialize(file) + "\n");
}

Result<CtlContext> choose_ctl_context(const CtlIo& io, std::string_view name)
{
    CtlContext context;
    const auto url = io.variable("ENTREPOT_URL");
    if (!url || !name.empty()) {
        TRY(const auto config, load_ctl_config(io));
        const auto found = config.contexts.find(name.empty() ? std::string_view{config.current} : name);
        if (found != config.contexts.end())
            context = found->second;
        else if (!name.empty())
            return fail(
                Errc::bad_request, fmt::format("there is no context \"{}\"; see: entrepot ctl context list", name)
            );
        else
            return fail(Errc::unauthorized, "not logged in; see: entrepot ctl login --help");
    } else {
        TRY(context.url, server_url_of(*url));
    }
    if (!name.empty()) return context;
    if (const auto user = io.variable("ENTREPOT_USER")) context.user = *user;
    if (const auto password = io.variable("ENTREPOT_PASSWORD")) {
        context.password = *password;
        context.token.clear();
    }
    if (const auto token = io.variable("ENTREPOT_TOKEN")) context.token = *token;
    return context;
}

Result<std::string> server_url_of(std::string_view text)
{
    std::string full{text};
    if (!text.contains("://")) {
        TRY(const auto guess, parse_http_url("http://" + full));
        full = (is_loopback(guess.host) ? "http://" : "https://") + full;
    }
    TRY(auto url, parse_http_url(full));
    for (const std::string_view end : {"/api/v2.0/", "/api/v2.0", "/"}) {
        if (url.target.ends_with(end)) {
            url.target.resize(url.target.size() - end.size());
            break;
        }
    }
    if (url.target.contains('?')) return fail(Errc::bad_request, "a server's address has no query");
    return url.text();
}

std::optional<std::string> password_at_hand(const CtlIo& io, const CtlContext& context)
{
    const auto user = io.variable("ENTREPOT_USER");
    if (context.user.empty() || (user && *user != context.user)) return std::nullopt;
    return io.variable("ENTREPOT_PASSWORD");
}

std::string authorization_of(const CtlContext& context)
{
    const auto& secret = context.token.empty() ? context.password : context.token;
    if (secret.empty()) return {};
    if (context.user.empty()) return "Bearer " + secret;
    return "Basic " + to_base64(as_bytes(context.user + ":" + secret));
}

}  // namespace entrepot
