#pragma once

#include "tenancy/granting.hpp"

namespace entrepot {

// A grant as somebody asks for it: the object by id, or by name where that is 0.
struct GrantWish {
    SubjectRef subject;
    ObjectKind object_kind = ObjectKind::platform;
    std::int64_t object_id = 0;
    std::string object_name;
    std::string pattern;  // required for repositories, possible for what other systems administer
    RoleRef role;
    Micros expires_at = 0;
};

// The grants table as people see it: those who may list or change the grants of an object. A grant on an object that
// the caller does not see is not found. unavailable.
class Grants {
public:
    explicit Grants(Granting& granting) : granting_{granting} {}

    Task<ListPage<Grant>> list(Caller caller, ListQuery query);  // bad_request
    Task<Grant> find(Caller caller, std::int64_t id);            // not_found
    // not_found (object, subject, role), denied, conflict, bad_request.
    Task<Grant> create(Caller caller, GrantWish wish);
    Task<Grant> remove(Caller caller, std::int64_t id);  // what it was; not_found, denied

    // A chore: takes the rows that expired long ago. Expired grants count for nothing from the moment on.
    Task<> remove_expired();

private:
    GrantReach reach_of(const Caller& caller) const;
    Result<ObjectRef> object_of_wish(const GrantWish& wish) const;

    Granting& granting_;
};

}  // namespace entrepot
