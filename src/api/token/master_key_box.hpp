#pragma once

#include "api/token/seal.hpp"
#include "ports/secret_box.hpp"

namespace entrepot {

// Secrets sealed under the master key. Safe from any thread.
class MasterKeyBox final : public SecretBox {
public:
    MasterKeyBox(const MasterKey& key, Random& random) : key_{key}, random_{random} {}

    std::string seal(std::string_view secret, std::string_view context) override
    {
        return entrepot::seal(key_, secret, context, random_);
    }
    Result<std::string> open(std::string_view sealed, std::string_view context) const override
    {
        return unseal(key_, sealed, context);
    }

private:
    const MasterKey& key_;
    Random& random_;
};

}  // namespace entrepot
