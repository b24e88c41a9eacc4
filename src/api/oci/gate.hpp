#pragma once

#include "access/policy.hpp"
#include "api/token/authenticator.hpp"
#include "api/token/sessions.hpp"
#include "core/task.hpp"
#include "http/message.hpp"
#include "oci/names.hpp"
#include "ports/external_authoriser.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace entrepot {

// Who is asking and whether they may. What is forbidden and what does not exist get the same answer: the decision falls
// before anybody looks whether the repository exists.
class Gate {
public:
    Gate(
        Authenticator& authenticator,
        Sessions& sessions,
        AccessPolicy& policy,
        std::string service,
        std::string external_url
    )
        : authenticator_{authenticator},
          sessions_{sessions},
          policy_{policy},
          service_{std::move(service)},
          external_url_{std::move(external_url)}
    {
    }

    // Somebody to be asked as well before anything is allowed; null: nobody. Before the first request.
    void consult(ExternalAuthoriser* external) noexcept { external_ = external; }
    // Whether they object to a change through the management API. denied.
    Task<> check_change(const Request& request, Caller caller);

    // From memory: the caller, if it is known who that is and that they may; nullopt: ask admit().
    std::optional<Caller> peek(const Request& request, std::string_view repository, Action action) noexcept;
    // unauthorized, denied, too_many_requests, unavailable.
    Task<Caller> admit(const Request& request, std::string_view repository, Action action);
    // The same for a pull by another name, a former one or that of a repository whose source this is: judged by `here`,
    // with a token for either name.
    Task<Caller> admit_asked_as(const Request& request, std::string_view asked, std::string_view here);
    // The caller from memory, whatever they may; nullopt where somebody has to be asked.
    std::optional<Caller> recall(const Request& request) noexcept;
    // The caller whatever they may.
    Task<Caller> identify(const Request& request);

    // The answer to an error of admit(): with a challenge (RFC 6750 section 3, and the token specification of
    // distribution) that names `scope` when it is 401.
    Response refuse(const Request& request, const Error& error, std::string_view scope) const;

    // The caller of the management API: Basic credentials, a personal access token as Bearer, or a session's cookie,
    // whose changing requests carry the session's CSRF token. The registry's own tokens manage nothing. A session that
    // has ended is anonymous. unauthorized, denied (CSRF), too_many_requests, unavailable.
    Task<Caller> identify_management(const Request& request);
    // The answer to an error there.
    Response refuse_management(const Request& request, const Error& error) const;
    // What a browser's next change has to carry: X-Harbor-CSRF-Token, where the request came with a session's cookie.
    static void add_csrf_token(const Request& request, Response& response);

private:
    Task<Caller> admitted(const Request& request, Caller caller, bool may, std::string_view repository, Action action);
    std::string realm(const Request& request) const;

    Task<Caller> identify_session(const Request& request, std::string id);

    Authenticator& authenticator_;
    Sessions& sessions_;
    AccessPolicy& policy_;
    std::string service_;
    std::string external_url_;
    ExternalAuthoriser* external_ = nullptr;
};

}  // namespace entrepot
