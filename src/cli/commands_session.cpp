#include "cli/ctl_generic.hpp"
#include "cli/ctl_tables.hpp"
#include "client/http_url.hpp"

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

std::string name_for(const CtlContext& context)
{
    const auto url = parse_http_url(context.url);
    return url ? url->authority() : context.url;
}

// A token instead of the password, so that the password is written down nowhere. Servers and accounts that have no
// tokens (robots) keep the secret they came with.
Result<> trade_for_token(CtlRun& run, CtlApi& api, CtlContext& context)
{
    const json::object request{
        {"name", fmt::format("ctl on {} {}", run.io().host_name(), run.io().now() / 1'000'000)},
        {"expires_at",
         run.io().now() / 1'000'000 + parse_ctl_duration(run.has("expires") ? run.value("expires") : "90d").value_or(0)
        },
    };
    auto answer = api.call("POST", "users/current/tokens", request);
    if (!answer && (answer.error().code() == Errc::unavailable || answer.error().code() == Errc::connection_lost))
        return std::unexpected{std::move(answer).error()};
    const auto* object = answer ? answer->body.if_object() : nullptr;
    const auto token = object != nullptr ? field_text(*object, "token") : std::string{};
    if (token.empty()) {
        run.io().error(fmt::format(
            "{} makes no token for {}{}; the password is kept in the contexts file\n",
            context.url,
            context.user,
            answer ? "" : " (" + answer.error().message() + ")"
        ));
        return {};
    }
    context.token = token;
    context.password.clear();
    if (const auto* id = find_field(*object, "id"); id != nullptr && id->is_int64()) context.token_id = id->as_int64();
    return {};
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
    // A robot may have no page about itself; the list of projects is there for everybody who is logged in.
    if (auto known = api.get("users/current"); !known) {
        if (known.error().code() == Errc::unauthorized)
            return fail(Errc::unauthorized, "the user or the password is wrong");
        CHECK(api.get("projects?page_size=1"));
    }
    CHECK(trade_for_token(run, api, context));
    TRY(auto config, load_ctl_config(run.io()));
    const auto name = run.has("name") ? std::string{run.value("name")} : name_for(context);
    config.contexts[name] = context;
    config.current = name;
    CHECK(save_ctl_config(run.io(), config));
    run.say(fmt::format("logged in to {} as {} (context {})", context.url, context.user, name));
    return ctl_exit::success;
}

Result<int> logout(CtlRun& run)
{
    TRY(auto config, load_ctl_config(run.io()));
    const std::string name{run.has("context") ? run.value("context") : std::string_view{config.current}};
    const auto found = config.contexts.find(name);
    if (found == config.contexts.end()) return fail(Errc::unauthorized, "not logged in");
    if (found->second.token_id != 0) {
        CtlApi api{run.io(), found->second};
        const auto revoked = api.call("DELETE", fmt::format("users/current/tokens/{}", found->second.token_id));
        if (!revoked) run.io().error(fmt::format("the token could not be revoked: {}\n", revoked.error().message()));
    }
    config.contexts.erase(found);
    if (config.current == name) config.current.clear();
    CHECK(save_ctl_config(run.io(), config));
    run.say(fmt::format("logged out of context {}", name));
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
         .more = "What is kept is an access token made for this purpose, not the password. The file of contexts is "
                 "~/.config/entrepot/config.json, readable by its owner alone.",
         .example = "entrepot ctl login registry.example --user ada"},
        {.path = "logout", .text = "forgets a context and revokes its token", .traits = {.shows = true}, .run = logout},
        {.path = "whoami",
         .text = "shows who you are to the server",
         .traits = ctl_showing,
         .run = show_of("users/current", whoami_card)},
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
