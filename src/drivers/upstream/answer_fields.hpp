#pragma once

#include "core/clock.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Header fields of other registries, read without trust.
namespace entrepot {

// "Bearer realm=\"https://…\",service=\"…\"" taken apart (RFC 9110 section 11.6.1), as far as registries use it.
struct LoginChallenge {
    std::string scheme;  // lower-case
    std::string realm;
    std::string service;
};
LoginChallenge parse_login_challenge(std::string_view text);

// The target of the first link whose relation is "next" (RFC 8288); nullopt: there is none.
std::optional<std::string> next_link(std::string_view link);

// "bytes 5-9/10", "bytes 5-9/*" and "bytes */10" (RFC 9110 section 14.4).
struct ContentRange {
    std::optional<std::uint64_t> first{};  // without it nothing could be sent
    std::uint64_t last = 0;
    std::optional<std::uint64_t> size{};
};
std::optional<ContentRange> parse_content_range(std::string_view text);

// How many bytes of an upload are there, by its Range: "0-99", with or without "bytes=". "0-0" counts as none, as
// registries write it for an empty upload too.
std::optional<std::uint64_t> parse_upload_range(std::string_view text);

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7), the form that is sent nowadays.
std::optional<Micros> parse_http_date(std::string_view text);

// When Retry-After lets one ask again: seconds, a date, or seconds since 1970, as Docker Hub's API writes it. At most a
// day ahead; nullopt for anything else.
std::optional<Micros> parse_retry_after(std::string_view text, Micros now);

// "100;w=21600" (Docker Hub's RateLimit-Limit and -Remaining, and the draft "RateLimit header fields for HTTP"): the
// number in front. nullopt when there is none.
std::optional<std::uint64_t> parse_rate_limit(std::string_view text);

}  // namespace entrepot
