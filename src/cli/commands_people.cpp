#include "cli/ctl_access.hpp"
#include "cli/ctl_generic.hpp"
#include "cli/ctl_tables.hpp"

#include <fmt/format.h>

namespace entrepot {
namespace {

namespace json = boost::json;

const CtlColumns user_columns{
    {"NAME", "username"},
    {"ID", "user_id"},
    {"FULL NAME", "realname"},
    {"EMAIL", "email"},
    {"ADMIN", "sysadmin_flag"},
    {"DISABLED", "disabled"},
    {"CREATED", "creation_time"},
};
const CtlColumns group_columns{
    {"NAME", "group_name"}, {"ID", "id"}, {"TYPE", "group_type"}, {"LDAP DN", "ldap_group_dn"}
};
const CtlColumns token_columns{
    {"NAME", "name"},
    {"ID", "id"},
    {"SCOPES", "scopes", CtlFormat::access},
    {"EXPIRES", "expires_at", CtlFormat::seconds},
    {"LAST USED", "last_used_time"},
    {"CREATED", "creation_time"},
};

const CtlArgument user{.name = "user", .text = "the user's name"};

Result<int> create_user(CtlRun& run)
{
    TRY(auto body, run.body());
    TRY(const auto password, run.secret("password", "ENTREPOT_NEW_PASSWORD", "Password of the new user: "));
    body["password"] = password;
    if (!body.contains("realname")) body["realname"] = run.value("user");
    TRY(auto* const api, run.api());
    TRY(const auto answer, api->call("POST", "users", body));
    CHECK(run.print_change(answer, said_text(run, "user {user}: created")));
    return ctl_exit::success;
}

Result<int> set_password(CtlRun& run)
{
    json::object body;
    if (run.has("old-password-stdin") && run.has("password-stdin"))
        return fail(Errc::bad_request, "only one password can come from standard input");
    TRY(auto* const known, run.api());
    if (run.has("old-password-stdin")) {
        TRY(const auto old, run.secret("old-password", nullptr, {}));
        body["old_password"] = old;
        run.use_password(old);
    } else if (run.value("user") == known->context().user) {
        TRY(auto* const own, run.api_with_password());
        body["old_password"] = own->context().password;
    }
    TRY(const auto password, run.secret("password", "ENTREPOT_NEW_PASSWORD", "New password: "));
    body["new_password"] = password;
    TRY(const auto path, run.path("users/{user:user}/password"));
    TRY(auto* const api, run.api());
    CHECK(api->call("PUT", path, body));
    run.say(said_text(run, "user {user}: has a new password"));
    return ctl_exit::success;
}

Result<int> set_admin(CtlRun& run)
{
    const bool admin = run.value("state") == "on";
    if (!admin && run.value("state") != "off") return fail(Errc::bad_request, "the last argument is on or off");
    TRY(const auto path, run.path("users/{user:user}/sysadmin"));
    TRY(auto* const api, run.api());
    CHECK(api->call("PUT", path, json::object{{"sysadmin_flag", admin}}));
    run.say(said_text(run, admin ? "user {user}: is an admin of the platform" : "user {user}: is no admin any more"));
    return ctl_exit::success;
}

Result<int> create_token(CtlRun& run)
{
    TRY(auto body, run.body());
    TRY(auto scopes, parse_access(run.line().all("scope"), nullptr));
    if (!scopes.empty()) body["scopes"] = std::move(scopes);
    TRY(auto* const api, run.api_with_password());
    TRY(const auto answer, api->call("POST", "users/current/tokens", body));
    const CtlColumns columns{
        {"TOKEN", "token"}, {"NAME", "name"}, {"ID", "id"}, {"EXPIRES", "expires_at", CtlFormat::seconds}
    };
    run.print_object(answer.body, columns);
    return ctl_exit::success;
}

Result<int> revoke_token(CtlRun& run)
{
    CHECK(run.api_with_password());
    static const auto revoke =
        delete_at("users/current/tokens/{name:token}", "the token {name}", "token {name}: revoked");
    return revoke(run);
}

constexpr std::string_view needs_password =
    "Tokens make and revoke no tokens: where `login` keeps one, the password is asked for, or comes from ENTREPOT_USER "
    "and ENTREPOT_PASSWORD.";

std::vector<CtlCommand> users()
{
    const CtlOption password{.name = "password-stdin", .text = "read the password from standard input"};
    return {
        {.path = "user list", .text = "lists users", .traits = ctl_listing, .run = list_of("users", user_columns)},
        {.path = "user show",
         .text = "shows a user",
         .arguments = {user},
         .traits = ctl_showing,
         .run = show_of("users/{user:user}", user_columns)},
        {.path = "user create",
         .text = "makes a user",
         .arguments = {{.name = "user", .text = "the new user's name", .field = "username"}},
         .options =
             {{.name = "email", .value = "ADDRESS", .text = "e-mail address", .field = "email"},
              {.name = "full-name", .value = "TEXT", .text = "what people call them", .field = "realname"},
              {.name = "comment", .value = "TEXT", .text = "a comment", .field = "comment"},
              password},
         .traits = ctl_showing,
         .run = create_user,
         .more = "The password comes from standard input, from the variable ENTREPOT_NEW_PASSWORD, or is asked for.",
         .example = "entrepot ctl user create ada --email ada@acme.example --password-stdin < password.txt"},
        {.path = "user disable",
         .text = "lets a user in no more, by whatever credential",
         .arguments = {user},
         .traits = ctl_showing,
         .run = change_at("users/{user:user}", "user {user}: disabled", {{"disabled", true}})},
        {.path = "user enable",
         .text = "ends that",
         .arguments = {user},
         .traits = ctl_showing,
         .run = change_at("users/{user:user}", "user {user}: enabled", {{"disabled", false}})},
        {.path = "user delete",
         .text = "deletes a user",
         .arguments = {user},
         .traits = ctl_deleting,
         .run = delete_at("users/{user:user}", "the user {user}", "user {user}: deleted")},
        {.path = "user password",
         .text = "gives a user a new password",
         .arguments = {user},
         .options = {password, {.name = "old-password-stdin", .text = "read one's old password from standard input"}},
         .traits = ctl_showing,
         .run = set_password,
         .more =
             "One's own takes the old one: the one that one is logged in with, from ENTREPOT_USER and "
             "ENTREPOT_PASSWORD, from standard input, or asked for. The new one comes from standard input, from the "
             "variable ENTREPOT_NEW_PASSWORD, or is asked for."},
        {.path = "user admin",
         .text = "makes a user an admin of the platform, or ends that",
         .arguments = {user, {.name = "state", .text = "on or off"}},
         .traits = ctl_showing,
         .run = set_admin},
    };
}

std::vector<CtlCommand> groups_and_tokens()
{
    return {
        {.path = "group list",
         .text = "lists groups of outside directories",
         .traits = ctl_listing,
         .run = list_of("usergroups", group_columns)},
        {.path = "group create",
         .text = "makes a group known",
         .arguments = {{.name = "group", .text = "the group's name", .field = "group_name"}},
         .options =
             {{.name = "type",
               .value = "NUMBER",
               .text = "1 LDAP, 2 HTTP proxy, 3 OIDC",
               .field = "group_type",
               .kind = CtlValue::integer,
               .choices = {"1", "2", "3"},
               .required = true},
              {.name = "ldap-dn", .value = "DN", .text = "where it is in the directory", .field = "ldap_group_dn"}},
         .traits = ctl_showing,
         .run = send_to("POST", "usergroups", "group {group}: created")},
        {.path = "group delete",
         .text = "forgets a group and what was granted to it",
         .arguments = {{.name = "group", .text = "the group's name"}},
         .traits = ctl_deleting,
         .run = delete_at("usergroups/{group:group}", "the group {group}", "group {group}: deleted")},
        {.path = "token list",
         .text = "lists your access tokens",
         .traits = ctl_listing,
         .run = list_of("users/current/tokens", token_columns)},
        {.path = "token create",
         .text = "makes an access token and prints it, once",
         .arguments = {{.name = "name", .text = "what to call it", .field = "name"}},
         .options =
             {{.name = "scope",
               .value = "KIND/NAME:RESOURCE:ACTION",
               .text =
                   "what it can be used for, such as project/web:repository:pull; several times; without it, for all "
                   "that you may",
               .repeated = true},
              {.name = "expires",
               .value = "TIME",
               .text = "until when it counts: 30d, 2026-12-31, never",
               .field = "expires_at",
               .kind = CtlValue::moment}},
         .traits = ctl_showing,
         .run = create_token,
         .more = needs_password,
         .example = "entrepot ctl token create laptop --expires 30d --quiet"},
        {.path = "token revoke",
         .text = "ends an access token",
         .arguments = {{.name = "name", .text = "the token's name"}},
         .traits = ctl_deleting,
         .run = revoke_token,
         .more = needs_password},
    };
}

}  // namespace

std::vector<CtlCommand> people_commands()
{
    auto all = users();
    for (auto& command : groups_and_tokens()) all.push_back(std::move(command));
    return all;
}

}  // namespace entrepot
