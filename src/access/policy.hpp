#pragma once

#include "access/identity.hpp"

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace entrepot {

// Who may create the project that a push names.
enum class ProjectCreation { nobody, admins, everyone };

// What the policy knows of a project.
struct ProjectAccess {
    std::int64_t id = 0;
    bool is_public = false;
    std::int64_t owner_id = 0;
};

// Who may do what, decided from memory alone. Holds one small entry per project (about 100 bytes each). Safe from any
// thread; changes are seen by the next decision.
class AccessPolicy {
public:
    explicit AccessPolicy(ProjectCreation creation) : creation_{creation} {}

    void put(std::string project, ProjectAccess access);
    void erase(std::string_view project);
    // Puts what `fill` puts in place of all there was, in one step for readers.
    using Put = std::function<void(std::string project, ProjectAccess access)>;
    void replace(const std::function<void(const Put&)>& fill);
    std::optional<ProjectAccess> project(std::string_view name) const;

    // What the identity itself may do to the repository, tokens aside. On a project that does not exist: what it
    // could do once a push had created it, so the answer does not tell whether it exists.
    ActionSet allowed(const Identity& identity, std::string_view repository) const;
    bool may_create_project(const Identity& identity) const noexcept;
    bool may_list_catalog(const Identity& identity) const noexcept { return !identity.anonymous(); }

    // The same, narrowed by the caller's token.
    bool may(const Caller& caller, std::string_view repository, Action action) const;

private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
    };
    ProjectCreation creation_;
    mutable std::shared_mutex mutex_;
    std::unordered_map<std::string, ProjectAccess, Hash, std::equal_to<>> projects_;
};

}  // namespace entrepot
