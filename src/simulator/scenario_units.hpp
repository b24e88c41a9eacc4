#pragma once

#include "core/error.hpp"
#include "swarm/peer/peer_policy.hpp"

#include <cstdint>
#include <string>
#include <string_view>

// How values are written in a scenario. Errors are bad_request, with a sentence that continues "key: …".
namespace entrepot {

// "3 GB", "64 MiB", "1.5GB", "4096". Units of 1000 (kB, MB, GB, TB) and of 1024 (KiB, MiB, GiB, TiB).
Result<std::uint64_t> bytes_in_words(std::string_view text);
// "300 MB/s", "32 Mbit/s", or a number of bytes a second; in bytes a second.
Result<double> rate_in_words(std::string_view text);
// "250 us", "0.5 ms", "10 s", "2 min", "1 h". Only 0 goes without a unit.
Result<SwarmTime> time_in_words(std::string_view text);
// "10%" or 0.1: from 0 to 1.
Result<double> share_in_words(std::string_view text);
// "50% of the bound", as 0.5; up to 20 times. not_found: it says nothing of the bound.
Result<double> share_of_bound_in_words(std::string_view text);
Result<std::uint64_t> count_in_words(std::string_view text);
// 2.5, and what else is no negative number.
Result<double> number_in_words(std::string_view text);

// For people: three or four figures, with the unit that fits.
std::string show_bytes(double bytes);
// In units of 1024 where it is a whole number of them: "256 KiB".
std::string show_binary(std::uint64_t bytes);
std::string show_seconds(double microseconds);

}  // namespace entrepot
