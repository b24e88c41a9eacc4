#include "tenancy/tenancy_names.hpp"

#include "core/utf8.hpp"

#include <algorithm>
#include <string>

namespace entrepot {
namespace {

constexpr std::size_t longest_tenant_name = 63;
constexpr std::size_t longest_shown_name = 128;
constexpr std::size_t longest_shown_text = 1024;

bool is_digit(char c) noexcept
{
    return c >= '0' && c <= '9';
}

bool is_word(char c) noexcept
{
    return is_digit(c) || (c >= 'a' && c <= 'z');
}

}  // namespace

Result<> check_tenant_name(std::string_view name)
{
    const auto fits = [&] {
        if (name.empty() || name.size() > longest_tenant_name || !is_word(name.front()) || !is_word(name.back())) {
            return false;
        }
        for (std::size_t i = 1; i < name.size(); ++i) {
            if (is_word(name[i])) continue;
            if (!std::string_view{"._-"}.contains(name[i]) || !is_word(name[i - 1])) return false;
        }
        return !std::ranges::all_of(name, is_digit);
    };
    if (fits()) return {};
    return fail(
        Errc::bad_request,
        "a tenant's name has 1 to 63 lower-case letters, digits and single '.', '_' or '-' between them, and is no "
        "number"
    );
}

Result<> check_shown_name(std::string_view what, std::string_view name)
{
    if (!name.empty() && name.size() <= longest_shown_name && is_plain_text(name) && name.front() != ' ' &&
        name.back() != ' ') {
        return {};
    }
    return fail(Errc::bad_request, std::string{what} + " is not a name of 1 to 128 bytes of plain text");
}

Result<> check_shown_text(std::string_view what, std::string_view text)
{
    if (text.size() <= longest_shown_text && is_plain_text(text)) return {};
    return fail(Errc::bad_request, std::string{what} + " has more than 1024 bytes, or is not plain text");
}

}  // namespace entrepot
