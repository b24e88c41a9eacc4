#pragma once

#include "core/random.hpp"
#include "ports/password_hasher.hpp"
#include "ports/robot_catalog.hpp"
#include "tenancy/granting.hpp"
#include "tenancy/settings.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace entrepot {

// What a robot shall be allowed, by names: on the system ("/"), on a tenant, on a project, or on every project ("*") of
// the system or of a tenant's robot's tenant.
struct RobotPermission {
    RobotLevel kind = RobotLevel::project;
    std::string name;
    std::vector<std::pair<std::string, std::string>> access;  // resource and action
};

// Only its short name: "ci", which becomes robot$project+ci, robot$@tenant+ci or robot$ci. A project's robot has
// exactly one permission, on its project; a tenant's robot says by one of kind tenant, which may be empty, whose it is.
struct RobotOrder {
    std::string name;
    RobotLevel level = RobotLevel::project;
    std::string description;
    bool disabled = false;
    std::int64_t days = 0;  // -1: for ever; 0: the installation's default
    std::vector<RobotPermission> permissions;
};

// What is not set stays as it is. Name and level can only be repeated.
struct RobotWish {
    std::optional<std::string> name{};
    std::optional<RobotLevel> level{};
    std::optional<std::string> description{};
    std::optional<bool> disabled{};
    std::optional<std::int64_t> days{};  // from its creation; -1: for ever; 0: the installation's default
    std::optional<std::vector<RobotPermission>> permissions{};
};

// Machines' accounts. Whoever administers robots at a level gives them nothing that they do not hold themselves, be it
// by making one, by changing one, or by taking over one that has more through a new secret; robots that make robots are
// bound by the same rule. Secrets leave here once and are kept as hashes: those made here, which nobody guesses, by
// SHA-256, and those that somebody chose as passwords are.
class Robots {
public:
    struct Needs {
        RobotCatalog& catalog;
        Granting& granting;
        const Settings& settings;
        PasswordHasher& hasher;
        Random& random;
    };
    explicit Robots(const Needs& needs) : needs_{needs} {}

    static constexpr std::chrono::hours usual_overlap{24};
    static constexpr std::chrono::hours longest_overlap{24 * 30};

    struct Made {
        Robot robot;
        std::string secret;
    };
    Task<Made> create(Caller caller, RobotOrder order);  // bad_request, conflict, not_found, denied
    // `home`: the project or tenant whose robots are asked for, 0 for the system's.
    Task<ListPage<Robot>> list(Caller caller, RobotLevel level, std::int64_t home, ListQuery query);
    Task<Robot> find(Caller caller, std::int64_t id);  // not_found, denied
    struct Changed {
        Robot before;
        Robot after;
    };
    Task<Changed> change(Caller caller, std::int64_t id, RobotWish wish);
    // An empty `secret`: one is made. Answers it. The one before stays good for `overlap`. As above, and unavailable.
    struct Rotated {
        Robot robot;
        std::string secret;
    };
    Task<Rotated> rotate(Caller caller, std::int64_t id, std::string secret, std::chrono::seconds overlap);
    Task<Robot> remove(Caller caller, std::int64_t id);

private:
    Task<Robot> found(Caller caller, std::int64_t id, std::string_view action);
    Result<std::vector<RobotRight>>
    rights_of(const Caller& caller, const Robot& robot, const std::vector<RobotPermission>& permissions) const;
    Result<ObjectRef> home_of(const Caller& caller, const RobotOrder& order) const;
    Result<> expect_holds(const Caller& caller, const std::vector<RobotRight>& rights) const;
    Result<Micros> expiry(std::int64_t days, Micros from) const;

    Needs needs_;
};

// Whether a robot can be given this permission of a platform, tenant or project at all.
bool robots_may_have(Permission permission) noexcept;

}  // namespace entrepot
