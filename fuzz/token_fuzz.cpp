#include "access/scope.hpp"
#include "api/token/claims_json.hpp"
#include "api/token/credentials.hpp"
#include "api/token/signing_key.hpp"
#include "api/token/token_form.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

// Whatever a client sends instead of a token must not crash, and must not pass for one.
void check_token(std::string_view text)
{
    static const auto key = entrepot::SigningKey::generate();
    const auto token = entrepot::SignedToken::parse(text);
    if (token && token->payload_signed_by(*key)) std::abort();
}

// What a scope was read as, written and read again is the same.
void check_scopes(const std::string& text)
{
    const auto scopes = entrepot::parse_scopes(std::vector{text});
    if (!scopes) return;
    const auto again = entrepot::parse_scopes(std::vector{entrepot::scope_text(*scopes)});
    if (!again || again->entries.size() != scopes->entries.size() || again->catalog != scopes->catalog) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string text{reinterpret_cast<const char*>(data), size};
    check_token(text);
    check_scopes(text);
    entrepot::parse_basic(text);
    const auto authorization = entrepot::split_authorization(text);
    if (authorization.scheme == entrepot::Authorization::Scheme::basic) entrepot::parse_basic(authorization.value);
    if (const auto claims = entrepot::claims_from_json(text)) {
        if (!entrepot::claims_from_json(entrepot::claims_to_json(*claims))) std::abort();
    }
    (void)entrepot::parse_token_query(text);
    (void)entrepot::parse_token_form(text);
    return 0;
}
