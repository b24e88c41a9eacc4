#include "cli/ctl_config.hpp"
#include "cli/ctl_generic.hpp"
#include "cli/ctl_tables.hpp"
#include "client/http_url.hpp"
#include "core/clock.hpp"

#include <utility>

#include <fmt/format.h>

namespace entrepot {
namespace {

namespace json = boost::json;

const CtlColumns context_columns{
    {"NAME", "name"}, {"CURRENT", "current"}, {"SERVER", "url"}, {"USER", "user"}, {"WITH", "with"}
};
const CtlColumns whoami_card{
    {"USER", "username"},
    {"ID", "user_id"},
    {"NAME", "realname"},
    {"EMAIL", "email"},
    {"ADMIN", "sysadmin_flag"},
};

const CtlColumns robot_columns{{"ROBOT", "username"}, {"LEVEL", "level"}, {"PROJECT", "project"}, {"TENANT", "tenant"}};

std::string name_for(const CtlContext& context)
{
    const auto url = parse_http_url(context.url);
    return url ? url->authority() : context.url;
}

// A token instead of the password, so that the password is written down nowhere.
Result<> trade_for_token(CtlRun& run, CtlApi& api, CtlContext& context)
{
    const auto now = run.io().now() / 1'000'000;
    context.token_name = fmt::format("ctl on {} {}", run.io().host_name(), run.io().random_word());
    context.token_expires = now + parse_ctl_duration(run.has("expires") ? run.value("expires") : "90d").value_or(0);
    const json::object request{{"name", context.token_name}, {"expires_at", context.token_expires}};
    auto answer = api.call("POST", "users/current/tokens", request);
    if (!answer) {
        return fail(
            answer.error().code(),
            fmt::format(
                "{} makes no token for {} ({}), so nothing was kept; without a log-in: ENTREPOT_URL, ENTREPOT_USER and "
                "ENTREPOT_PASSWORD",
                context.url,
                context.user,
                answer.error().message()
            )
        );
    }
    const auto* object = answer->body.if_object();
    context.token = object != nullptr ? field_text(*object, "token") : std::string{};
    if (context.token.empty()) return fail(Errc::internal, fmt::format("{} answers without a token", context.url));
    context.password.clear();
    if (const auto* id = find_field(*object, "id"); id != nullptr && id->is_int64()) context.token_id = id->as_int64();
    return {};
}

// Robots have no page about themselves and get no tokens: their secret is kept.
Result<bool> is_robot(CtlApi& api)
{
    const auto known = api.get("users/current");
    if (known) return false;
    if (known.error().code() == Errc::unauthorized)
        return fail(Errc::unauthorized, "the user or the password is wrong");
    if (known.error().code() != Errc::precondition_failed && known.error().code() != Errc::denied)
        return std::unexpected{known.error()};
    // The list of projects is there for everybody who is logged in.
    CHECK(api.get("projects?page_size=1"));
    return true;
}

Result<int> login(CtlRun& run)
{
    if (run.has("expires") && !parse_ctl_duration(run.value("expires")))
        return fail(Errc::bad_request, fmt::format("--expires {}: that is no time such as 90d", run.value("expires")));
    CtlContext context;
    TRY(context.url, server_url_of(run.value("server")));
    context.ca_file = run.value("ca-file");
    context.insecure = run.has("insecure");
    context.user = run.value("user");
    if (context.user.empty()) context.user = run.io().variable("ENTREPOT_USER").value_or("");
    if (context.user.empty() && run.io().interactive()) {
        TRY(context.user, run.io().ask("User: ", false));
    }
    if (context.user.empty()) return fail(Errc::bad_request, "--user is missing");
    TRY(context.password, run.secret("password", "ENTREPOT_PASSWORD", "Password: "));
    CtlApi api{run.io(), context};
    TRY(const auto robot, is_robot(api));
    if (context.password.starts_with("ept_"))
        context.token = std::exchange(context.password, {});
    else if (!robot)
        CHECK(trade_for_token(run, api, context));
    TRY(auto config, load_ctl_config(run.io()));
    const auto name = run.has("name") ? std::string{run.value("name")} : name_for(context);
    config.contexts[name] = context;
    config.current = name;
    CHECK(save_ctl_config(run.io(), config));
    run.say(fmt::format("logged in to {} as {} (context {})", context.url, context.user, name));
    return ctl_exit::success;
}

// A token can't revoke itself: that takes the password, from the environment or from who sits there.
Result<> revoke_kept_token(CtlRun& run, CtlContext context)
{
    auto password = password_at_hand(run.io(), context);
    if (!password && run.io().interactive()) {
        TRY(password,
            run.io().ask(fmt::format("Password of {}, to revoke the token (empty: don't): ", context.user), true));
    }
    if (!password || password->empty()) return fail(Errc::unauthorized, "that takes the password");
    const auto path = fmt::format("users/current/tokens/{}", context.token_id);
    context.token.clear();
    context.password = *std::move(password);
    CtlApi api{run.io(), std::move(context)};
    const auto revoked = api.call("DELETE", path);
    if (revoked || revoked.error().code() == Errc::not_found) return {};
    return std::unexpected{revoked.error()};
}

Result<int> logout(CtlRun& run)
{
    TRY(auto config, load_ctl_config(run.io()));
    const std::string name{run.has("context") ? run.value("context") : std::string_view{config.current}};
    const auto found = config.contexts.find(name);
    if (found == config.contexts.end()) return fail(Errc::unauthorized, "not logged in");
    const auto context = found->second;
    config.contexts.erase(found);
    if (config.current == name) config.current.clear();
    CHECK(save_ctl_config(run.io(), config));
    run.say(fmt::format("logged out of context {}", name));
    const bool ended = context.token_expires != 0 && context.token_expires <= run.io().now() / 1'000'000;
    if (context.token_id == 0 || ended) return ctl_exit::success;
    if (const auto revoked = revoke_kept_token(run, context); !revoked) {
        run.io().error(fmt::format(
            "the token was not revoked ({}): who has a copy of it can use it{}. To end it: ENTREPOT_URL={} "
            "ENTREPOT_USER={} ENTREPOT_PASSWORD=... entrepot ctl token revoke {}\n",
            revoked.error().message(),
            context.token_expires == 0 ? "" : " until " + rfc3339(context.token_expires * 1'000'000),
            context.url,
            context.user,
            context.token_name.empty() ? "NAME" : "'" + context.token_name + "'"
        ));
        return ctl_exit::success;
    }
    run.say("its token is revoked");
    return ctl_exit::success;
}

// What a robot is shows in its name alone: robot$ci, robot$project+ci, robot$@tenant+ci.
json::object robot_card_of(std::string_view name)
{
    json::object card{{"username", name}, {"level", "system"}};
    const auto plus = name.rfind('+');
    if (plus == name.npos) return card;
    auto home = name.substr(0, plus);
    if (const auto prefix = home.find('$'); prefix != home.npos) home.remove_prefix(prefix + 1);
    const bool tenant = home.starts_with('@');
    card["level"] = tenant ? "tenant" : "project";
    card[tenant ? "tenant" : "project"] = home.substr(tenant ? 1 : 0);
    return card;
}

Result<int> whoami(CtlRun& run)
{
    TRY(auto* const api, run.api());
    const auto answer = api->get("users/current");
    if (!answer && answer.error().code() == Errc::precondition_failed && !api->context().user.empty()) {
        run.print_object(robot_card_of(api->context().user), robot_columns);
        return ctl_exit::success;
    }
    if (!answer) return std::unexpected{answer.error()};
    run.print_object(*answer, whoami_card);
    return ctl_exit::success;
}

Result<int> list_contexts(CtlRun& run)
{
    TRY(const auto config, load_ctl_config(run.io()));
    json::array rows;
    for (const auto& [name, context] : config.contexts) {
        rows.push_back(json::object{
            {"name", name},
            {"current", name == config.current},
            {"url", context.url},
            {"user", context.user},
            {"with", context.token.empty() ? "password" : "token"},
        });
    }
    CHECK(run.print_rows(rows, context_columns));
    return ctl_exit::success;
}

Result<int> use_context(CtlRun& run)
{
    TRY(auto config, load_ctl_config(run.io()));
    const std::string name{run.value("name")};
    if (!config.contexts.contains(name)) return fail(Errc::not_found, fmt::format("there is no context {}", name));
    config.current = name;
    CHECK(save_ctl_config(run.io(), config));
    run.say(fmt::format("the current context is {}", name));
    return ctl_exit::success;
}

}  // namespace

std::vector<CtlCommand> session_commands()
{
    return {
        {.path = "login",
         .text = "logs in to a server and makes it the current context",
         .arguments = {{.name = "server", .text = "its address; https unless it says otherwise or is this machine"}},
         .options =
             {{.name = "user", .value = "NAME", .text = "who to be; asked for where somebody is there"},
              {.name = "password-stdin", .text = "read the password from standard input"},
              {.name = "name", .value = "NAME", .text = "what to call the context; default: the server's name"},
              {.name = "expires", .value = "TIME", .text = "how long the token counts, such as 12h; default: 90d"}},
         .traits = {.shows = true},
         .run = login,
         .more = "What is kept of a person is an access token made for this purpose, never the password; where the "
                 "server makes none, the log-in fails. An access token given as the password is kept as it is. Robots "
                 "get no tokens: a robot's secret is kept as it is. The file of contexts is "
                 "~/.config/entrepot/config.json, readable by its owner alone. Making and revoking tokens and changing "
                 "one's own password takes the password again: it is asked for, or taken from ENTREPOT_USER and "
                 "ENTREPOT_PASSWORD.",
         .example = "entrepot ctl login registry.example --user ada"},
        {.path = "logout",
         .text = "forgets a context, and revokes its token where the password is at hand",
         .traits = {.shows = true},
         .run = logout,
         .more =
             "A token can't revoke itself. The password is taken from ENTREPOT_PASSWORD (if ENTREPOT_USER is unset or "
             "that user), or asked for; without it the token counts until it expires, and a message says how to end "
             "it."},
        {.path = "whoami",
         .text = "shows who you are to the server",
         .traits = ctl_showing,
         .run = whoami,
         .more = "Of a robot, its name and level are shown."},
        {.path = "context list",
         .text = "lists the servers that you are logged in to",
         .traits = {.shows = true, .remote = false},
         .run = list_contexts},
        {.path = "context use",
         .text = "makes a context the current one",
         .arguments = {{.name = "name", .text = "the context's name"}},
         .traits = {.shows = true, .remote = false},
         .run = use_context},
    };
}

}  // namespace entrepot
