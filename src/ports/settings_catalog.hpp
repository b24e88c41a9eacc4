#pragma once

#include "core/task.hpp"
#include "ports/actor.hpp"

#include <map>
#include <optional>
#include <string>

namespace entrepot {

// What was set at run time, for all instances. Names and values are opaque here. unavailable, storage_full.
class SettingsCatalog {
public:
    using Values = std::map<std::string, std::string, std::less<>>;
    // nullopt: back to the default.
    using Changes = std::map<std::string, std::optional<std::string>, std::less<>>;

    virtual ~SettingsCatalog() = default;
    virtual Task<Values> all() = 0;
    virtual Task<> change(Changes changes, Actor actor) = 0;  // all of them or none
};

}  // namespace entrepot
