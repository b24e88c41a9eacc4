#pragma once

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/random.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// What a node shows to be certified for the first time where nothing else vouches for it:
// "entrepot-node-", 64 random bits of id (16 lower-case hexadecimal digits), "-", 256 random bits of secret (43
// characters of base64url), and 6 characters of a checksum (24 leading bits of SHA-256 over all before it, in
// hexadecimal), as personal access tokens have it, for scanners and against typing errors. Wiped when it goes.
class NodeToken {
public:
    static NodeToken make(Random& random);
    // bad_request: not of this form. Whether there is such a token, check_node_token() says.
    static Result<NodeToken> parse(std::string_view text);
    // Whether some token may have it as its id().
    static bool is_id(std::string_view text) noexcept;

    ~NodeToken();
    NodeToken(const NodeToken&) = default;
    NodeToken(NodeToken&&) = default;
    NodeToken& operator=(const NodeToken&) = delete;
    NodeToken& operator=(NodeToken&&) = delete;

    // To be shown once, to who made it; never stored, never logged.
    const std::string& text() const noexcept { return text_; }
    // What it is looked up and spoken of by: no secret.
    std::string_view id() const noexcept;
    // What is stored: SHA-256 of the text, in hexadecimal. A slow hash would add nothing to 256 random bits.
    std::string hash() const;

private:
    explicit NodeToken(std::string text) : text_{std::move(text)} {}

    std::string text_;
};

// What is stored of a token.
struct NodeTokenRecord {
    std::string id;
    std::string hash;                // NodeToken::hash()
    std::vector<std::string> zones;  // that its nodes may be in; empty: any
    std::uint32_t nodes = 0;         // how many it may bring in all
    std::uint32_t used = 0;          // how many it has
    Micros expires = 0;              // microseconds since 1970; not valid then
};

// Whether the token, which was looked up by its id, may bring one more node, in this zone (empty: not known, which only
// a token for any zone allows). Counting it is for who stores the record, in one step with looking at it.
// unauthorized, with the reason as its detail and one message for all.
Result<> check_node_token(const NodeToken& shown, const NodeTokenRecord& record, std::string_view zone, Micros now);

}  // namespace entrepot
