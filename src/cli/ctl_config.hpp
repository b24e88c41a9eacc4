#pragma once

#include "cli/ctl_io.hpp"
#include "core/error.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace entrepot {

// One server and who one is there.
struct CtlContext {
    std::string url;  // without /api/v2.0 and without a slash at the end
    std::string user;
    std::string password;       // of a robot, which gets no tokens
    std::string token;          // a personal access token; counts more than the password
    std::int64_t token_id = 0;  // of a token that the log-in made
    std::string token_name;
    std::int64_t token_expires = 0;  // seconds since 1970; 0: not known
    std::string ca_file;
    bool insecure = false;
};

// The contexts file: JSON in $XDG_CONFIG_HOME/entrepot/config.json (~/.config without it), readable by its owner alone.
struct CtlConfig {
    std::string current;
    std::map<std::string, CtlContext, std::less<>> contexts;
};

Result<std::string> ctl_config_path(const CtlIo& io);  // bad_request where there is no home
Result<CtlConfig> load_ctl_config(const CtlIo& io);    // a file that is missing holds nothing
Result<> save_ctl_config(CtlIo& io, const CtlConfig& config);

// Who to be where: ENTREPOT_URL with ENTREPOT_USER and ENTREPOT_PASSWORD or ENTREPOT_TOKEN; else the context of that
// name, or the current one, in which single variables replace single fields. unauthorized when there is none.
Result<CtlContext> choose_ctl_context(const CtlIo& io, std::string_view name);

// "registry.example" → "https://registry.example"; a loopback address without a scheme gets http. bad_request.
Result<std::string> server_url_of(std::string_view text);

// The password that the environment has for this user, if it has one.
std::optional<std::string> password_at_hand(const CtlIo& io, const CtlContext& context);

// What goes into the Authorization header; empty when nothing is known.
std::string authorization_of(const CtlContext& context);

}  // namespace entrepot
