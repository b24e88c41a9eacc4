#pragma once

#include "ports/settings_catalog.hpp"

namespace entrepot {

// What was set, in memory; unavailable while it is `away`.
class MemorySettings final : public SettingsCatalog {
public:
    Values stored;
    bool away = false;

    Task<Values> all() override
    {
        if (away) co_return fail(Errc::unavailable, "away");
        co_return stored;
    }
    Task<> change(Changes changes, Actor) override
    {
        for (auto& [name, value] : changes) {
            if (value) {
                stored.insert_or_assign(name, *value);
            } else {
                stored.erase(name);
            }
        }
        co_return Result<>{};
    }
};

}  // namespace entrepot
