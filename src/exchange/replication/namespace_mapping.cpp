#include "exchange/replication/namespace_mapping.hpp"

#include <string>

namespace entrepot {

Result<RepositoryName> mapped_repository(const RepositoryName& name, std::string_view space, std::int32_t replaced)
{
    if (space.empty()) return name;
    const std::string_view text = name.text();
    auto rest = text.substr(text.rfind('/') + 1);
    if (replaced >= 0) {
        rest = text;
        for (std::int32_t segment = 0; segment < replaced; ++segment) {
            const auto slash = rest.find('/');
            if (slash == std::string_view::npos) {
                return fail(
                    Errc::unprocessable,
                    name.text() + " has too few segments to replace " + std::to_string(replaced) + " of them"
                );
            }
            rest.remove_prefix(slash + 1);
        }
    }
    return RepositoryName::parse(std::string{space}.append("/").append(rest));
}

std::optional<PrefixExchange> exchanged_prefix(std::string_view prefix, std::string_view space, std::int32_t replaced)
{
    if (space.empty()) return PrefixExchange{};
    if (replaced < 0) return std::nullopt;
    std::size_t end = 0;
    for (std::int32_t segment = 0; segment < replaced; ++segment) {
        end = prefix.find('/', end);
        if (end == std::string_view::npos) return std::nullopt;
        ++end;
    }
    return PrefixExchange{std::string{prefix.substr(0, end)}, std::string{space} + "/"};
}

}  // namespace entrepot
