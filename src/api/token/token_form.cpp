#include "api/token/token_form.hpp"

#include "access/scope.hpp"
#include "http/message.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <vector>

namespace entrepot {
namespace {

// What is stored beside a refresh token.
constexpr std::size_t longest_client_id = 255;

struct Parameter {
    std::string_view name;
    std::string TokenForm::* member;
};
constexpr std::array parameters{
    Parameter{"grant_type", &TokenForm::grant_type},
    Parameter{"service", &TokenForm::service},
    Parameter{"client_id", &TokenForm::client_id},
    Parameter{"access_type", &TokenForm::access_type},
    Parameter{"scope", &TokenForm::scope},
    Parameter{"username", &TokenForm::username},
    Parameter{"password", &TokenForm::password},
    Parameter{"refresh_token", &TokenForm::refresh_token},
};

// What the grant type needs besides (RFC 6749 sections 4.3.2 and 6); empty when nothing is missing.
std::string_view missing_parameter(const TokenForm& form)
{
    if (form.grant_type == "password" && form.username.empty()) return "username";
    if (form.grant_type == "password" && form.password.empty()) return "password";
    if (form.grant_type == "refresh_token" && form.refresh_token.empty()) return "refresh_token";
    return {};
}

}  // namespace

Result<TokenQuery> parse_token_query(std::string_view query)
{
    auto fields = parse_form(query);
    if (!fields) return fail(Errc::bad_request, "the query is malformed");
    TokenQuery parsed;
    std::vector<std::string> scopes;
    for (auto& field : *fields) {
        if (field.name == "scope")
            scopes.push_back(std::move(field.value));
        else if (field.name == "service")
            parsed.service = std::move(field.value);
        else if (field.name == "client_id")
            parsed.client_id = std::move(field.value);
        else if (field.name == "offline_token")
            parsed.offline = field.value == "true" || field.value == "1";
    }
    if (parsed.client_id.size() > longest_client_id) return fail(Errc::bad_request, "the client_id is too long");
    TRY(parsed.scopes, parse_scopes(scopes));
    return parsed;
}

Result<TokenForm> parse_token_form(std::string_view body)
{
    auto fields = parse_form(body);
    if (!fields) return fail(Errc::oauth_invalid_request, "the form is malformed");
    TokenForm form;
    std::set<std::string_view> seen;
    for (auto& field : *fields) {
        const auto known = std::ranges::find(parameters, field.name, &Parameter::name);
        if (known == parameters.end()) continue;
        if (!seen.insert(known->name).second) {
            return fail(Errc::oauth_invalid_request, "the parameter " + field.name + " is repeated");
        }
        form.*(known->member) = std::move(field.value);
    }
    if (form.grant_type.empty()) return fail(Errc::oauth_invalid_request, "the parameter grant_type is missing");
    if (form.client_id.size() > longest_client_id)
        return fail(Errc::oauth_invalid_request, "the client_id is too long");
    if (const auto missing = missing_parameter(form); !missing.empty()) {
        return fail(Errc::oauth_invalid_request, "the parameter " + std::string{missing} + " is missing");
    }
    return form;
}

}  // namespace entrepot
