#pragma once

#include "core/error.hpp"

#include <string_view>

namespace entrepot {

// Patterns of repositories and tags as Harbor writes them (doublestar): `*` any text within a path segment, `**` as a
// whole segment any number of segments (none, too), `?` one character but '/', `[a-z]` and `[^a-z]` one of (or none of)
// some characters, `{a,b}` one of several patterns. Every other character stands for itself. Matching takes time
// proportional to pattern times text, whatever they are.
inline constexpr std::size_t longest_glob = 256;

// bad_request: empty, too long, braces or brackets that don't match, or a character that no repository's name can hold.
Result<> check_glob(std::string_view pattern);
// The same for patterns of tags.
Result<> check_tag_glob(std::string_view pattern);

// False for a pattern that check_glob() refuses.
bool glob_matches(std::string_view pattern, std::string_view text) noexcept;

// "cluster" and "cluster/partition" against "cluster/partition" or "cluster"; an empty pattern matches everything.
bool partition_matches(std::string_view pattern, std::string_view name) noexcept;

}  // namespace entrepot
