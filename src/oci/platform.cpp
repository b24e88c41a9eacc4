#include "oci/platform.hpp"

#include "oci/json_fields.hpp"

namespace entrepot {

std::string platform_in(const boost::json::object& object)
{
    std::string platform{find_text(object, "os")};
    platform.append("/").append(find_text(object, "architecture"));
    if (const auto variant = find_text(object, "variant"); !variant.empty()) platform.append("/").append(variant);
    return platform;
}

bool is_of_platform(std::string_view platform, std::string_view wanted) noexcept
{
    return platform == wanted || (platform.starts_with(wanted) && platform.substr(wanted.size()).starts_with('/'));
}

}  // namespace entrepot
