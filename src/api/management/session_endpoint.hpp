#pragma once

#include "api/oci/gate.hpp"
#include "api/token/authenticator.hpp"
#include "api/token/login_audit.hpp"
#include "api/token/sessions.hpp"
#include "http/message.hpp"
#include "tenancy/users.hpp"

#include <string>

namespace entrepot {

// Harbor's /c: what browsers log in and out with. POST /c/login (a form: principal, password) begins a session,
// GET /c/log_out ends it, POST /c/userExists (a form: target, value) says whether a name or email is taken, to those
// who could find out anyway. Safe from any thread.
class SessionEndpoint {
public:
    struct Parts {
        Gate& gate;
        Authenticator& authenticator;
        Sessions& sessions;
        Users& users;
        LoginAudit& logins;
    };
    explicit SessionEndpoint(Parts parts) : parts_{parts} {}

    asio::awaitable<Response> handle(const Request& request, ByteSource& body);

private:
    Task<Response> answer(const Request& request, ByteSource& body);
    Task<Response> log_in(const Request& request, ByteSource& body);
    Task<Response> log_out(const Request& request);
    Task<Response> user_exists(const Request& request, ByteSource& body);

    Parts parts_;
};

}  // namespace entrepot
