#include "swarm/identity/node_token.hpp"

#include "core/bytes.hpp"
#include "swarm/crypto/sha256_stream.hpp"

#include <algorithm>
#include <utility>

#include <openssl/crypto.h>

namespace entrepot {
namespace {

constexpr std::string_view prefix = "entrepot-node-";
constexpr std::size_t id_bytes = 8;
constexpr std::size_t id_characters = 2 * id_bytes;
constexpr std::size_t secret_bytes = 32;
constexpr std::size_t secret_characters = 43;
constexpr std::size_t checksum_characters = 6;
constexpr std::size_t checked_characters = prefix.size() + id_characters + 1 + secret_characters;
constexpr std::size_t token_characters = checked_characters + checksum_characters;

std::string hash_of(std::string_view text)
{
    return to_hex(as_bytes(sha256_of(as_bytes(text))));
}

std::string checksum_of(std::string_view checked)
{
    return hash_of(checked).substr(0, checksum_characters);
}

bool is_hex(std::string_view text) noexcept
{
    return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

NodeToken NodeToken::make(Random& random)
{
    std::string text;
    text.reserve(token_characters);
    text += prefix;
    text += random.hex(id_bytes);
    text += '-';
    auto secret = random.base64url(secret_bytes);
    text += secret;
    OPENSSL_cleanse(secret.data(), secret.size());
    text += checksum_of(text);
    return NodeToken{std::move(text)};
}

Result<NodeToken> NodeToken::parse(std::string_view text)
{
    const auto refuse = [] { return fail(Errc::bad_request, "not a token for nodes"); };
    if (text.size() != token_characters || !text.starts_with(prefix)) return refuse();
    const auto checked = text.substr(0, checked_characters);
    const auto id = text.substr(prefix.size(), id_characters);
    const auto secret = checked.substr(checked.size() - secret_characters);
    if (!is_id(id) || text[prefix.size() + id_characters] != '-' || !from_base64url(secret)) return refuse();
    if (text.substr(checked_characters) != checksum_of(checked)) return refuse();
    return NodeToken{std::string{text}};
}

bool NodeToken::is_id(std::string_view text) noexcept
{
    return text.size() == id_characters && is_hex(text);
}

NodeToken::~NodeToken()
{
    OPENSSL_cleanse(text_.data(), text_.size());
}

std::string_view NodeToken::id() const noexcept
{
    return std::string_view{text_}.substr(prefix.size(), id_characters);
}

std::string NodeToken::hash() const
{
    return hash_of(text_);
}

Result<> check_node_token(const NodeToken& shown, const NodeTokenRecord& record, std::string_view zone, Micros now)
{
    const auto refuse = [](std::string why) {
        return fail(Errc::unauthorized, "the token for nodes is not accepted", std::move(why));
    };
    // The secret first: who does not have it learns nothing of the token, not even by the time that it takes.
    if (!equal_in_constant_time(shown.hash(), record.hash)) return refuse("another secret");
    if (shown.id() != record.id) return refuse("another token");
    if (now >= record.expires) return refuse("expired");
    if (record.used >= record.nodes) return refuse("it has brought all of its nodes");
    if (!record.zones.empty() && std::ranges::find(record.zones, zone) == record.zones.end())
        return refuse("not for this zone");
    return {};
}

}  // namespace entrepot
