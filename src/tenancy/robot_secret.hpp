#pragma once

#include "core/error.hpp"
#include "core/random.hpp"

#include <string>
#include <string_view>

namespace entrepot {

// 32 letters and digits, about 190 random bits, with a small letter, a capital and a digit among them.
std::string make_robot_secret(Random& random);

// One that somebody chose (as Harbor asks): 8 to 128 printable ASCII characters without blanks, with a small letter, a
// capital and a digit among them. bad_request.
Result<> check_robot_secret(std::string_view secret);

}  // namespace entrepot
