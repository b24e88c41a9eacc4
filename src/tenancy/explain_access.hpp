#pragma once

#include "tenancy/granting.hpp"

#include <optional>
#include <string>

namespace entrepot {

struct AccessQuestion {
    SubjectRef who;  // id 0 and no name: the caller
    ObjectRef object;
    std::string resource;
    std::string action;
};

struct AccessAnswer {
    Explanation explanation;
    std::optional<Grant> grant;           // the one that allows it
    std::optional<Role> role;             // what that gives, or what membership of the tenant does
    std::optional<GrantSubject> through;  // who holds it: the principal, a team, a group
};

// Why somebody may or may not do something. About themselves anybody may ask, as far as they see the object; about
// others whoever may list its grants.
class ExplainAccess {
public:
    explicit ExplainAccess(Granting& granting) : granting_{granting} {}

    // not_found, denied, bad_request (no such permission). The object's name is borrowed for the call.
    Task<AccessAnswer> explain(Caller caller, AccessQuestion question);

private:
    Result<> may_ask(const Caller& caller, const ObjectRef& object, bool about_others) const;
    Task<GrantSubject> principal(Caller caller, SubjectRef who);

    Granting& granting_;
};

}  // namespace entrepot
