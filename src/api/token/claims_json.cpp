#include "api/token/claims_json.hpp"

#include "access/scope.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace entrepot {
namespace {

namespace json = boost::json;

std::unexpected<Error> malformed()
{
    return fail(Errc::unauthorized, "the token is not valid", "malformed claims");
}

json::object access_entry(std::string_view type, std::string_view name, ActionSet actions)
{
    json::array words;
    if (type == "registry") {
        words.emplace_back("*");
    } else {
        for (const auto action : {Action::pull, Action::push, Action::remove}) {
            if ((actions & bit(action)) != 0) words.emplace_back(action_list(bit(action), ","));
        }
    }
    return {{"type", type}, {"name", name}, {"actions", std::move(words)}};
}

bool read_text(const json::object& object, std::string_view name, std::string& into)
{
    const auto* value = object.if_contains(name);
    if (value == nullptr || !value->is_string()) return false;
    into = value->get_string();
    return true;
}

bool read_number(const json::object& object, std::string_view name, std::int64_t& into)
{
    const auto* value = object.if_contains(name);
    if (value == nullptr || !value->is_int64()) return false;
    into = value->get_int64();
    return true;
}

bool read_entry(const json::value& value, TokenScopes& scopes)
{
    const auto* entry = value.if_object();
    std::string type;
    std::string name;
    if (entry == nullptr || !read_text(*entry, "type", type) || !read_text(*entry, "name", name)) return false;
    const auto* words = entry->if_contains("actions");
    if (words == nullptr || !words->is_array()) return false;
    ActionSet actions = 0;
    for (const auto& word : words->get_array()) {
        if (!word.is_string()) return false;
        actions |= action_named(word.get_string());
    }
    if (type == "repository") scopes.entries.push_back({std::move(name), actions});
    if (type == "registry" && name == "catalog" && actions == all_actions) scopes.catalog = true;
    return true;
}

bool read_access(const json::object& object, TokenScopes& scopes)
{
    const auto* access = object.if_contains("access");
    if (access == nullptr || !access->is_array()) return false;
    for (const auto& entry : access->get_array()) {
        if (!read_entry(entry, scopes)) return false;
    }
    return true;
}

}  // namespace

std::string claims_to_json(const TokenClaims& claims)
{
    json::array access;
    for (const auto& entry : claims.scopes.entries) {
        access.emplace_back(access_entry("repository", entry.repository, entry.actions));
    }
    if (claims.scopes.catalog) access.emplace_back(access_entry("registry", "catalog", 0));
    json::object object{
        {"iss", claims.issuer},
        {"sub", claims.subject},
        {"aud", claims.audience},
        {"exp", claims.expires_at},
        {"nbf", claims.not_before},
        {"iat", claims.issued_at},
        {"jti", claims.id},
        {"access", std::move(access)},
    };
    if (claims.user_id != 0) {
        object["uid"] = claims.user_id;
        object["cver"] = claims.credential_version;
    }
    if (claims.access_token_id != 0) object["pat"] = claims.access_token_id;
    return json::serialize(object);
}

Result<TokenClaims> claims_from_json(std::string_view text)
{
    boost::system::error_code bad;
    const auto value = json::parse(text, bad);
    const auto* object = bad ? nullptr : value.if_object();
    if (object == nullptr) return malformed();
    TokenClaims claims;
    const bool complete = read_text(*object, "iss", claims.issuer) && read_text(*object, "sub", claims.subject) &&
                          read_text(*object, "aud", claims.audience) && read_text(*object, "jti", claims.id) &&
                          read_number(*object, "exp", claims.expires_at) &&
                          read_number(*object, "nbf", claims.not_before) &&
                          read_number(*object, "iat", claims.issued_at) && read_access(*object, claims.scopes);
    if (!complete) return malformed();
    if (claims.subject.empty()) return claims;
    if (!read_number(*object, "uid", claims.user_id) || claims.user_id <= 0) return malformed();
    if (!read_number(*object, "cver", claims.credential_version)) return malformed();
    if (object->contains("pat") && !read_number(*object, "pat", claims.access_token_id)) return malformed();
    return claims;
}

}  // namespace entrepot
