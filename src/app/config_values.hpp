#pragma once

#include "core/error.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// How configuration values are written. Every parser answers bad_request with a sentence that continues "key: …".
namespace entrepot {

// Decimal digits only.
Result<std::uint64_t> parse_count(std::string_view text);
// "512", "64KiB", "16MB": bytes, or a unit of 1000 (kB or KB, MB, GB, TB) or 1024 (KiB, MiB, GiB, TiB).
Result<std::uint64_t> parse_size(std::string_view text);
// "30s", "1h30m", "7d": whole numbers, each with a unit of s, m, h or d.
Result<std::chrono::seconds> parse_duration(std::string_view text);
// true or false, yes or no, on or off.
Result<bool> parse_switch(std::string_view text);
// A numeric address, or what can be an interface's name; "localhost" becomes 127.0.0.1.
Result<std::string> parse_address(std::string_view text);
// "10.0.0.0/8" or a single address.
Result<> check_network(std::string_view text);

std::string show_size(std::uint64_t bytes);
std::string show_duration(std::chrono::seconds duration);

// "a, b" as its items without surrounding blanks; empty items are left out.
std::vector<std::string> split_list(std::string_view text);

// How many letters must be put in, left out or replaced to make one text of the other.
std::size_t edit_distance(std::string_view left, std::string_view right);

}  // namespace entrepot
